#include "engine/source/verifier.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/source/content_coding.h"
#include "engine/source/event_reader.h"
#include "engine/source/handshake.h"
#include "engine/source/key_ring.h"
#include "engine/source/proof_check.h"
#include "engine/source/request_values.h"
#include "engine/source/signed_text.h"

namespace weir::source {
namespace {

constexpr std::string_view kUnanswerable = "the answer to this needs something that is not in the request: ";

int StatusOf(RejectReason reason, const Scheme& scheme) {
  switch (reason) {
    case RejectReason::kMissingSignature:
    case RejectReason::kMalformedSignature:
    case RejectReason::kInvalidSignature:
      return scheme.invalid_status;
    case RejectReason::kStaleTimestamp:
    case RejectReason::kMissingField:
    case RejectReason::kMalformedPayload:
      return scheme.stale_status;  // of what is authentic and refused all the same
    case RejectReason::kUnsupportedEncoding:
      return 415;
    case RejectReason::kMethodNotAllowed:
      return 405;
    case RejectReason::kKeyUnavailable:
      return 503;
  }
  return 401;
}

// Not inlined: nobody waits for a refusal, and GCC 12 takes the move of a short string it sees through for one out
// of bounds.
[[gnu::noinline]] Rejected Reject(RejectReason reason, const Scheme& scheme, std::string detail = {}) {
  return {.reason = reason,
          .status = StatusOf(reason, scheme),
          .without_body = scheme.rejected_without_body,
          .detail = std::move(detail)};
}

bool MethodAllowed(const Scheme& scheme, http::Method method) {
  return Delivers(scheme, method) ||
         std::ranges::any_of(scheme.handshakes, [method](const auto& rule) { return rule.method == method; });
}

// The body as it came is the body that is meant.
bool IsPlain(const http::Request& request) {
  return std::ranges::all_of(request.fields(), [](const http::Field& field) {
    return !http::EqualsIgnoreCase(field.name, "content-encoding") || NamesNoCoding(field.value);
  });
}

// What the sender's own library would not have sent or taken, though the signature is right. Empty: nothing.
std::string MalformedPayload(const Scheme& scheme, const RequestValues& values) {
  if (scheme.body_required && values.request().body.empty()) return "the body is empty";
  if (scheme.content_types.empty()) return {};
  const Found type = values.Header("content-type");
  const bool allowed = type.state == Found::State::kValue &&
                       std::ranges::any_of(scheme.content_types, [&type](const auto& essence) {
                         return IsMediaType(type.value, essence);
                       });
  return allowed ? std::string() : "header content-type is not one that this kind sends";
}

std::string MissingField(const FieldRule& rule) {
  return "header " + rule.name +
         (rule.value.empty() ? " is missing" : " is missing or is not \"" + rule.value + '"');
}

// Nothing is wrong with a signature that nobody can check yet: the sender is to try again once it has handed
// over its secret.
RejectReason WithKeys(const Source& source, RejectReason reason) {
  const bool waits = source.secrets.empty() && TakesSecretByHandshake(*source.scheme);
  return waits && reason == RejectReason::kInvalidSignature ? RejectReason::kKeyUnavailable : reason;
}

// The most telling of several reasons: a proof that was there and failed says more than one that was not
// there.
int Weight(RejectReason reason) {
  switch (reason) {
    case RejectReason::kMissingSignature:
      return 0;
    case RejectReason::kMalformedSignature:
      return 1;
    case RejectReason::kInvalidSignature:
      return 2;
    default:
      return 3;
  }
}

// What keeps a request that looks like a handshake from being answered.
std::string FailedGuard(const HandshakeRule& rule, const Source& source) {
  const std::string parameter = "the parameter " + rule.guard_parameter + " of this source";
  const std::string handshake = rule.name.empty() ? std::string() : " (" + rule.name + ')';
  return ParameterOf(source, rule.guard_parameter).empty()
             ? "a handshake" + handshake + " is answered only once " + parameter + " is set"
             : "a handshake" + handshake + " is answered only where " + ToString(*rule.guarded) + " is " +
                   parameter;
}

std::string OtherProof(const Proof& proof) {
  std::string text = "the signature's kind is not one that is taken:";
  for (const FieldRule& rule : proof.select) text += " header " + rule.name;
  return text;
}

}  // namespace

std::string_view RejectCode(RejectReason reason) {
  switch (reason) {
    case RejectReason::kMissingSignature:
      return "missing_signature";
    case RejectReason::kMalformedSignature:
      return "malformed_signature";
    case RejectReason::kInvalidSignature:
      return "invalid_signature";
    case RejectReason::kStaleTimestamp:
      return "stale_timestamp";
    case RejectReason::kUnsupportedEncoding:
      return "unsupported_encoding";
    case RejectReason::kMethodNotAllowed:
      return "method_not_allowed";
    case RejectReason::kKeyUnavailable:
      return "key_unavailable";
    case RejectReason::kMissingField:
      return "missing_field";
    case RejectReason::kMalformedPayload:
      return "malformed_payload";
  }
  return {};
}

struct Verifier::State {
  explicit State(std::uint64_t seed) : events(seed) {}

  struct Proven {
    ProofResult result;
    const Proof* proof = nullptr;
  };
  Proven Prove(const Source& source);
  Verdict AfterProof(const Source& source, const Proven& proven, std::int64_t now_us);

