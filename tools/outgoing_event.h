// The events `weir send` sends: authentic ones, and such as a server must refuse. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "engine/source/signer.h"
#include "engine/source/source.h"

namespace weir::tools {

enum class Forgery : std::uint8_t {
  kNone,
  kTampered,  // changed after it was signed
  kStale,     // signed longer ago than the source tolerates
};

struct EventRecipe {
  const source::Source& source;
  Forgery forgery = Forgery::kNone;
  std::string id_prefix;  // ids are this and a number, or this alone when there is one event
  bool numbered = true;
  std::string type;                 // empty = one that the kind's sender sends
  std::optional<std::string> body;  // nullopt = a sample of the kind's shape
  // The sender's own, private key, where the source has only its public half; empty = the source's first.
  std::string secret = {};
};

struct OutgoingEvent {
  std::string id;
  std::string body;
  source::HeaderList headers;
};

// The error says what the kind needs that was not given, or why it cannot be forged so.
std::expected<OutgoingEvent, std::string> MakeEvent(const EventRecipe& recipe, std::size_t number,
                                                    std::int64_t now_unix_s);

// The status that a server gives such an event; nullopt = any 2xx.
std::optional<int> RefusalStatus(const source::Scheme& scheme, Forgery forgery);

}  // namespace weir::tools
