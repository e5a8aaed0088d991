#include "engine/source/explanation.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <variant>

#include "engine/http/response_writer.h"
#include "engine/source/scheme.h"
#include "engine/source/timestamp.h"
#include "engine/source/verifier.h"

namespace weir::source {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
// Ids of events are made up from it where there is none; nothing that is said here depends on them.
constexpr std::uint64_t kSeed = 1;

bool IsStale(const Verdict& verdict) {
  const auto* rejected = std::get_if<Rejected>(&verdict);
  return rejected != nullptr && rejected->reason == RejectReason::kStaleTimestamp;
}

// Refused although the signature holds and the time does: nothing about secret, body or clock is the cause.
bool LacksContract(const Verdict& verdict) {
  const auto* rejected = std::get_if<Rejected>(&verdict);
  return rejected != nullptr && (rejected->reason == RejectReason::kMissingField ||
                                 rejected->reason == RejectReason::kMalformedPayload);
}

// Whether the signature holds, whatever the clock and the rest of the contract say.
bool Matches(const Verdict& verdict, bool keeps_time) {
  return !std::holds_alternative<Rejected>(verdict) ||
         (keeps_time && (LacksContract(verdict) || IsStale(verdict)));
}

// Of several signatures "expected" and "received" are equal of one, so that the secret is right and something beside it
// is not. Of one alone it only looks so: what is shown of both is their beginning.
bool AnySignatureMatches(const std::vector<SignedView>& views) {
  std::size_t received = 0;
  for (const SignedView& view : views) received += view.received.size();
  if (received < 2) return false;
  return std::ranges::any_of(views, [](const SignedView& view) {
    return std::ranges::any_of(view.expected, [&view](const ExpectedSignature& expected) {
      return std::ranges::find(view.received, expected.masked) != view.received.end();
    });
  });
}

// Of a signature that was cut on its way both beginnings are alike, and the lengths are not.
std::string CutSignature(const std::vector<SignedView>& views) {
  for (const SignedView& view : views) {
    for (const ExpectedSignature& expected : view.expected) {
      const std::size_t shown = expected.masked.find("… (");
      if (shown == std::string::npos) continue;
      for (const std::string& received : view.received) {
        if (received == expected.masked || received.substr(0, shown) != expected.masked.substr(0, shown))
          continue;
        return "The signature begins as the expected one does and is of another length: " + received +
               " instead of " + expected.masked + ". It was cut or something was appended on its way.";
      }
    }
  }
  return {};
}

std::string CauseOf(const Rejected& rejected, const std::vector<SignedView>& views, const Scheme& scheme) {
  const std::string detail = rejected.detail.empty() ? std::string() : ": " + rejected.detail + ".";
  switch (rejected.reason) {
    case RejectReason::kMissingSignature:
      return "What has to be verified is not there" + detail;
    case RejectReason::kMalformedSignature:
      if (std::string cut = CutSignature(views); !cut.empty()) return cut;
      return "What has to be verified cannot be read" + detail;
    case RejectReason::kInvalidSignature:
      if (!detail.empty()) return "Not the signature alone decides" + detail;
      if (AnySignatureMatches(views))
        return "One signature matches, and another one of the request does not.";
      if (std::string cut = CutSignature(views); !cut.empty()) return cut;
      // Which of several is looked at is what the request's own fields say, and they may be wrong.
      if (scheme.proofs.size() > 1) {
        return "No usual mistake makes it match: another secret, another of this kind's signatures than its "
               "fields name, a body that was changed on its way, or not from this sender.";
      }
      return "No usual mistake makes it match: another secret, a body that was changed on its way, or not "
             "from this "
             "sender.";
    case RejectReason::kStaleTimestamp:
      return "The signature matches; the time does not.";
    case RejectReason::kUnsupportedEncoding:
      return "The signature is over the body as sent, and weir decodes none" + detail;
    case RejectReason::kMethodNotAllowed:
      return "A sender of this kind does not use this method.";
    case RejectReason::kKeyUnavailable:
      return "The key that it was signed with is not configured" + detail;
    case RejectReason::kMissingField:
      return "The signature matches; the sender's contract wants more" + detail;
    case RejectReason::kMalformedPayload:
      return "The signature matches; the payload is not what this sender sends" + detail;
  }
  return {};
}

std::string ToleranceText(const Source& source) {
  if (source.tolerance_s != kKindTolerance) return std::to_string(source.tolerance_s) + " s";
  for (const Proof& proof : source.scheme->proofs) {
    if (proof.jwt && proof.jwt->max_age_s > 0) {
      return std::to_string(proof.jwt->max_age_s) + " s from its iat on";
    }
    if (proof.timestamp) {
      return std::to_string(proof.timestamp->past_s) + " s back and " +
             std::to_string(proof.timestamp->future_s) + " s ahead";
    }
  }
  return "what the token says";
}

Finding ClockFinding(const Source& source, const std::vector<SignedView>& views, std::int64_t now_us) {
  std::string text = "The signature matches; the time does not. ";
  const std::string received = "received at " + FormatTimestamp(now_us / kMicros, TimeUnit::kRfc3339);
  const auto dated =
      std::ranges::find_if(views, [](const SignedView& view) { return view.signed_at_us.has_value(); });
  if (dated == views.end()) {
    text += "It was " + received;
  } else {
    const std::int64_t age_s = now_us / kMicros - *dated->signed_at_us / kMicros;
    text += "It was signed at " + FormatTimestamp(*dated->signed_at_us / kMicros, TimeUnit::kRfc3339) +
            " and " + received + ", " + std::to_string(std::abs(age_s)) +
            (age_s >= 0 ? " s later" : " s earlier");
  }
  return {.mistake = Mistake::kClock, .text = text + "; the tolerance is " + ToleranceText(source) + "."};
}

void Describe(const Source& source, const Verdict& verdict, Explanation& explanation) {
  if (const auto* rejected = std::get_if<Rejected>(&verdict)) {
    explanation.verdict = RejectCode(rejected->reason);
    explanation.status = rejected->status;
    return;
  }
  const auto* accepted = std::get_if<Accepted>(&verdict);
  const std::string_view malformed =
      accepted != nullptr ? MalformedAndRejected(source, *accepted) : std::string_view();
  if (!malformed.empty()) {
    explanation.verdict = RejectCode(RejectReason::kMalformedPayload);
    explanation.status = 400;
    explanation.secret = accepted->secret_index;
    explanation.cause =
        "The signature matches; on_malformed = \"reject\" refuses the event: " + std::string(malformed) + ".";
    return;
  }
  explanation.authentic = true;
  explanation.verdict = "handshake";
  if (accepted != nullptr) {
    explanation.verdict = "accepted";
    explanation.secret = accepted->secret_index;
  }
}

// What is answered before a signature is looked at.
std::optional<http::ErrorAnswer> RefusedUnread(const Source& source, const CapturedRequest& request) {
  if (request.fault) {
    http::ErrorAnswer answer = http::AnswerTo(request.fault->error);
    answer.message = request.fault->detail;
    return answer;
  }
  if (request.body.size() <= source.body_bytes_max) return std::nullopt;
  return http::AnswerTo(http::ParseError::kBodyTooLarge);
}

}  // namespace

