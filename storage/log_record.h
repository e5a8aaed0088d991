// One physical record of a write-ahead log; the grammar stands at the top of log_files.cc.
//
// Internal to storage/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::storage {

inline constexpr std::size_t kLogBlockBytes = 32u << 10;
inline constexpr std::size_t kLogRecordHeadBytes = 7;

struct LogRecord {
  enum class Type : std::uint8_t { kNone = 0, kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };
  Type type;
  std::string_view payload;
  std::size_t bytes() const { return kLogRecordHeadBytes + payload.size(); }
};

// The record that begins here, if all of it does and its check holds. `block` is what is left of a block.
std::optional<LogRecord> ReadLogRecord(std::string_view block);

}  // namespace weir::storage
