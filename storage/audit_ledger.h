// What somebody outside has seen acknowledged: one id a line, or source TAB id. 24 bytes of memory an id.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::storage {

class AuditLedger {
 public:
  static std::expected<AuditLedger, std::string> Read(const std::filesystem::path& file);

  // An event of the log.
  void Seen(std::string_view source, std::string_view id);

  std::uint64_t ids() const { return entries_.size(); }
  std::uint64_t found() const;
  // Calls `visit` for every id that was not seen, in the ledger's order, once each.
  std::expected<void, std::string> ForEachMissing(const std::function<void(std::string_view line)>& visit);

 private:
  // 128 bits: two of a billion ids share them with a chance of one in 10^21.
  struct Hash {
    std::uint64_t high;
    std::uint64_t low;
    auto operator<=>(const Hash&) const = default;
  };
  struct Entry {
    Hash hash;
    bool seen = false;
  };
  static Hash HashOf(std::string_view line);
  Entry* Find(const Hash& hash);

  std::filesystem::path file_;
  std::vector<Entry> entries_;  // sorted by hash, distinct
};

}  // namespace weir::storage
