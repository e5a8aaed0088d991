// One thread, one partition: takes whatever arrived while the last sync ran, commits it as one batch with one
// sync, and posts each result to its shard. No linger: at low load a group is one event. A duplicate of an
// event in the same group or an earlier one gets its answer after that event is durable, because both are
// decided here by the only writer.
#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/commit/acknowledger.h"
#include "engine/commit/conflict_log.h"
#include "engine/commit/queues.h"
#include "engine/observe/probe.h"
#include "storage/event_store.h"

namespace weir::commit {

class Committer {
 public:
  struct Wiring {
    storage::EventStore& store;
    AppendQueue& appends;
    std::vector<AckQueue*> shards;  // by Append::shard
    observe::CommitProbe& probe;
    // Called once, on the committer's thread, when a commit failed in a way that forbids any further ack. The
    // server exits.
    std::function<void(const storage::StoreError&)> on_failure;
  };

  explicit Committer(Wiring wiring);
  ~Committer();  // Stop()

  std::expected<void, std::string> Start();
  // Any thread: which delivery workers are offered new groups (a reload adds and removes sinks). Once this
  // returns, the committer no longer touches a queue that is not in `tails`.
  void SetTails(std::vector<TailQueue*> tails);

  // Commits what is queued, then ends the thread. Shards must have stopped producing.
  void Stop();

 private:
  void Run();
  void CommitAll(std::span<Append> appends);
  void CommitGroup(std::span<Append> group);
  bool Gather(std::span<const Append> group, std::int64_t now_ns);
  bool Store(std::int64_t started_ns);
  void Answer(std::span<const Append> group, bool committed);
  // The results from `next` on are the request's.
  Committed AnswerTo(const Append& append, std::size_t next);
  EventResult Count(const storage::AppendResult& result);
  void ReportUnreadable(storage::Sequence sequence);
  void ReportConflict(const storage::AppendRecord& record, const storage::AppendResult& result,
                      std::int64_t now_ns);
  void Publish(std::span<const Append> group);

  Wiring wiring_;
  std::atomic<bool> stopping_{false};
  std::jthread thread_;

  // Touched by the committer's thread only; reused from group to group.
  bool failed_ = false;                         // nothing is acked any more
  std::optional<std::int64_t> reported_at_ns_;  // the last line about an event that cannot be read
  std::uint64_t unreported_ = 0;
  std::vector<Append> popped_;
  std::vector<storage::AppendRecord> records_;
  std::vector<storage::AppendResult> results_;
  Acknowledger acknowledger_;
  ConflictLog conflict_log_;

  std::mutex tails_mutex_;  // taken once a group; held by others only during a reload
  std::vector<TailQueue*> tails_;
};

}  // namespace weir::commit
