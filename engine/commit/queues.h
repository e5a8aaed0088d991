// The lock-free queues around the committer. All are moodycamel queues with explicit producer tokens, filled
// and drained in bulk; all are bounded by a count kept beside them, because the queue itself is not.
#pragma once

#undef BLOCK_SIZE  // a macro of <linux/fs.h>, which liburing.h brings in, and a member here
#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>

#include "engine/commit/append.h"
#include "engine/io/wake.h"
#include "engine/limits.h"
#include "storage/check.h"

namespace weir::commit {

// Shards -> committer. Many producers, one consumer. Bound: limits::kCommitQueueEvents requests.
class AppendQueue {
 public:
  using Producer = moodycamel::ProducerToken;
  AppendQueue() : queue_(limits::kCommitQueueEvents), consumer_(queue_) {}
  Producer MakeProducer() { return Producer(queue_); }

  // Moves every append in, or none: false means the committer is behind and the requests are to be answered
  // 503.
  bool TryPush(Producer& producer, std::span<Append> appends) {
    const auto count = static_cast<std::int64_t>(appends.size());
    if (claimed_.fetch_add(count, std::memory_order_relaxed) + count > kCapacity) {
      claimed_.fetch_sub(count, std::memory_order_relaxed);
      return false;
    }
    if (!queue_.enqueue_bulk(producer, std::make_move_iterator(appends.begin()), appends.size())) {
      claimed_.fetch_sub(count, std::memory_order_relaxed);  // no memory: none of them is in
      return false;
    }
    // Counted after they are in: a consumer that saw the count of appends still on their way would look for
    // them in vain, over and over, perhaps on the very processor that the producer needs to bring them in.
    waiting_.fetch_add(count, std::memory_order_seq_cst);
    wake_.Notify();
    return true;
  }

  // Consumer only.
  std::size_t Pop(std::span<Append> into) {
    const std::size_t count = queue_.try_dequeue_bulk(consumer_, into.begin(), into.size());
    const auto claimed = claimed_.fetch_sub(static_cast<std::int64_t>(count), std::memory_order_relaxed);
    WEIR_CHECK_GE(claimed, static_cast<std::int64_t>(count));
    waiting_.fetch_sub(static_cast<std::int64_t>(count), std::memory_order_relaxed);
    return count;
  }
  io::FutexWake& wake() { return wake_; }
  // Below zero while a producer has yet to count what was popped already. Sequentially consistent like the
  // count in TryPush: between PrepareWait and Wait this is the second look, and it has to see every push
  // whose Notify did not see the waiter.
  std::int64_t waiting() const { return waiting_.load(std::memory_order_seq_cst); }

 private:
  static constexpr std::int64_t kCapacity = limits::kCommitQueueEvents;
  moodycamel::ConcurrentQueue<Append> queue_;
  moodycamel::ConsumerToken consumer_;
  alignas(64) std::atomic<std::int64_t> claimed_{0};  // in, and on their way in: what the bound counts
  std::atomic<std::int64_t> waiting_{0};              // in
  io::FutexWake wake_;
};

// Committer -> one shard. Bounded by what that shard has handed in.
class AckQueue {
 public:
  explicit AckQueue(io::EventfdWake& wake) : producer_(queue_), consumer_(queue_), wake_(wake) {}
  // Committer only. One wake a group, and none while the shard is busy anyway.
  void Push(std::span<Committed> acks) {
    // Without memory none is in, and an answer that is lost is waited for for ever.
    while (!queue_.enqueue_bulk(producer_, std::make_move_iterator(acks.begin()), acks.size())) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    wake_.Notify();
  }
  // Shard only.
  std::size_t Pop(std::span<Committed> into) {
    return queue_.try_dequeue_bulk(consumer_, into.begin(), into.size());
  }

 private:
  moodycamel::ConcurrentQueue<Committed> queue_;
  moodycamel::ProducerToken producer_;
  moodycamel::ConsumerToken consumer_;
  io::EventfdWake& wake_;
};

// Committer -> one delivery worker: a cache of the log's tail. A full queue drops the group, not its events:
// the worker notices the gap in sequences and reads the log.
class TailQueue {
 public:
  explicit TailQueue(io::EventfdWake& wake) : producer_(queue_), consumer_(queue_), wake_(wake) {}
  // Committer only.
  void Offer(const std::shared_ptr<const CommittedGroup>& group) {
    if (groups_.load(std::memory_order_relaxed) < static_cast<std::int64_t>(limits::kTailGroups) &&
        bytes_.load(std::memory_order_relaxed) < static_cast<std::int64_t>(limits::kTailBytesMax)) {
      groups_.fetch_add(1, std::memory_order_relaxed);
      bytes_.fetch_add(static_cast<std::int64_t>(group->bytes), std::memory_order_relaxed);
      if (!queue_.enqueue(producer_, group)) {  // no memory: the log has it
        groups_.fetch_sub(1, std::memory_order_relaxed);
        bytes_.fetch_sub(static_cast<std::int64_t>(group->bytes), std::memory_order_relaxed);
      }
    }
    wake_.Notify();
  }
  // Worker only. nullptr when empty.
  std::shared_ptr<const CommittedGroup> Pop() {
    std::shared_ptr<const CommittedGroup> group;
    if (!queue_.try_dequeue(consumer_, group)) return nullptr;
    groups_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(static_cast<std::int64_t>(group->bytes), std::memory_order_relaxed);
    return group;
  }

 private:
  moodycamel::ConcurrentQueue<std::shared_ptr<const CommittedGroup>> queue_;
  moodycamel::ProducerToken producer_;
  moodycamel::ConsumerToken consumer_;
  alignas(64) std::atomic<std::int64_t> groups_{0};
  std::atomic<std::int64_t> bytes_{0};
  io::EventfdWake& wake_;
};

}  // namespace weir::commit
