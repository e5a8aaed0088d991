// A log file is blocks of 32 KiB of records, the first of which begins at 0:
//
//   record := check:u32 bytes:u16 type:u8 payload      type: 1 whole, 2 first part
//   payload of a whole or first one := sequence:u64 count:u32 …, RocksDB's sequence numbers
//   check := the CRC32C of type and payload, masked: turned right by 15 bits, plus 0xa282ead8
//
// What is left of a block and too short for a head is zeros, and so is what was reserved behind the last record.
#include "storage/log_files.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/bytes.h"
#include "storage/log_record.h"

namespace weir::storage {
namespace {

constexpr std::size_t kTypeAt = 6;
constexpr std::size_t kSequenceAt = 7;
constexpr std::size_t kHeadBytes = kSequenceAt + sizeof(std::uint64_t);
constexpr std::size_t kBytesAt = 4;
constexpr char kWhole = 1;
constexpr char kFirst = 2;

std::optional<std::uint64_t> NumberOf(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (error != std::errc{} || end != stem.data() + stem.size()) return std::nullopt;
  return number;
}

std::string LogName(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return digits + ".log";
}

// nullopt: empty, or damaged at its beginning, which RocksDB notices.
std::optional<std::uint64_t> FirstSequence(Disk& disk, const std::filesystem::path& file) {
  char head[kHeadBytes];
  const auto opened = disk.Open(file, Disk::Access::kOverDamage);
  if (!opened || (*opened)->ReadAt(0, head).value_or(0) != sizeof head) return std::nullopt;
  if (head[kTypeAt] != kWhole && head[kTypeAt] != kFirst) return std::nullopt;
  return LoadLittle<std::uint64_t>(head + kSequenceAt);
}

std::map<std::uint64_t, std::filesystem::path> LogsIn(Disk& disk, const std::filesystem::path& database) {
  std::map<std::uint64_t, std::filesystem::path> logs;
  for (const auto& file : FilesEndingIn(disk, database, ".log")) {
    if (const auto number = NumberOf(file)) logs.emplace(*number, file);
  }
  return logs;
}

// `last`: there is no other block behind it.
bool BlockIsWhole(std::string_view block, bool last) {
  while (block.size() >= kLogRecordHeadBytes) {
    const std::size_t bytes = kLogRecordHeadBytes + LoadLittle<std::uint16_t>(block.data() + kBytesAt);
    if (bytes > block.size()) return last;
    if (block[kTypeAt] == 0 && bytes == kLogRecordHeadBytes) break;
    if (!ReadLogRecord(block)) return false;
    block.remove_prefix(bytes);
  }
  return last || block.find_first_not_of('\0') == std::string_view::npos;
}

bool IsWhole(Disk& disk, const std::filesystem::path& log) {
  const auto file = disk.Open(log, Disk::Access::kRead);
  if (!file) return false;
  std::string block(kLogBlockBytes, '\0');
  for (std::uint64_t at = 0;; at += kLogBlockBytes) {
    const auto read = (*file)->ReadAt(at, block);
    if (!read) return false;
    if (!BlockIsWhole(std::string_view(block).substr(0, *read), *read < kLogBlockBytes)) return false;
    if (*read < kLogBlockBytes) return true;
  }
}

}  // namespace

std::vector<std::filesystem::path> LogsInOrder(Disk& disk, const std::filesystem::path& database) {
  std::vector<std::filesystem::path> files;
  for (const auto& [number, file] : LogsIn(disk, database)) files.push_back(file);
  return files;
}

bool LogsAreWhole(Disk& disk, const std::filesystem::path& database) {
  return std::ranges::all_of(LogsIn(disk, database),
                             [&](const auto& log) { return IsWhole(disk, log.second); });
}

std::optional<std::uint64_t> FirstLogged(Disk& disk, const std::filesystem::path& database) {
  const auto logs = LogsIn(disk, database);
  return logs.empty() ? std::nullopt : FirstSequence(disk, logs.begin()->second);
}

std::expected<void, std::string> CheckLogOrder(Disk& disk, const std::filesystem::path& database) {
  const auto logs = LogsIn(disk, database);
  const std::filesystem::path* latest = nullptr;
  std::uint64_t begins = 0;
  for (const auto& [number, file] : logs) {
    const auto sequence = FirstSequence(disk, file);
    if (!sequence) continue;
    if (latest != nullptr && *sequence <= begins) {
      return std::unexpected(
          "the write-ahead log " + file.string() + " begins where " + latest->string() +
          " does, or before: one of them is a copy, from another time or under another one's name");
    }
    latest = &file;
    begins = *sequence;
  }
  return {};
}

DiskResult<void> PutLogsInOrder(Disk& disk, const std::filesystem::path& database) {
  std::map<std::uint64_t, std::filesystem::path> by_beginning;
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, file] : LogsIn(disk, database)) {
    const auto begins = FirstSequence(disk, file);
    if (!begins) continue;
    numbers.push_back(number);
    // Out of the way of the names that are given out below.
    std::filesystem::path aside = file.string() + ".unordered";
    if (auto renamed = disk.Rename(file, aside); !renamed) return renamed;
    const auto [kept, first] = by_beginning.try_emplace(*begins, aside);
    if (first) continue;
    const bool longer = BytesOf(disk, aside) > BytesOf(disk, kept->second);
    if (longer) std::swap(kept->second, aside);
    if (auto removed = disk.Remove(aside); !removed) return removed;
  }
  auto number = numbers.end() - static_cast<std::ptrdiff_t>(by_beginning.size());
  for (const auto& [begins, file] : by_beginning) {
    if (auto renamed = disk.Rename(file, database / LogName(*number++)); !renamed) return renamed;
  }
  return disk.SyncDirectory(database);
}

}  // namespace weir::storage
