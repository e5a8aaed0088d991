#include "engine/admin/known_sources.h"

#include <algorithm>
#include <string_view>

#include "engine/admin/event_query.h"

namespace weir::admin {

namespace {

// "+NAME\n" for a source that is configured, "-NAME\n" for one that was.
constexpr std::string_view kSourcesKey = "sources";
constexpr char kConfigured = '+';
constexpr char kFormer = '-';

}  // namespace

storage::StoreResult<std::vector<KnownSource>> KnownSources(const storage::EventStore& store) {
  const auto text = store.GetMeta(kSourcesKey);
  std::vector<KnownSource> sources;
  if (!text) {
    if (text.error().code != storage::StoreErrorCode::kNotFound) return std::unexpected(text.error());
    return sources;
  }
  for (std::string_view rest = *text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.size() < 2) continue;
    sources.push_back({.name = std::string(line.substr(1)), .configured = line.front() == kConfigured});
  }
  return sources;
}

std::vector<std::string> FormerNames(const std::vector<KnownSource>& sources) {
  std::vector<std::string> names;
  for (const KnownSource& source : sources) {
    if (!source.configured) names.push_back(source.name);
  }
  return names;
}

storage::StoreResult<void> RememberSources(storage::EventStore& store,
                                           const std::vector<std::string>& names) {
  const auto before = KnownSources(store);
  if (!before) return std::unexpected(before.error());
  std::vector<std::string> former;
  for (const KnownSource& source : *before) {
    if (std::ranges::find(names, source.name) == names.end()) former.push_back(source.name);
  }
  const std::size_t room = kKnownSourcesMax - std::min(kKnownSourcesMax, names.size());
  if (former.size() > room) {
    former.erase(former.begin(), former.end() - static_cast<std::ptrdiff_t>(room));
  }
  std::string text;
  for (const std::string& name : former) text += kFormer + name + '\n';
  for (const std::string& name : names) text += kConfigured + name + '\n';
  return store.PutMeta(kSourcesKey, text);
}

storage::StoreResult<std::map<std::string, std::int64_t>> LastReceivedInLog(const storage::EventStore& store,
                                                                            std::size_t scan_max) {
  std::map<std::string, std::int64_t> last;
  const auto scanned =
      ScanBackward(store, {}, {}, store.last_sequence() + 1, scan_max, [&](EventSummary event) {
        last.try_emplace(std::move(event.source), event.received_at_us);
        return true;
      });
  if (!scanned) return std::unexpected(scanned.error());
  return last;
}

}  // namespace weir::admin
