#include "storage/log_record.h"

#include <isa-l/crc.h>

#include <bit>

#include "storage/bytes.h"

namespace weir::storage {
namespace {

constexpr std::size_t kBytesAt = 4;
constexpr std::size_t kTypeAt = 6;
constexpr std::uint32_t kMask = 0xa282ead8;

bool IsChecked(std::string_view record) {
  const char* const head = record.data();
  const std::string_view checked = record.substr(kTypeAt);
  // Declared without const, read only.
  auto* bytes = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(checked.data()));
  const std::uint32_t sum = ~crc32_iscsi(bytes, static_cast<int>(checked.size()), ~0u);
  return LoadLittle<std::uint32_t>(head) == std::rotr(sum, 15) + kMask;
}

}  // namespace

std::optional<LogRecord> ReadLogRecord(std::string_view block) {
  if (block.size() < kLogRecordHeadBytes) return std::nullopt;
  const std::size_t bytes = kLogRecordHeadBytes + LoadLittle<std::uint16_t>(block.data() + kBytesAt);
  const auto type = static_cast<LogRecord::Type>(block[kTypeAt]);
  if (bytes > block.size() || type == LogRecord::Type::kNone || type > LogRecord::Type::kLast)
    return std::nullopt;
  if (!IsChecked(block.substr(0, bytes))) return std::nullopt;
  return LogRecord{.type = type, .payload = block.substr(kLogRecordHeadBytes, bytes - kLogRecordHeadBytes)};
}

}  // namespace weir::storage
