// A log file is blocks of 32 KiB of records, the first of which begins at 0:
//
//   record := check:u32 bytes:u16 type:u8 payload      type: 1 whole, 2 first part
//   payload of a whole or first one := sequence:u64 count:u32 …, RocksDB's sequence numbers
#include "storage/log_files.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>

#include "storage/bytes.h"

namespace weir::storage {
namespace {

constexpr std::size_t kTypeAt = 6;
constexpr std::size_t kSequenceAt = 7;
constexpr std::size_t kHeadBytes = kSequenceAt + sizeof(std::uint64_t);
constexpr char kWhole = 1;
constexpr char kFirst = 2;

std::optional<std::uint64_t> NumberOf(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (error != std::errc{} || end != stem.data() + stem.size()) return std::nullopt;
  return number;
}

// nullopt: empty, or damaged at its beginning, which RocksDB notices.
std::optional<std::uint64_t> FirstSequence(Disk& disk, const std::filesystem::path& file) {
  char head[kHeadBytes];
  const auto opened = disk.Open(file, Disk::Access::kRead);
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

}  // namespace

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
          file.string() + " begins where " + latest->string() +
          " does, or before: one of them is a copy or from another time. Move the one that "
          "does not belong here out of the directory");
    }
    latest = &file;
    begins = *sequence;
  }
  return {};
}

}  // namespace weir::storage
