#include "engine/source/proof_check.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/source/signature_field.h"
#include "engine/source/timestamp.h"

namespace weir::source {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

RejectReason ReasonOf(AssemblyFault fault) {
  return fault == AssemblyFault::kMissing ? RejectReason::kMissingSignature
                                          : RejectReason::kMalformedSignature;
}

// The field is compared or parsed as it is, not decoded.
bool IsReadAsText(Algorithm algorithm) {
  return algorithm == Algorithm::kToken || algorithm == Algorithm::kJwt;
}

bool IsPublic(Algorithm algorithm) {
  return algorithm == Algorithm::kEd25519 || algorithm == Algorithm::kEcdsaP256Sha256 ||
         algorithm == Algorithm::kRsaSha256;
}

// A timestamp inside the signed body is looked at only once the body is known to be authentic.
bool IsReadAfterwards(const Proof& proof) {
  return proof.timestamp->at.from == Location::From::kJson &&
         std::ranges::none_of(proof.signed_variants, [](const Template& variant) {
           return variant.Uses(Segment::Kind::kTimestamp);
         });
}

bool FieldHolds(const FieldRule& rule, const RequestValues& values) {
  const Found found = values.Header(rule.name);
  return found.state == Found::State::kValue && !found.value.empty() &&
         (rule.value.empty() || http::EqualsIgnoreCase(found.value, rule.value));
}

std::string_view UnitText(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return "Unix seconds";
    case TimeUnit::kMilliseconds:
      return "Unix milliseconds";
    case TimeUnit::kRfc3339:
      return "an RFC 3339 time";
  }
  return {};
}

}  // namespace

Fit FitOf(const Proof& proof, RequestValues& values) {
  if (!HasSignature(proof.signature, values)) return Fit::kUnsigned;
  Fit fit = Fit::kOwn;
  for (const FieldRule& rule : proof.select) {
    if (values.Header(rule.name).state == Found::State::kAbsent) {
      fit = Fit::kOpen;
    } else if (!FieldHolds(rule, values)) {
      return Fit::kOther;
    }
  }
  return fit;
}

const FieldRule* FirstMissing(const std::vector<FieldRule>& rules, const RequestValues& values) {
  const auto found =
      std::ranges::find_if(rules, [&values](const FieldRule& rule) { return !FieldHolds(rule, values); });
  return found == rules.end() ? nullptr : &*found;
}

ProofChecker::Refusal ProofChecker::Because(RejectReason reason, std::string detail) {
  detail_ = std::move(detail);
  return reason;
}

ProofChecker::Refusal ProofChecker::ReadTimestamp(const Proof& proof, RequestValues& values) {
  const Location& at = proof.timestamp->at;
  // What stands in a body that is known to be authentic is missing from the contract, not from the signature.
  const bool authentic = IsReadAfterwards(proof);
  const Found found = values.At(at);
  if (found.state == Found::State::kAbsent) {
    const RejectReason reason = at.from == Location::From::kHeader ? RejectReason::kMissingSignature
                                                                   : RejectReason::kMalformedSignature;
    return Because(authentic ? RejectReason::kMissingField : reason,
                   "the timestamp is missing: " + ToString(at));
  }
  timestamp_text_ = found.value;
  const bool wanted = found.state == Found::State::kValue &&
                      (!proof.timestamp->json_number || values.json().IsNumber(at.pointer));
  if (wanted) timestamp_us_ = ParseTimestamp(found.value, proof.timestamp->unit);
  if (timestamp_us_) return std::nullopt;
  return Because(
      authentic ? RejectReason::kMissingField : RejectReason::kMalformedSignature,
      "the timestamp is not " + std::string(UnitText(proof.timestamp->unit)) + ": " + ToString(at));
}

ProofChecker::Refusal ProofChecker::ReadSignature(const Proof& proof, RequestValues& values) {
  decoded_count_ = 0;
  switch (ReadSignatures(proof.signature, values, signatures_)) {
    case SignatureState::kMissing:
      return Because(RejectReason::kMissingSignature, "no signature in " + PlacesText(proof.signature));
    case SignatureState::kMalformed:
      return Because(RejectReason::kMalformedSignature,
                     "not of the form that this kind sends: " + PlacesText(proof.signature));
    case SignatureState::kPresent:
      break;
  }
  if (IsReadAsText(proof.algorithm)) return std::nullopt;
  for (const std::string_view text : signatures_) {
    if (decoded_count_ == decoded_.size()) decoded_.emplace_back();
    Decoded& decoded = decoded_[decoded_count_];
    const auto size = DecodeSignature(proof.signature, text, decoded.bytes);
    if (!size) continue;
    decoded.size = *size;
    ++decoded_count_;
  }
  if (decoded_count_ == 0) {
    return Because(RejectReason::kMalformedSignature, "cannot be decoded: " + PlacesText(proof.signature));
  }
  return std::nullopt;
}

std::string_view ProofChecker::Joined(std::string_view secret) {
  joined_.clear();
  for (const SignedPart& part : parts_) joined_ += part.is_secret ? secret : part.text;
  return joined_;
}

bool ProofChecker::MatchesDigest(const Digest& expected) const {
  bool any = false;
  for (std::size_t i = 0; i < decoded_count_; ++i) {
    any |= SameBytes(expected.view(), {decoded_[i].bytes.data(), decoded_[i].size});
  }
  return any;
}

// Hashes are compared, so that neither the contents nor the length of the secret shows in the time it takes.
bool ProofChecker::MatchesToken(std::string_view secret) const {
  const Digest expected = Sha256Of(secret);
  bool any = false;
  for (const std::string_view token : signatures_) any |= SameBytes(expected.view(), Sha256Of(token).view());
  return any;
}

