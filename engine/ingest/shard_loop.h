// The inside of a shard's thread: everything it owns, and the order of one turn.
//
//   wait -> sources of a reload -> completions -> push what was verified -> acknowledgements -> deadlines
//   -> answers -> receive buffers
//
// Events are pushed before acknowledgements are looked at, so that the committer has work while answers are
// written. What was handed to it stays in the list of pending answers; nothing is acknowledged from anywhere
// else.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/ingest/answer_writer.h"
#include "engine/ingest/connection.h"
#include "engine/ingest/gate.h"
#include "engine/ingest/handover.h"
#include "engine/ingest/inflight_bytes.h"
#include "engine/ingest/intake.h"
#include "engine/ingest/listener.h"
#include "engine/ingest/moment.h"
#include "engine/ingest/pending_answers.h"
#include "engine/ingest/reader.h"
#include "engine/ingest/transport.h"
#include "engine/io/buffer_ring.h"
#include "engine/io/ring.h"
#include "engine/io/timer_wheel.h"
#include "engine/io/wake.h"

namespace weir::ingest {

// What other threads may touch of a running shard.
struct ShardControl {
  io::EventfdWake wake;
  commit::AckQueue acks{wake};
  std::atomic<bool> stopping{false};
  std::atomic<std::int64_t> drain_ms{0};
  std::atomic<bool> sources_swapped{false};
  std::mutex sources_mutex;  // taken at a reload only
  std::shared_ptr<const source::SourceTable> next_sources;
};

class ShardLoop {
 public:
  struct Wiring {
    std::uint16_t index;
    config::ServerLimits limits;
    config::AckMode ack;
    std::shared_ptr<const source::SourceTable> sources;
    commit::AppendQueue& appends;
    Gate& gate;
    quarantine::Quarantine* quarantine;
    observe::ShardProbe& probe;
    std::uint64_t seed;
    KeepSecret keep_secret;
    Listener& listener;
    ShardControl& control;
  };

  // On the thread that calls Run: the ring belongs to it.
  static std::expected<std::unique_ptr<ShardLoop>, std::string> Create(const Wiring& wiring);
  ~ShardLoop();

  // Until it is told to stop and has no connection left, or its time to drain is over.
  void Run();

 private:
  ShardLoop(const Wiring& wiring, std::unique_ptr<io::Ring> ring, io::BufferRing buffers);
  void Turn();
  std::size_t PrepareWait(std::int64_t& timeout_ms);
  void Dispatch(const io::Completion& completion);
  void OnAccepted(const io::Completion& completion);
  void Open(io::Descriptor fd);
  std::string_view RefusalText();
  void OnWake();
  void HandOver();
  void TakeAcks(std::size_t count);
  void RunDeadlines();
  void TakeSources();
  void StartDrain();
  bool Finished() const;

  config::ServerLimits limits_;
  Gate& gate_;
  observe::ShardProbe& probe_;
  ShardControl& control_;
  Listener& listener_;
  Moment now_;

  std::unique_ptr<io::Ring> ring_;  // stays where it is: the buffers are registered with it
  io::BufferRing buffers_;
  io::TimerWheel timers_;
  ConnectionTable connections_;
  AnswerWriter writer_;
  PendingAnswers answers_;
  InflightBytes inflight_;
  Handover handover_;
  Intake intake_;
  Reader reader_;
  Transport transport_;

  std::uint64_t wake_count_ = 0;
  std::uint32_t overflows_counted_ = 0;
  bool draining_ = false;
  bool backlog_taken_ = false;
  std::int64_t drain_until_ms_ = -1;
  std::vector<io::Completion> completions_;
  std::vector<commit::Committed> acks_;
  std::vector<std::uint32_t> due_;
  std::uint64_t refusal_id_;  // the correlation id of connections that are turned away unread
  std::string refusal_;       // reused
};

}  // namespace weir::ingest
