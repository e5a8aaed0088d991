#include "engine/ingest/pending_answers.h"

#include <algorithm>

#include "storage/check.h"

namespace weir::ingest {

using Kind = PendingAnswer::Kind;

namespace {

// Of a batch the events that were in order are stored; their sender sends all of them again.
bool IsRefusedFor(const PendingAnswer& answer) {
  return answer.reject_conflicts && answer.committed.Count(commit::CommitOutcome::kConflict) > 0;
}

}  // namespace

PendingAnswer& PendingAnswers::Add(Connection& connection, Kind kind, const Manner& manner) {
  if (free_.empty()) {
    const auto first = static_cast<std::uint32_t>(blocks_.size() * kBlock);
    blocks_.push_back(std::make_unique<PendingAnswer[]>(kBlock));
    for (std::uint32_t i = kBlock; i > 0; --i) free_.push_back(first + i - 1);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  PendingAnswer& answer = At(index);
  WEIR_CHECK(answer.kind == Kind::kFree);
  answer.kind = kind;
  answer.ready = false;
  answer.overdue = false;
  answer.manner = manner;
  answer.index = index;
  answer.connection = connection.slot;
  answer.generation = connection.generation;
  answer.next = kNoIndex;
  (connection.last_pending == kNoIndex ? connection.first_pending : At(connection.last_pending).next) = index;
  connection.last_pending = index;
  ++connection.pending_count;
  return answer;
}

PendingAnswer& PendingAnswers::AddCommit(Connection& connection, const Manner& manner) {
  PendingAnswer& answer = Add(connection, Kind::kCommit, manner);
  answer.literal.clear();
  answer.further_types.clear();
  answer.bytes = 0;
  return answer;
}

void PendingAnswers::AddRefusal(Connection& connection, const Manner& manner, const Refusal& refusal) {
  PendingAnswer& answer = Add(connection, Kind::kRefusal, manner);
  answer.refusal = refusal;
  MarkReady(answer);
}

void PendingAnswers::AddLiteral(Connection& connection, const Manner& manner, std::string_view bytes) {
  PendingAnswer& answer = Add(connection, Kind::kLiteral, manner);
  answer.literal = bytes;
  MarkReady(answer);
}

void PendingAnswers::MarkReady(PendingAnswer& answer) {
  answer.ready = true;
  MarkDue(answer);
}

void PendingAnswers::MarkDue(const PendingAnswer& answer) {
  Connection& connection = connections_[answer.connection];
  WEIR_CHECK(connection.generation == answer.generation);
  if (connection.answer_due) return;
  connection.answer_due = true;
  due_.push_back(connection.slot);
}

std::size_t PendingAnswers::Complete(commit::Committed committed) {
  PendingAnswer& answer = At(committed.ticket.request);
  WEIR_CHECK(answer.kind == Kind::kCommit && !answer.ready &&
             answer.generation == committed.ticket.generation);
  answer.committed = std::move(committed);
  Count(answer);
  const std::size_t bytes = answer.bytes;
  if (answer.connection == kNoIndex) {
    Free(answer);
  } else {
    MarkReady(answer);
  }
  return bytes;
}

std::size_t PendingAnswers::Refuse(std::uint32_t index, const Refusal& refusal) {
  PendingAnswer& answer = At(index);
  WEIR_CHECK(answer.kind == Kind::kCommit && !answer.ready);
  const std::size_t bytes = answer.bytes;
  answer.probe->Refused(refusal.code, answer.manner.request_id, answer.received_us);
  if (answer.connection == kNoIndex) {
    Free(answer);
  } else {
    answer.kind = Kind::kRefusal;
    answer.refusal = refusal;
    MarkReady(answer);
  }
  return bytes;
}

void PendingAnswers::GiveUpWaiting() {
  for (const auto& block : blocks_) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      PendingAnswer& answer = block[i];
      if (answer.kind != Kind::kCommit || answer.ready || answer.overdue || answer.connection == kNoIndex)
        continue;
      answer.overdue = true;
      MarkDue(answer);
    }
  }
}

void PendingAnswers::Count(const PendingAnswer& answer) {
  const commit::Committed& committed = answer.committed;
  if (committed.unavailable) {
    answer.probe->Refused(observe::RejectionCode::kOverloaded, answer.manner.request_id, answer.received_us);
    return;
  }
  WEIR_CHECK_EQ(committed.further.size(), answer.further_types.size());
  CountEvent(answer, committed.first, answer.event_type);
  for (std::size_t i = 0; i < committed.further.size(); ++i)
    CountEvent(answer, committed.further[i], answer.further_types[i]);
  if (IsRefusedFor(answer)) {
    answer.probe->Refused(observe::RejectionCode::kIdConflict, answer.manner.request_id, answer.received_us);
  }
}

