// What an operator lets in, committed like any other event: a request of the quarantine, verified once more by the
// configuration in force and as of the time it came in; or an event that lies where nobody can deliver it, under an
// id and a type of the operator's choice.
//
// The event's place and time in the log are those of the admission; dedupe decides as ever.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "engine/commit/queues.h"
#include "engine/ingest/gate.h"
#include "engine/ingest/handover.h"
#include "engine/io/wake.h"
#include "engine/quarantine/entry.h"
#include "engine/source/verifier.h"
#include "storage/event.h"

namespace weir::ingest {

struct Readmitted {
  std::string event_id;  // of the first event
  storage::Sequence sequence = storage::kNoSequence;
  std::uint64_t stored = 0;      // events that were new
  std::uint64_t duplicates = 0;  // that were there already
  std::uint64_t conflicts = 0;   // that brought other bytes under a known id
};

class Readmission {
 public:
  struct Wiring {
    std::uint16_t shard;  // whose acknowledgements are this one's: past the last real one
    commit::AppendQueue& appends;
    Gate& gate;
    std::shared_ptr<const source::SourceTable> sources;
    std::uint64_t seed;
  };

  explicit Readmission(const Wiring& wiring);

  commit::AckQueue& acks() { return acks_; }

  // All functions: any thread, one at a time.
  void UseSources(std::shared_ptr<const source::SourceTable> sources);
  // Nothing is admitted any more. Before the committer stops.
  void Close();

  enum class Mode : bool { kVerify, kCommit };  // kVerify: only whether it would be admitted
  // The error says why not. Waits for the commit.
  std::expected<Readmitted, std::string> Admit(const quarantine::Entry& entry, Mode mode);
  // `event` in the place of a dead letter or a kept conflict, which goes in the same commit.
  std::expected<Readmitted, std::string> Admit(const storage::Event& event, std::int64_t dedupe_window_us,
                                               const storage::Superseded& instead_of);

 private:
  std::expected<Readmitted, std::string> Commit(std::span<const storage::Event> events,
                                                const Handover::Terms& terms);
  bool AwaitCommit(std::uint32_t request, commit::Committed& committed);

  Gate& gate_;
  io::EventfdWake wake_;
  commit::AckQueue acks_{wake_};
  std::mutex mutex_;
  bool closed_ = false;
  std::shared_ptr<const source::SourceTable> sources_;
  source::Verifier verifier_;
  Handover handover_;
  std::uint32_t requests_ = 0;
};

}  // namespace weir::ingest
