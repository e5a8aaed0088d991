#include "engine/deliver/stop.h"

#include "engine/observe/log.h"

namespace weir::deliver {

using storage::Sequence;

void Stop::At(Sequence sequence, const storage::StoreError& error, std::int64_t now_ms) {
  look_again_at_ms_ = now_ms + kLookAgainMs;
  if (at_ == sequence) return;
  at_ = sequence;
  probe_.stopped_at.Set(static_cast<std::int64_t>(sequence));
  Complain("delivery has stopped at an event that cannot be read", sequence, error);
}

void Stop::Move(Sequence sequence) {
  at_ = sequence;
  probe_.stopped_at.Set(static_cast<std::int64_t>(sequence));
}

void Stop::GoOn() {
  if (!at_) return;
  observe::log::Info("delivery goes on", {{"sink", sink_}, {"stopped_at", *at_}});
  at_.reset();
  probe_.stopped_at.Set(0);
}

void Stop::AddRetry(Sequence sequence, const storage::StoreError& error) {
  if (retries_.insert(sequence).second)
    Complain("an event that waits for a retry cannot be read", sequence, error);
}

void Stop::Complain(std::string_view what, Sequence sequence, const storage::StoreError& error) const {
  observe::log::Error(what, {{"sink", sink_},
                             {"sequence", sequence},
                             {"reason", error.message},
                             {"to_go_past_it", "weir sinks skip --sink " + sink_},
                             {"to_see_all_damage", "weir verify"}});
}

}  // namespace weir::deliver
