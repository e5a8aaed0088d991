// One request -> an event on its way to the log, or an answer. Every request ends in exactly one pending
// answer:
//
//   head   -> Admit  -> for whom, or a refusal before the body is read
//   whole  -> Handle -> verified -> encoded for the committer, answered by its acknowledgement
//                    -> refused or a handshake -> answered now
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/config.h"
#include "engine/http/request.h"
#include "engine/ingest/answer_writer.h"
#include "engine/ingest/connection.h"
#include "engine/ingest/gate.h"
#include "engine/ingest/handover.h"
#include "engine/ingest/inflight_bytes.h"
#include "engine/ingest/keep_secret.h"
#include "engine/ingest/moment.h"
#include "engine/ingest/partial_request.h"
#include "engine/ingest/pending_answers.h"
#include "engine/ingest/refusal.h"
#include "engine/quarantine/quarantine.h"
#include "engine/source/verifier.h"

namespace weir::ingest {

class Intake {
 public:
  struct Wiring {
    Gate& gate;
    observe::ShardProbe& probe;
    PendingAnswers& answers;
    AnswerWriter& writer;
    Handover& handover;
    quarantine::Quarantine* quarantine = nullptr;  // nullptr: no refused request is kept
    InflightBytes& inflight;
    std::size_t inflight_bytes_max;
    std::uint64_t seed;
    KeepSecret keep_secret = {};  // none: nobody can hand over a secret
  };
  struct Admission {
    Target target;
    std::optional<Refusal> refusal;
  };

  Intake(const Wiring& wiring, std::shared_ptr<const source::SourceTable> sources);

  // From the head alone.
  Admission Admit(const http::Request& request) const;
  // A request with its body, admitted for `target`.
  void Handle(Connection& connection, const Target& target, const http::Request& request, const Moment& now);
  // The refused request's answer is the last of its connection when `close` is set. `probe` may be null: the request was
  // not admitted, and counts for the source that its path names, if there is one. Returns the id that the answer bears.
  std::uint64_t Refuse(Connection& connection, const http::Request& request, observe::SourceProbe* probe,
                       const Refusal& refusal, bool close, std::string_view detail = {});
  // 100 (Continue): only once the request was admitted.
  void InviteBody(Connection& connection);

  void UseSources(std::shared_ptr<const source::SourceTable> sources);
  const std::shared_ptr<const ActiveSources>& sources() const { return sources_; }
  // From now on every answer is the last of its connection.
  void Drain() { draining_ = true; }

 private:
  std::optional<observe::RejectionCode> KeepSecret(const source::Source& source, std::string_view secret);
  observe::SourceProbe& ProbeOf(const http::Request& request) const;
  Manner MannerOf(const http::Request& request, bool close);
  void AnswerOptions(Connection& connection, const Manner& manner);
  void AnswerHealth(Connection& connection, const Manner& manner);
  void Answer(Connection& connection, const Manner& manner, const source::Handshake& handshake);
  void Keep(const Target& target, const http::Request& request, const source::Rejected& rejected,
            std::uint64_t request_id, const Moment& now);
  void Accept(Connection& connection, const Manner& manner, const Target& target,
              const http::Request& request, const source::Accepted& accepted, const Moment& now);
  std::string_view RenderPrescribed(const Manner& manner, const source::Accepted& accepted);

  Gate& gate_;
  observe::ShardProbe& probe_;
  observe::SourceProbe& unknown_;  // counts what was refused and names no source
  PendingAnswers& answers_;
  AnswerWriter& writer_;
  Handover& handover_;
  quarantine::Quarantine* quarantine_;
  InflightBytes& inflight_;
  std::int64_t inflight_bytes_max_;
  ingest::KeepSecret keep_secret_;
  source::Verifier verifier_;
  std::shared_ptr<const ActiveSources> sources_;
  std::uint64_t next_request_id_;
  bool draining_ = false;
  std::vector<storage::Event> events_;  // reused
  std::string scratch_;                 // reused
  std::string headers_;                 // of an event whose body is not the request's
};

}  // namespace weir::ingest