bool ProofChecker::MatchesPublic(const PublicKey& key, const char* digest, std::string_view message) const {
  const std::size_t tried = std::min(decoded_count_, limits::kPublicKeyChecksPerRequestMax);
  for (std::size_t i = 0; i < tried; ++i) {
    if (key.Verify(digest, message, {decoded_[i].bytes.data(), decoded_[i].size})) return true;
  }
  return false;
}

bool ProofChecker::Matches(const Proof& proof, const SecretKey& key) {
  switch (proof.algorithm) {
    case Algorithm::kHmacSha1:
    case Algorithm::kHmacSha256:
    case Algorithm::kHmacSha384:
    case Algorithm::kHmacSha512: {
      const auto& hmac = std::get<HmacKey>(key);
      Hash message = hmac.Begin();
      for (const SignedPart& part : parts_) message.Update(part.text);
      return MatchesDigest(hmac.Finish(message));
    }
    case Algorithm::kSha256:
      return MatchesDigest(Sha256Of(Joined(std::get<SecretText>(key).view())));
    case Algorithm::kToken:
      return MatchesToken(std::get<SecretText>(key).view());
    case Algorithm::kBasic: {
      const std::string_view given(reinterpret_cast<const char*>(decoded_.front().bytes.data()),
                                   decoded_.front().size);
      return SameBytes(Sha256Of(std::get<SecretText>(key).view()).view(), Sha256Of(given).view());
    }
    case Algorithm::kEd25519:
      return MatchesPublic(std::get<PublicKey>(key), nullptr, Joined({}));
    case Algorithm::kEcdsaP256Sha256:
    case Algorithm::kRsaSha256:
      return MatchesPublic(std::get<PublicKey>(key), "SHA256", Joined({}));
    case Algorithm::kJwt:
      return false;
  }
  return false;
}

bool ProofChecker::AnyMatches(const Proof& proof, const Secrets& secrets, ProofResult& result) {
  bool any = false;
  for (const KeyedSecret& secret : secrets) {
    if (!Matches(proof, secret.key) || any) continue;
    any = true;
    result.secret_index = secret.index;
    result.key = &secret;
    if (IsPublic(proof.algorithm))
      break;  // nothing of a public key is secret, and each costs as much as the first
  }
  return any;
}

ProofChecker::Refusal ProofChecker::CheckTemplate(const Source& source, const Proof& proof,
                                                  const Secrets& secrets, RequestValues& values,
                                                  ProofResult& result) {
  if (proof.signed_variants.empty()) {  // a credential: the field is all there is
    return AnyMatches(proof, secrets, result) ? std::nullopt : Refusal(RejectReason::kInvalidSignature);
  }
  SignedInputs inputs{.source = source, .timestamp = timestamp_text_, .id = {}};
  if (proof.id) {
    const Found id = values.At(*proof.id);
    if (id.state == Found::State::kAbsent) {
      return Because(RejectReason::kMissingSignature,
                     "the id, which is signed, is missing: " + ToString(*proof.id));
    }
    if (id.state != Found::State::kValue) {
      return Because(RejectReason::kMalformedSignature,
                     "the id, which is signed, is there twice: " + ToString(*proof.id));
    }
    inputs.id = id.value;
  }
  for (const Template& variant : proof.signed_variants) {
    if (const AssemblyFault fault = AssembleSigned(variant, inputs, values, parts_);
        fault != AssemblyFault::kNone) {
      return Because(ReasonOf(fault), "something that is signed is not in the request: " + variant.text);
    }
    if (AnyMatches(proof, secrets, result)) return std::nullopt;
  }
  return RejectReason::kInvalidSignature;
}

ProofResult ProofChecker::Check(const Source& source, std::size_t index, const KeyedSource& keyed,
                                RequestValues& values) {
  const Proof& proof = source.scheme->proofs[index];
  ProofResult result;
  timestamp_text_ = {};
  timestamp_us_.reset();
  detail_.clear();
  const auto refused = [this, &result](const Refusal& refusal) {
    result.refused = refusal;
    if (refusal) result.detail = std::move(detail_);
    return refusal.has_value();
  };
  if (refused(ReadSignature(proof, values))) return result;
  const bool afterwards = proof.timestamp && IsReadAfterwards(proof);
  if (proof.timestamp && !afterwards && refused(ReadTimestamp(proof, values))) return result;
  if (refused(CheckProcedure(source, proof, keyed, keyed.proofs[index], values, result))) return result;
  if (afterwards && refused(ReadTimestamp(proof, values))) return result;
  result.signed_at_us = timestamp_us_;
  return result;
}

bool ProofChecker::IsTimely(const Source& source, const Proof& proof, const ProofResult& result,
                            std::int64_t now_us) const {
  const bool own = source.tolerance_s == kKindTolerance;
  if (proof.jwt) return jwt_.IsTimely(*proof.jwt, source.tolerance_s, now_us);
  if (!proof.timestamp || !result.signed_at_us || (own && !proof.timestamp->bounded)) return true;
  const TimestampRule& rule = *proof.timestamp;
  const std::int64_t past_us = (own ? rule.past_s : source.tolerance_s) * kMicros;
  const std::int64_t future_us = (own ? rule.future_s : source.tolerance_s) * kMicros;
  // Seconds are compared whole, as the senders' libraries do: 300.9 s after a timestamp is still 300.
  const std::int64_t age_us = rule.unit == TimeUnit::kMilliseconds
                                  ? now_us - *result.signed_at_us
                                  : (now_us / kMicros - *result.signed_at_us / kMicros) * kMicros;
  return age_us <= past_us && -age_us <= future_us;
}

}  // namespace weir::source
