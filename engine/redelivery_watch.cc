#include "engine/redelivery_watch.h"

#include <algorithm>

#include "engine/observe/log.h"

namespace weir {

std::vector<RedeliveryWatch::Notice> RedeliveryWatch::Look(
    const std::vector<const observe::ShardProbe*>& shards,
    const std::function<bool(const std::string&)>& by_hand, std::int64_t now_ms) {
  std::map<std::string, Notice> sources;
  for (const observe::ShardProbe* shard : shards) {
    for (std::size_t i = 0; i < shard->source_count(); ++i) {
      const observe::SourceProbe& probe = shard->source(i);
      Notice& notice = sources[probe.source];
      notice.count += probe.duplicates.value();
      notice.sequence = std::max(notice.sequence, probe.last_duplicate.value());
    }
  }
  std::vector<Notice> notices;
  for (auto& [source, notice] : sources) {
    Told& told = told_[source];
    const bool due = !told.line_ms || now_ms - *told.line_ms >= kLineIntervalMs;
    if (notice.count == told.duplicates || !due || !by_hand(source)) continue;
    const std::uint64_t duplicates = notice.count;
    notice.source = source;
    notice.count -= told.duplicates;
    told = {.duplicates = duplicates, .line_ms = now_ms};
    notices.push_back(std::move(notice));
  }
  return notices;
}

void Log(const RedeliveryWatch::Notice& notice, const std::string& data) {
  const std::string look = notice.sequence == 0
                               ? "weir events list --data " + data + " --source " + notice.source
                               : "weir events show --data " + data + ' ' + std::to_string(notice.sequence);
  observe::log::Info(
      "events came again and were answered as duplicates: they are not delivered again, also where somebody "
      "asked "
      "the sender for them by hand",
      {{"source", notice.source}, {"count", notice.count}, {"sequence", notice.sequence}, {"look", look}});
}

}  // namespace weir
