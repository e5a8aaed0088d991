#include "storage/store_health.h"

namespace weir::storage {

std::string_view TroublePartName(StoreTrouble::Part part) {
  switch (part) {
    case StoreTrouble::Part::kHighWater:
      return "high_water";
    case StoreTrouble::Part::kDedupe:
      return "dedupe";
    case StoreTrouble::Part::kCompaction:
      return "compaction";
    case StoreTrouble::Part::kDamage:
      return "damage";
    case StoreTrouble::Part::kAccess:
      return "access";
    case StoreTrouble::Part::kTrash:
      return "trash";
    case StoreTrouble::Part::kLog:
      return "log";
  }
  return "";
}

void StoreHealth::Report(StoreTrouble::Part part, const std::string& message) {
  const auto index = static_cast<std::size_t>(part);
  {
    const std::scoped_lock lock(mutex_);
    ++counts_[index];
    if (!lasting_[index].empty()) return;
    lasting_[index] = message;
  }
  if (on_trouble_) on_trouble_({.part = part, .message = message});
}

void StoreHealth::Over(StoreTrouble::Part part) {
  {
    const std::scoped_lock lock(mutex_);
    std::string& lasting = lasting_[static_cast<std::size_t>(part)];
    if (lasting.empty()) return;
    lasting.clear();
  }
  if (on_trouble_) on_trouble_({.part = part, .message = {}});
}

void StoreHealth::Fail(const StoreError& error) {
  if (failed_.exchange(true)) return;
  if (on_failure_) on_failure_(error);
}

std::vector<StoreTrouble> StoreHealth::Lasting() const {
  const std::scoped_lock lock(mutex_);
  std::vector<StoreTrouble> lasting;
  for (std::size_t i = 0; i < lasting_.size(); ++i) {
    if (!lasting_[i].empty())
      lasting.push_back({.part = static_cast<StoreTrouble::Part>(i), .message = lasting_[i]});
  }
  return lasting;
}

std::array<std::uint64_t, StoreTrouble::kParts> StoreHealth::Counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

}  // namespace weir::storage
