// What a sink waits at because it cannot be read: the log's next event, or events of its retry schedule. The rest of
// the schedule goes on. Only the operator goes past (`weir sinks skip`), or the record becomes readable again.
//
// One thread, the worker's.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/observe/sink_probe.h"
#include "storage/event_store.h"

namespace weir::deliver {

class Stop {
 public:
  // Both outlive this.
  Stop(const std::string& sink, observe::SinkProbe& probe) : sink_(sink), probe_(probe) {}

  // The log cannot be read at `sequence`. One line for each place.
  void At(storage::Sequence sequence, const storage::StoreError& error, std::int64_t now_ms);
  std::optional<storage::Sequence> at() const { return at_; }
  // Whether the place is worth another look.
  bool Waits(std::int64_t now_ms) const { return at_ && now_ms < look_again_at_ms_; }
  std::optional<std::int64_t> look_again_at_ms() const {
    return at_ ? std::optional(look_again_at_ms_) : std::nullopt;
  }
  // The operator has gone past: the next thing to look at is here.
  void Move(storage::Sequence sequence);
  void GoOn();

  // Events whose retry is due and that cannot be read.
  void AddRetry(storage::Sequence sequence, const storage::StoreError& error);
  void RemoveRetry(storage::Sequence sequence) { retries_.erase(sequence); }
  const std::set<storage::Sequence>& retries() const { return retries_; }

  // When a record that could not be read is tried again.
  static constexpr std::int64_t kLookAgainMs = 30'000;

 private:
  void Complain(std::string_view what, storage::Sequence sequence, const storage::StoreError& error) const;

  const std::string& sink_;
  observe::SinkProbe& probe_;
  std::optional<storage::Sequence> at_;
  std::int64_t look_again_at_ms_ = 0;
  std::set<storage::Sequence> retries_;
};

}  // namespace weir::deliver
