#include "storage/audit_ledger.h"

#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "storage/event.h"

namespace weir::storage {
namespace {

std::expected<void, std::string> ForEachLine(const std::filesystem::path& file,
                                             const std::function<void(std::string_view)>& visit) {
  std::ifstream stream(file);
  if (!stream)
    return std::unexpected("cannot open the ledger " + file.string() + ": " + std::strerror(errno));
  std::string line;
  while (std::getline(stream, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) visit(line);
  }
  if (stream.bad()) return std::unexpected("cannot read the ledger " + file.string());
  return {};
}

}  // namespace

std::expected<AuditLedger, std::string> AuditLedger::Read(const std::filesystem::path& file) {
  AuditLedger ledger;
  ledger.file_ = file;
  const auto read =
      ForEachLine(file, [&](std::string_view line) { ledger.entries_.push_back({.hash = HashOf(line)}); });
  if (!read) return std::unexpected(read.error());
  std::sort(ledger.entries_.begin(), ledger.entries_.end(),
            [](const Entry& a, const Entry& b) { return a.hash < b.hash; });
  const auto same = [](const Entry& a, const Entry& b) { return a.hash == b.hash; };
  ledger.entries_.erase(std::unique(ledger.entries_.begin(), ledger.entries_.end(), same),
                        ledger.entries_.end());
  return ledger;
}

void AuditLedger::Seen(std::string_view source, std::string_view id) {
  if (const std::string_view senders = SenderIdOf(id); senders.size() != id.size()) Seen(source, senders);
  std::string qualified(source);
  qualified.append("\t").append(id);
  if (Entry* entry = Find(HashOf(id))) entry->seen = true;
  if (Entry* entry = Find(HashOf(qualified))) entry->seen = true;
}

std::uint64_t AuditLedger::found() const {
  return static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.seen; }));
}

std::expected<void, std::string> AuditLedger::ForEachMissing(
    const std::function<void(std::string_view line)>& visit) {
  return ForEachLine(file_, [&](std::string_view line) {
    Entry* entry = Find(HashOf(line));
    if (entry != nullptr && !std::exchange(entry->seen, true)) visit(line);
  });
}

AuditLedger::Hash AuditLedger::HashOf(std::string_view line) {
  const XXH128_hash_t hash = XXH3_128bits(line.data(), line.size());
  return {.high = hash.high64, .low = hash.low64};
}

AuditLedger::Entry* AuditLedger::Find(const Hash& hash) {
  const auto entry = std::lower_bound(entries_.begin(), entries_.end(), hash,
                                      [](const Entry& a, const Hash& wanted) { return a.hash < wanted; });
  return entry != entries_.end() && entry->hash == hash ? &*entry : nullptr;
}

}  // namespace weir::storage
