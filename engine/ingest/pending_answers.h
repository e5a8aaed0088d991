// Answers owed, in the order of their requests. An entry is made when a request was understood and goes when
// its answer was written. One that waits for a commit outlives its connection: its place is what the
// committer's ticket names, so it is freed by the acknowledgement and by nothing else.
//
//   AddCommit -> (committed) Complete -> ready -> WriteReady     connection gone before: Abandon, freed by Complete
//   AddRefusal, AddLiteral            -> ready -> WriteReady     connection gone before: Abandon frees it
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commit/append.h"
#include "engine/ingest/answer_writer.h"
#include "engine/ingest/connection.h"
#include "engine/ingest/moment.h"
#include "engine/ingest/refusal.h"
#include "engine/observe/shard_probe.h"

namespace weir::ingest {

struct PendingAnswer {
  enum class Kind : std::uint8_t { kFree, kCommit, kRefusal, kLiteral };

  Kind kind = Kind::kFree;
  bool ready = false;    // kCommit: only once it is durable, or known not to be
  bool overdue = false;  // kCommit that is not ready: no longer waited for, answered 503 meanwhile
  Manner manner;
  std::uint32_t index = 0;
  std::uint32_t connection = kNoIndex;  // slot; kNoIndex once the connection is gone
  std::uint32_t generation = 0;
  std::uint32_t next = kNoIndex;

  // kCommit
  std::string event_id;  // of the first event
  std::string event_type;
  std::vector<std::string> further_types;  // of a batch's other events
  observe::SourceProbe* probe = nullptr;
  bool reject_conflicts = false;  // on_conflict = "reject"
  std::int64_t received_ns = 0;   // CLOCK_MONOTONIC
  std::int64_t received_us = 0;   // Unix time
  std::size_t bytes = 0;          // charged to InflightBytes until committed
  commit::Committed committed;

  // kLiteral: the answer. kCommit: what to say on success instead of weir's own answer, where the kind
  // prescribes it.
  std::string literal;
  Refusal refusal;  // kRefusal
};

class PendingAnswers {
 public:
  PendingAnswers(ConnectionTable& connections, AnswerWriter& writer)
      : connections_(connections), writer_(writer) {}

  // Each appends to the connection's list. The returned entry stays where it is until it is freed.
  PendingAnswer& AddCommit(Connection& connection, const Manner& manner);
  void AddRefusal(Connection& connection, const Manner& manner, const Refusal& refusal);
  void AddLiteral(Connection& connection, const Manner& manner, std::string_view bytes);

  // The outcome of a commit. Returns the entry's charged bytes, to be refunded.
  std::size_t Complete(commit::Committed committed);
  // The hand-over to the committer failed: what was to be committed is refused.
  std::size_t Refuse(std::uint32_t index, const Refusal& refusal);

  // The committer does not answer: who waits for it is told to try again. Entries stay until it does.
  void GiveUpWaiting();

  // Writes the answers at the front of the list that are ready.
  void WriteReady(Connection& connection, const Moment& now, std::string& out);
  bool HasReady(const Connection& connection);
  // The last answer owed says that the connection closes after it.
  void CloseAfterLast(Connection& connection);
  // The connection is gone.
  void Abandon(Connection& connection);

  // Connections that got a ready answer since this was last emptied.
  std::vector<std::uint32_t>& due() { return due_; }

 private:
  static constexpr std::size_t kBlock = 256;
  PendingAnswer& At(std::uint32_t index) { return blocks_[index / kBlock][index % kBlock]; }
  PendingAnswer& Add(Connection& connection, PendingAnswer::Kind kind, const Manner& manner);
  void MarkReady(PendingAnswer& answer);
  void MarkDue(const PendingAnswer& answer);
  void Count(const PendingAnswer& answer);
  void CountEvent(const PendingAnswer& answer, const commit::EventResult& result, std::string_view type);
  void Write(const PendingAnswer& answer, const Moment& now, std::string& out);
  void Free(PendingAnswer& answer);

  ConnectionTable& connections_;
  AnswerWriter& writer_;
  std::vector<std::unique_ptr<PendingAnswer[]>> blocks_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> due_;  // slots
};

}  // namespace weir::ingest
