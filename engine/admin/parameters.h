// The API's query parameters as filters and numbers. An unknown parameter is an error, because a filter with
// a typing mistake would match everything.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/admin/api_request.h"
#include "engine/admin/dead_letter_query.h"
#include "engine/admin/event_query.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

template <typename T>
using Read = std::expected<T, std::string>;  // the error is a sentence for the operator

// Refuses every parameter that is neither in `filters` nor in `others`.
inline constexpr std::array<std::string_view, 6> kEventFilters = {"source", "type",  "id",
                                                                  "since",  "until", "state"};
inline constexpr std::array<std::string_view, 7> kDeadLetterFilters = {"sink",   "source", "type", "id",
                                                                       "reason", "since",  "until"};
Read<void> OnlyKnown(const Parameters& parameters, std::span<const std::string_view> filters,
                     std::initializer_list<std::string_view> others);

// With names that something has; see known_names.h.
Read<EventFilter> ReadEventFilter(const Wiring& wiring, const Parameters& parameters, std::int64_t now_us);
Read<DeadLetterFilter> ReadDeadLetterFilter(const Wiring& wiring, const Parameters& parameters,
                                            std::int64_t now_us);

// A whole number between `min` and `max`; `absent` when the parameter is not there.
Read<std::uint64_t> ReadNumber(const Parameters& parameters, std::string_view name, std::uint64_t absent,
                               std::uint64_t min, std::uint64_t max);
// Unix time in microseconds; nullopt when the parameter is not there.
Read<std::optional<std::int64_t>> ReadTime(const Parameters& parameters, std::string_view name,
                                           std::int64_t now_us);
// "1" or "0"; false when the parameter is not there.
Read<bool> ReadSwitch(const Parameters& parameters, std::string_view name);
std::string ReadText(const Parameters& parameters, std::string_view name);

}  // namespace weir::admin
