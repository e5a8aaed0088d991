// What becomes of a request that brings a known event id with other bytes.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::source {

enum class OnConflict : std::uint8_t {
  kDuplicate,  // answered as a duplicate and kept beside the log: the sender promises that an id is one event's
  kStore,      // an event of its own: every event of the source is named by its id and its content
  kReject,     // refused, 409
};

constexpr std::string_view OnConflictName(OnConflict policy) {
  switch (policy) {
    case OnConflict::kDuplicate:
      return "duplicate";
    case OnConflict::kStore:
      return "store";
    case OnConflict::kReject:
      return "reject";
  }
  return "";
}

}  // namespace weir::source
