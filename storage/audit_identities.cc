#include "storage/audit_identities.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace weir::storage {

AuditIdentities::AuditIdentities() {
  for (auto& file : files_) file.reset(std::tmpfile());
}

bool AuditIdentities::Add(const Entry& entry) {
  constexpr unsigned kShift = 64 - std::bit_width(kFiles - 1);
  std::FILE* file = files_[entry.hash >> kShift].get();
  return file != nullptr && std::fwrite(&entry, sizeof entry, 1, file) == 1;
}

bool AuditIdentities::ForEachRepeated(const std::function<void(const std::vector<Entry>&)>& visit) {
  for (const auto& file : files_) {
    if (!file || std::fflush(file.get()) != 0) return false;
    const long bytes = std::ftell(file.get());
    if (bytes < 0) return false;
    if (std::fseek(file.get(), 0, SEEK_SET) != 0) return false;
    std::vector<Entry> entries(static_cast<std::size_t>(bytes) / sizeof(Entry));
    if (std::fread(entries.data(), sizeof(Entry), entries.size(), file.get()) != entries.size()) return false;
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.hash, a.sequence) < std::pair(b.hash, b.sequence);
    });
    for (std::size_t begin = 0; begin < entries.size();) {
      std::size_t end = begin + 1;
      while (end < entries.size() && entries[end].hash == entries[begin].hash) ++end;
      if (end - begin > 1) {
        visit({entries.begin() + static_cast<std::ptrdiff_t>(begin),
               entries.begin() + static_cast<std::ptrdiff_t>(end)});
      }
      begin = end;
    }
  }
  return true;
}

}  // namespace weir::storage
