// What delivery keeps, as values of the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/event_store.h"

namespace weir::storage {

std::string EncodePosition(std::string_view key, const SinkPosition& position);
std::optional<SinkPosition> DecodePosition(std::string_view key, std::string_view value);

std::string EncodeRetry(std::string_view key, const RetryEntry& retry);
// Due time and sequence come from the key.
std::optional<RetryEntry> DecodeRetry(std::string_view key, std::string_view value);

std::string EncodeDeadLetter(std::string_view key, const DeadLetter& letter);
// Sink and sequence come from the key.
std::optional<DeadLetter> DecodeDeadLetter(std::string_view key, std::string_view value);

std::string EncodeRepeats(std::string_view key, const Repeats& repeats);
std::optional<Repeats> DecodeRepeats(std::string_view key, std::string_view value);

}  // namespace weir::storage
