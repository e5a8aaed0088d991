#include "engine/ingest/intake.h"

#include <algorithm>
#include <new>
#include <utility>
#include <variant>

#include "engine/ingest/admission.h"
#include "engine/ingest/route.h"
#include "engine/ingest/stored_event.h"
#include "engine/limits.h"
#include "engine/observe/log.h"
#include "engine/source/scheme.h"
#include "storage/check.h"

namespace weir::ingest {
namespace {

using observe::RejectionCode;

// What a source may be asked with: some senders shake hands with GET, HEAD or OPTIONS.
bool MayReachSource(const source::Source& source, http::Method method) {
  switch (method) {
    case http::Method::kPost:
    case http::Method::kGet:
    case http::Method::kHead:
    case http::Method::kOptions:
      return true;
    case http::Method::kPut:
    case http::Method::kPatch:
    case http::Method::kDelete:
      return source::Delivers(*source.scheme, method);
    case http::Method::kOther:
      return false;
  }
  return false;
}

// The header block of a body that the sender has packed into another one (a form's payload).
void ReplaceContentType(std::string& out, std::string_view block, std::string_view content_type) {
  constexpr std::string_view kName = "Content-Type:";
  constexpr std::string_view kLineEnd = "\r\n";
  out.clear();
  while (!block.empty()) {
    const std::size_t end = block.find(kLineEnd);
    const std::size_t line = end == std::string_view::npos ? block.size() : end + kLineEnd.size();
    if (!http::EqualsIgnoreCase(block.substr(0, kName.size()), kName)) out += block.substr(0, line);
    block.remove_prefix(line);
  }
  out.append(kName).append(" ").append(content_type).append(kLineEnd);
}

Refusal HealthMethodNotAllowed() {
  Refusal refusal = RefusalFor(RejectionCode::kMethodNotAllowed);
  refusal.allow = "GET, HEAD";
  return refusal;
}

}  // namespace

Intake::Intake(const Wiring& wiring, std::shared_ptr<const source::SourceTable> sources)
    : gate_(wiring.gate),
      probe_(wiring.probe),
      unknown_(wiring.probe.ForSource("")),
      answers_(wiring.answers),
      writer_(wiring.writer),
      handover_(wiring.handover),
      quarantine_(wiring.quarantine),
      inflight_(wiring.inflight),
      inflight_bytes_max_(static_cast<std::int64_t>(wiring.inflight_bytes_max)),
      keep_secret_(wiring.keep_secret),
      verifier_(wiring.seed),
      next_request_id_(wiring.seed) {
  UseSources(std::move(sources));
}

void Intake::UseSources(std::shared_ptr<const source::SourceTable> sources) {
  auto active = std::make_shared<ActiveSources>();
  for (const source::Source& source : sources->sources()) {
    if (active->counters.size() <= source.index) active->counters.resize(source.index + 1);
    SourceCounters& counters = active->counters[source.index];
    counters.probe = &probe_.ForSource(source.name);
    for (std::size_t i = 0; i < source.secrets.size(); ++i) {
      counters.secrets.push_back(&counters.probe->ForSecret(source::SecretName(source, i)));
    }
  }
  verifier_.Retain(*sources);
  active->table = std::move(sources);
  sources_ = std::move(active);
}

Intake::Admission Intake::Admit(const http::Request& request) const {
  std::string unescaped;
  const Route route = RouteOf(request, unescaped);
  switch (route.kind) {
    case Route::Kind::kUnknown:
      return {.target = {}, .refusal = RefusalFor(RejectionCode::kUnknownSource)};
    case Route::Kind::kServer:
      if (const auto code = CheckFraming(request, 0)) return {.target = {}, .refusal = RefusalFor(*code)};
      return {};
    case Route::Kind::kHealth:
      if (request.method != http::Method::kGet && request.method != http::Method::kHead) {
        return {.target = {}, .refusal = HealthMethodNotAllowed()};
      }
      if (const auto code = CheckFraming(request, 0)) return {.target = {}, .refusal = RefusalFor(*code)};
      return {};
    case Route::Kind::kSource:
      break;
  }
  const source::Source* source = sources_->table->Find(route.source);
  if (source == nullptr) return {.target = {}, .refusal = RefusalFor(RejectionCode::kUnknownSource)};
  const SourceCounters& counters = sources_->counters[source->index];
  Admission admission{.target = {.source = source, .probe = counters.probe, .secrets = counters.secrets},
                      .refusal = {}};
  if (!MayReachSource(*source, request.method)) {
    admission.refusal = RefusalFor(RejectionCode::kMethodNotAllowed);
    admission.refusal->allow = source::AllowedMethods(*source->scheme);
    return admission;
  }
  auto code = CheckFraming(request, source->body_bytes_max);
  if (!code && source::Delivers(*source->scheme, request.method)) {
    code = CheckLoad(request, {.storable = gate_.storable.load(std::memory_order_relaxed) &&
                                           !gate_.commit_overdue.load(std::memory_order_relaxed),
                               .inflight_bytes = inflight_.Current(),
                               .inflight_bytes_max = inflight_bytes_max_,
                               .disk_budget_bytes = gate_.disk_budget_bytes.load(std::memory_order_relaxed) -
                                                    static_cast<std::int64_t>(handover_.added_bytes()),
                               .appends_waiting = handover_.appends_waiting()});
  }
  if (code) admission.refusal = RefusalFor(*code);
  return admission;
}

Manner Intake::MannerOf(const http::Request& request, bool close) {
  return {.request_id = next_request_id_++,
          .close = close || draining_ || !request.keep_alive,
          .http10 = request.minor_version == 0,
          .head_only = request.method == http::Method::kHead};
}

void Intake::Handle(Connection& connection, const Target& target, const http::Request& request,
                    const Moment& now) {
  if (target.source == nullptr) {
    probe_.requests.Add();
    const Manner manner = MannerOf(request, false);
    if (manner.close) connection.state = Connection::State::kAnswering;
    return request.path == "*" ? AnswerOptions(connection, manner) : AnswerHealth(connection, manner);
  }
  const source::Verdict verdict = verifier_.Verify(*target.source, request, now.unix_us);
  if (const auto* rejected = std::get_if<source::Rejected>(&verdict)) {
    Refusal refusal = RefusalFor(*rejected);
    if (refusal.code == RejectionCode::kMethodNotAllowed) {
      refusal.allow = source::AllowedMethods(*target.source->scheme);
    }
    const std::uint64_t request_id =
        Refuse(connection, request, target.probe, refusal, false, rejected->detail);
    if (target.source->quarantine_bytes_max != 0) Keep(target, request, *rejected, request_id, now);
    return;
  }
  if (const auto* accepted = std::get_if<source::Accepted>(&verdict)) {
    WEIR_CHECK(accepted->events != nullptr);
    // A larger batch is refused when it is verified.
    WEIR_CHECK(accepted->events->size() <= limits::kEventsPerRequestMax);
    if (!source::MalformedAndRejected(*target.source, *accepted).empty()) {
      Refuse(connection, request, target.probe, RefusalFor(RejectionCode::kMalformedPayload), false);
      return;
    }
  }
  const auto* handshake = std::get_if<source::Handshake>(&verdict);
  if (handshake != nullptr && !handshake->captured_secret.empty()) {
    if (const auto refused = KeepSecret(*target.source, handshake->captured_secret)) {
      Refuse(connection, request, target.probe, RefusalFor(*refused), false);
      return;
    }
  }
  probe_.requests.Add();
  const Manner manner = MannerOf(request, false);
  if (manner.close) connection.state = Connection::State::kAnswering;
  if (handshake != nullptr) {
    target.probe->handshakes.Add();
    if (!handshake->confirm_url.empty()) {
      log::Warn("a sender asks for a URL to be visited, to confirm its subscription or to restore it",
                {{"source", target.source->name}, {"url", handshake->confirm_url}});
    }
    return Answer(connection, manner, *handshake);
  }
  Accept(connection, manner, target, request, std::get<source::Accepted>(verdict), now);
}

// The sender is told that its secret was taken only once it was.
std::optional<RejectionCode> Intake::KeepSecret(const source::Source& source, std::string_view secret) {
  const SecretKept kept = keep_secret_ ? keep_secret_(source.name, secret) : SecretKept::kFailed;
  switch (kept) {
    case SecretKept::kKept:
      return std::nullopt;
    case SecretKept::kTaken:
      return RejectionCode::kInvalidSignature;
    case SecretKept::kFailed:
      break;
  }
  return RejectionCode::kKeyUnavailable;
}

// Only what may carry an event. The copy is the whole price: the shard waits for nobody.
void Intake::Keep(const Target& target, const http::Request& request, const source::Rejected& rejected,
                  std::uint64_t request_id, const Moment& now) {
  if (quarantine_ == nullptr || !source::Delivers(*target.source->scheme, request.method)) return;
  const auto id = observe::RequestIdText(request_id);
  auto entry = std::make_unique<quarantine::Entry>(
      quarantine::Entry{.received_at_us = now.unix_us,
                        .source = target.source->name,
                        .reason = std::string(source::RejectCode(rejected.reason)),
                        .request_id = {id.data(), id.size()},
                        .method = std::string(request.method_text),
                        .target = std::string(request.target),
                        .headers = std::string(request.header_block),
                        .body = std::string(request.body)});
  const auto bytes = static_cast<std::int64_t>(entry->bytes());
  if (quarantine_->Offer(std::move(entry), target.source->quarantine_bytes_max)) {
    gate_.disk_budget_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  }
}

void Intake::Accept(Connection& connection, const Manner& manner, const Target& target,
                    const http::Request& request, const source::Accepted& accepted, const Moment& now) {
  if (accepted.secret_index < target.secrets.size()) {
    observe::SecretProbe& secret = *target.secrets[accepted.secret_index];
    secret.matched.Add();
    secret.last_matched_us.Set(now.unix_us);
  }
  if (accepted.events->empty()) {  // a batch of nothing is taken and has nothing to wait for
    target.probe->last_received_us.Set(now.unix_us);
    scratch_.clear();
    if (accepted.status == 0) {
      writer_.WriteAccepted(scratch_, manner, {}, storage::kNoSequence);
      return answers_.AddLiteral(connection, manner, scratch_);
    }
    return answers_.AddLiteral(connection, manner, RenderPrescribed(manner, accepted));
  }

  events_.clear();
  for (const source::VerifiedEvent& event : *accepted.events) {
    if (!event.content_type.empty()) ReplaceContentType(headers_, request.header_block, event.content_type);
    const std::string_view headers =
        event.content_type.empty() ? request.header_block : std::string_view(headers_);
    events_.push_back(ToStored(event, target.source->name, headers, now.unix_us));
  }
  PendingAnswer& answer = answers_.AddCommit(connection, manner);
  answer.probe = target.probe;
  answer.reject_conflicts = target.source->on_conflict == source::OnConflict::kReject;
  answer.received_ns = now.monotonic_ns;
  answer.received_us = now.unix_us;
  try {
    answer.event_id = events_.front().id;
    answer.event_type = events_.front().type;
    for (std::size_t i = 1; i < events_.size(); ++i) answer.further_types.emplace_back(events_[i].type);
    if (accepted.status != 0) answer.literal = RenderPrescribed(manner, accepted);
    answer.bytes = handover_.Add(
        {.slot = connection.slot, .generation = connection.generation, .request = answer.index}, events_,
        {.dedupe_window_us = target.source->dedupe_window_us, .keep_conflicts = !answer.reject_conflicts});
  } catch (const std::bad_alloc&) {
    answers_.Refuse(answer.index, RefusalFor(RejectionCode::kOverloaded));
    return;
  }
  inflight_.Charge(answer.bytes);
}

std::string_view Intake::RenderPrescribed(const Manner& manner, const source::Accepted& accepted) {
  scratch_.clear();
  writer_.WritePrescribed(scratch_, manner,
                          {.status = accepted.status,
                           .content_type = accepted.content_type,
                           .body = accepted.reply,
                           .stored = true});
  return scratch_;
}

observe::SourceProbe& Intake::ProbeOf(const http::Request& request) const {
  std::string unescaped;
  const Route route = RouteOf(request, unescaped);
  if (route.kind != Route::Kind::kSource) return unknown_;
  const source::Source* source = sources_->table->Find(route.source);
  return source == nullptr ? unknown_ : *sources_->counters[source->index].probe;
}

std::uint64_t Intake::Refuse(Connection& connection, const http::Request& request,
                             observe::SourceProbe* probe, const Refusal& refusal, bool close,
                             std::string_view detail) {
  probe_.requests.Add();
  observe::SourceProbe& counted = probe != nullptr ? *probe : ProbeOf(request);
  const Manner manner = MannerOf(request, close);
  if (manner.close) connection.state = Connection::State::kAnswering;
  answers_.AddRefusal(connection, manner, refusal);
  counted.Refused(refusal.code, manner.request_id, writer_.unix_s() * 1'000'000, detail);
  const auto request_id = observe::RequestIdText(manner.request_id);
  log::Debug("request refused", {{"source", std::string_view(counted.source)},
                                 {"code", refusal.name},
                                 {"status", refusal.status},
                                 {"detail", detail},
                                 {"correlation_id", std::string_view(request_id.data(), request_id.size())}});
  return manner.request_id;
}

void Intake::InviteBody(Connection& connection) {
  answers_.AddLiteral(connection, {}, AnswerWriter::kContinue);
}

// RFC 9110 §9.3.7: what the server as a whole can do, whatever a source makes of it.
void Intake::AnswerOptions(Connection& connection, const Manner& manner) {
  constexpr http::Field kAllow = {.name = "Allow", .value = "GET, HEAD, OPTIONS, POST"};
  scratch_.clear();
  writer_.WritePrescribed(scratch_, manner,
                          {.status = 204, .content_type = {}, .body = {}, .fields = std::span(&kAllow, 1)});
  answers_.AddLiteral(connection, manner, scratch_);
}

void Intake::AnswerHealth(Connection& connection, const Manner& manner) {
  scratch_.clear();
  writer_.WritePrescribed(
      scratch_, manner,
      {.status = 200, .content_type = "application/json", .body = R"({"status":"serving"})"});
  answers_.AddLiteral(connection, manner, scratch_);
}

void Intake::Answer(Connection& connection, const Manner& manner, const source::Handshake& handshake) {
  std::vector<http::Field> fields;
  fields.reserve(handshake.headers.size());
  for (const auto& [name, value] : handshake.headers) fields.push_back({.name = name, .value = value});
  scratch_.clear();
  writer_.WritePrescribed(scratch_, manner,
                          {.status = handshake.status,
                           .content_type = handshake.content_type,
                           .body = handshake.body,
                           .fields = fields});
  answers_.AddLiteral(connection, manner, scratch_);
}

}  // namespace weir::ingest