void PendingAnswers::CountEvent(const PendingAnswer& answer, const commit::EventResult& result,
                                std::string_view type) {
  switch (result.outcome) {
    case commit::CommitOutcome::kStored:
      answer.probe->Received(type);
      break;
    case commit::CommitOutcome::kDuplicate:
      answer.probe->duplicates.Add(1);
      answer.probe->last_duplicate.Set(static_cast<std::int64_t>(result.sequence));
      break;
    case commit::CommitOutcome::kConflict:
      answer.probe->conflicts.Add(1);
      break;
    case commit::CommitOutcome::kSuperseded:
    case commit::CommitOutcome::kUnavailable:
      return;
  }
  answer.probe->last_received_us.Set(answer.received_us);
}

bool PendingAnswers::HasReady(const Connection& connection) {
  if (connection.first_pending == kNoIndex) return false;
  const PendingAnswer& first = At(connection.first_pending);
  return first.ready || first.overdue;
}

void PendingAnswers::WriteReady(Connection& connection, const Moment& now, std::string& out) {
  while (HasReady(connection)) {
    PendingAnswer& answer = At(connection.first_pending);
    WEIR_CHECK(answer.connection == connection.slot && answer.generation == connection.generation);
    Write(answer, now, out);
    connection.first_pending = answer.next;
    if (answer.next == kNoIndex) connection.last_pending = kNoIndex;
    --connection.pending_count;
    if (answer.ready) {
      Free(answer);
    } else {
      answer.connection = kNoIndex;  // the committer's to free
    }
  }
}

void PendingAnswers::Write(const PendingAnswer& answer, const Moment& now, std::string& out) {
  switch (answer.kind) {
    case Kind::kFree:
      WEIR_CHECK(false && "a freed answer is owed");
      return;
    case Kind::kRefusal:
      return writer_.WriteRefusal(out, answer.manner, answer.refusal);
    case Kind::kLiteral:
      out.append(answer.literal);
      return;
    case Kind::kCommit:
      break;
  }
  if (!answer.ready) {
    answer.probe->Refused(observe::RejectionCode::kOverloaded, answer.manner.request_id, answer.received_us);
    return writer_.WriteRefusal(out, answer.manner, RefusalFor(observe::RejectionCode::kOverloaded));
  }
  const commit::Committed& committed = answer.committed;
  if (committed.unavailable) {
    return writer_.WriteRefusal(out, answer.manner, RefusalFor(observe::RejectionCode::kOverloaded));
  }
  if (IsRefusedFor(answer)) {
    return writer_.WriteRefusal(out, answer.manner, RefusalFor(observe::RejectionCode::kIdConflict));
  }
  // A success is only ever about an event that is in the log.
  WEIR_CHECK_GT(committed.first.sequence, storage::kNoSequence);
  WEIR_CHECK_GE(committed.rests_on, committed.first.sequence);
  if (!answer.literal.empty()) {
    out.append(answer.literal);
  } else if (committed.Count(commit::CommitOutcome::kStored) > 0) {
    writer_.WriteAccepted(out, answer.manner, answer.event_id, committed.first.sequence);
  } else {
    writer_.WriteDuplicate(out, answer.manner, answer.event_id, committed.first.sequence);
  }
  answer.probe->duration_ns.Record(
      static_cast<std::uint64_t>(std::max<std::int64_t>(now.monotonic_ns - answer.received_ns, 0)));
}

void PendingAnswers::CloseAfterLast(Connection& connection) {
  if (connection.last_pending != kNoIndex) At(connection.last_pending).manner.close = true;
}

void PendingAnswers::Abandon(Connection& connection) {
  while (connection.first_pending != kNoIndex) {
    PendingAnswer& answer = At(connection.first_pending);
    connection.first_pending = answer.next;
    if (answer.ready) {
      Free(answer);
    } else {
      answer.connection = kNoIndex;
    }
  }
  connection.last_pending = kNoIndex;
  connection.pending_count = 0;
}

void PendingAnswers::Free(PendingAnswer& answer) {
  answer.kind = Kind::kFree;
  free_.push_back(answer.index);
}

}  // namespace weir::ingest
