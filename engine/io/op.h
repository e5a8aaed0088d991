// What user_data means: which operation, of which slot, and of which use of that slot. A slot is reused only
// after its generation moved on, so a completion that arrives late for the slot's previous owner is
// recognised and dropped.
//
//   63      56 55            32 31                              0
//   [  op   ] [     slot     ] [           generation           ]
#pragma once

#include <cstdint>

namespace weir::io {

enum class Op : std::uint8_t { kNone, kAccept, kReceive, kSend, kConnect, kClose, kCancel, kWake };

struct UserData {
  Op op = Op::kNone;
  std::uint32_t slot = 0;  // 24 bits
  std::uint32_t generation = 0;

  std::uint64_t Pack() const {
    return (static_cast<std::uint64_t>(op) << 56) | (static_cast<std::uint64_t>(slot & 0xFFFFFFu) << 32) |
           generation;
  }
  static UserData Unpack(std::uint64_t packed) {
    return {static_cast<Op>(packed >> 56), static_cast<std::uint32_t>((packed >> 32) & 0xFFFFFFu),
            static_cast<std::uint32_t>(packed)};
  }
  bool operator==(const UserData&) const = default;
};

}  // namespace weir::io
