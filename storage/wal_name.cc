#include "storage/wal_name.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace weir::storage {
namespace {

constexpr std::string_view kEnding = ".log";
constexpr std::string_view kTail = "tail";

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool BeginsAsLog(std::string_view name) {
  const std::size_t digits = name.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos && name.substr(digits).starts_with(kEnding);
}

// What is in front of ".1" or ".tail"; empty: the name does not end so.
std::string_view WithoutPiece(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view last = name.substr(dot + 1);
  const std::string_view front = name.substr(0, dot);
  return (last == kTail || IsDigits(last)) && BeginsAsLog(front) ? front : std::string_view();
}

}  // namespace

bool IsWalPiece(const std::filesystem::path& file) {
  return !WithoutPiece(file.filename().native()).empty();
}

bool IsWal(const std::filesystem::path& file) {
  return BeginsAsLog(file.filename().native()) && !IsWalPiece(file);
}

std::uint64_t WalNumber(const std::filesystem::path& log) {
  const std::string name = log.filename();
  std::uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

std::filesystem::path WalSegment(const std::filesystem::path& log, std::uint64_t place) {
  return place == 0 ? log : std::filesystem::path(log.native() + "." + std::to_string(place));
}

std::filesystem::path WalTail(const std::filesystem::path& log) {
  return log.native() + "." + std::string(kTail);
}

std::filesystem::path WalOf(const std::filesystem::path& piece) {
  const std::string name = piece.filename();
  return piece.parent_path() / WithoutPiece(name);
}

DiskResult<WalPieces> FindWalPieces(const Disk& disk, const std::filesystem::path& log) {
  const auto names = disk.List(log.parent_path());
  if (!names) return std::unexpected(names.error());
  WalPieces pieces;
  for (const std::string& name : *names) {
    const std::filesystem::path file = log.parent_path() / name;
    if (file == log) pieces.segments.emplace(0, file);
    if (!IsWalPiece(file) || WalOf(file) != log) continue;
    if (file == WalTail(log)) {
      pieces.tail = file;
      continue;
    }
    const std::string place = file.extension().native().substr(1);
    std::uint64_t number = 0;
    std::from_chars(place.data(), place.data() + place.size(), number);
    pieces.segments.emplace(number, file);
  }
  return pieces;
}

}  // namespace weir::storage