  KeyRing keys;
  RequestValues values;
  ProofChecker checker;
  EventReader events;
};

Verifier::State::Proven Verifier::State::Prove(const Source& source) {
  const Scheme& scheme = *source.scheme;
  const KeyedSource& keyed = keys.For(source);
  Proven proven;
  proven.result.refused = RejectReason::kMissingSignature;
  for (std::size_t i = 0; i < scheme.proofs.size(); ++i) {
    const Proof& proof = scheme.proofs[i];
    const bool last = i + 1 == scheme.proofs.size();
    const Fit fit = FitOf(proof, values);
    // When nothing else was tried, the last one says what is missing.
    if (fit == Fit::kUnsigned && !scheme.any_proof && !(last && proven.proof == nullptr)) continue;
    ProofResult result;
    if (fit == Fit::kOther) {
      result.refused = RejectReason::kMalformedSignature;
      result.detail = OtherProof(proof);
    } else {
      result = checker.Check(source, i, keyed, values);
    }
    const bool held = !result.refused;
    const bool tells_more =
        held || proven.proof == nullptr || Weight(*result.refused) > Weight(*proven.result.refused);
    if (tells_more) proven = {std::move(result), &proof};
    if (held || (!scheme.any_proof && fit == Fit::kOwn)) break;
  }
  return proven;
}

Verdict Verifier::State::AfterProof(const Source& source, const Proven& proven, std::int64_t now_us) {
  const Scheme& scheme = *source.scheme;
  const KeyedSecret* key = proven.result.key;
  if (key != nullptr && !key->validity.Includes(now_us / 1'000'000)) {
    return Reject(RejectReason::kInvalidSignature, scheme,
                  now_us / 1'000'000 < key->validity.from_s
                      ? "its certificate does not hold yet; is this machine's clock behind?"
                      : "its certificate does not hold any more; the sender has a newer one");
  }
  if (key != nullptr && !key->vouched_for) {
    return Reject(RejectReason::kInvalidSignature, scheme,
                  "its certificate does not lead to an authority of this machine; `weir check` says why");
  }
  if (!checker.IsTimely(source, *proven.proof, proven.result, now_us)) {
    return Reject(RejectReason::kStaleTimestamp, scheme);
  }
  if (const FieldRule* missing = FirstMissing(proven.proof->required, values)) {
    return Reject(RejectReason::kMissingField, scheme, MissingField(*missing));
  }
  if (std::string fault = MalformedPayload(scheme, values); !fault.empty()) {
    return Reject(RejectReason::kMalformedPayload, scheme, std::move(fault));
  }
  if (const http::Field* broken = values.UseEncodedFields(scheme.encoded_fields)) {
    return Reject(RejectReason::kMalformedPayload, scheme,
                  "header " + std::string(broken->name) +
                      " is no text: percent-encoded UTF-8 without control characters");
  }
  values.UsePayloadField(scheme.event.payload_form_field);
  if (const HandshakeRule* rule = FindHandshake(source, true, values)) {
    if (auto answer = AnswerHandshake(*rule, source, proven.result.key, values)) return *std::move(answer);
    return Reject(RejectReason::kMalformedPayload, scheme, std::string(kUnanswerable) + rule->name);
  }
  if (!Delivers(scheme, values.request().method)) {
    return Reject(RejectReason::kMethodNotAllowed, scheme);
  }
  auto& read = events.Read(source, *proven.proof, values);
  if (events.too_many()) {
    return Reject(RejectReason::kMalformedPayload, scheme,
                  "its batch holds more than " + std::to_string(limits::kEventsPerRequestMax) + " events");
  }
  return Accepted{.events = &read,
                  .secret_index = proven.result.secret_index,
                  .status = scheme.accepted.status,
                  .content_type = scheme.accepted.content_type,
                  .reply = scheme.accepted.body};
}

std::string_view MalformedAndRejected(const Source& source, const Accepted& accepted) {
  if (!source.reject_malformed) return {};
  const auto malformed = std::ranges::find_if(
      *accepted.events, [](const VerifiedEvent& event) { return !event.malformed.empty(); });
  return malformed == accepted.events->end() ? std::string_view() : malformed->malformed;
}

Verifier::Verifier(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}
Verifier::~Verifier() = default;

Verdict Verifier::Verify(const Source& source, const http::Request& request, std::int64_t now_us) {
  const Scheme& scheme = *source.scheme;
  RequestValues& values = state_->values;
  values.Begin(request);
  if (!MethodAllowed(scheme, request.method)) return Reject(RejectReason::kMethodNotAllowed, scheme);
  if (!IsPlain(request)) {
    return Reject(RejectReason::kUnsupportedEncoding, scheme, "header content-encoding names a coding");
  }
  if (const HandshakeRule* rule = FindHandshake(source, false, values); rule != nullptr) {
    if (!GuardHolds(*rule, source, values)) {
      Rejected rejected = Reject(RejectReason::kInvalidSignature, scheme, FailedGuard(*rule, source));
      if (rule->refused_status != 0) rejected.status = rule->refused_status;
      return rejected;
    }
    if (auto answer = AnswerHandshake(*rule, source, nullptr, values)) return *std::move(answer);
    return Reject(RejectReason::kMalformedPayload, scheme, std::string(kUnanswerable) + rule->name);
  }
  State::Proven proven = state_->Prove(source);
  if (proven.result.refused) {
    return Reject(WithKeys(source, *proven.result.refused), scheme, std::move(proven.result.detail));
  }
  return state_->AfterProof(source, proven, now_us);
}

void Verifier::Retain(const SourceTable& table) {
  state_->keys.Retain(table);
}

}  // namespace weir::source
