#include "engine/commit/conflict_log.h"

#include <utility>

#include "engine/observe/log.h"
#include "storage/event_codec.h"

namespace weir::commit {

void ConflictLog::Report(const storage::Event& newcomer, storage::Sequence stored, bool kept,
                         std::int64_t now_ns) {
  Of& of = sources_[std::string(newcomer.source)];
  Said& said = kept ? of.kept : of.dropped;
  ++said.unsaid;
  if (now_ns - said.at_ns < kConflictLineIntervalNs) return;
  said.at_ns = now_ns;
  const std::uint64_t count = std::exchange(said.unsaid, 0);
  const std::string look = "weir events list --state conflict --source " + std::string(newcomer.source);
  if (kept) {
    log::Warn("a known event id came with other bytes: answered as a duplicate, kept beside the log",
              {{"source", newcomer.source},
               {"sequence", stored},
               {"conflict", storage::ConflictAddress(stored, storage::ConflictHashOf(newcomer))},
               {"since_last_line", count},
               {"look", look}});
  } else {
    log::Error("a known event id came with other bytes, and no more of them are kept: the bytes are gone",
               {{"source", newcomer.source},
                {"sequence", stored},
                {"since_last_line", count},
                {"look", look},
                {"make_room", "weir dlq admit or weir dlq drop, or on_conflict = \"store\" for the source"}});
  }
}

}  // namespace weir::commit