Explanation Explain(const Source& source, std::span<const Source> configured, const CapturedRequest& request,
                    std::int64_t now_us) {
  Verifier verifier(kSeed);
  Source own = CopyOf(source);  // without an epoch, so that every trial's secrets are keyed anew
  const CapturedView view(request);
  Explanation explanation;
  if (const auto refusal = RefusedUnread(source, request)) {
    explanation.verdict = refusal->code;
    explanation.status = refusal->status;
    explanation.cause = refusal->message;
    return explanation;
  }
  const Verdict verdict = verifier.Verify(own, view.request(), now_us);
  Describe(own, verdict, explanation);
  const bool stale = IsStale(verdict);
  explanation.proofs = ViewSigned(own, view.request());
  if (explanation.authentic || !std::holds_alternative<Rejected>(verdict)) return explanation;
  explanation.cause = CauseOf(std::get<Rejected>(verdict), explanation.proofs, *own.scheme);
  const auto* rejected = std::get_if<Rejected>(&verdict);
  if (request.cut_short && rejected->reason == RejectReason::kInvalidSignature) {
    explanation.cause = "The capture has less of the body than was sent, so that no signature of it matches.";
    return explanation;
  }
  if (LacksContract(verdict)) return explanation;

  std::array<bool, kMistakes> found{};
  const auto take = [&](const Trial& trial) {
    bool& known = found[static_cast<std::size_t>(trial.mistake)];
    if (known) return true;
    const CapturedView changed(trial.request);
    const Verdict outcome = verifier.Verify(trial.source, changed.request(), now_us);
    if (!Matches(outcome, trial.keeps_time)) return true;
    known = true;
    std::string text = "Matches if " + trial.says + ".";
    if (IsStale(outcome)) text += " Its time would still be outside the tolerance.";
    explanation.findings.push_back({.mistake = trial.mistake, .text = std::move(text)});
    return true;
  };
  if (stale) {
    // What matches already needs no other secret and no other body.
    ForEachTrial(own, {}, request,
                 [&](const Trial& trial) { return trial.mistake == Mistake::kClock && take(trial); });
    if (explanation.findings.empty()) {
      explanation.findings.push_back(ClockFinding(own, explanation.proofs, now_us));
    }
    return explanation;
  }
  ForEachTrial(own, configured, request, take);
  return explanation;
}

}  // namespace weir::source
