#include "engine/source/proof_check.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/source/signature_field.h"
#include "engine/source/timestamp.h"

namespace weir::source {
namespace {

RejectReason ReasonOf(AssemblyFault fault) {
  return fault == AssemblyFault::kMissing ? RejectReason::kMissingSignature
                                          : RejectReason::kMalformedSignature;
}

bool IsCredential(Algorithm algorithm) {
  return algorithm == Algorithm::kToken || algorithm == Algorithm::kBasic;
}

// A timestamp inside the signed body is looked at only once the body is known to be authentic.
bool IsReadAfterwards(const Proof& proof) {
  return proof.timestamp->at.from == Location::From::kJson &&
         std::ranges::none_of(proof.signed_variants, [](const Template& variant) {
           return variant.Uses(Segment::Kind::kTimestamp);
         });
}

}  // namespace

std::optional<RejectReason> ProofChecker::ReadTimestamp(const Proof& proof, RequestValues& values) {
  const Found found = values.At(proof.timestamp->at);
  if (found.state == Found::State::kAbsent) {
    return proof.timestamp->at.from == Location::From::kHeader ? RejectReason::kMissingSignature
                                                               : RejectReason::kMalformedSignature;
  }
  if (found.state != Found::State::kValue) return RejectReason::kMalformedSignature;
  timestamp_text_ = found.value;
  timestamp_us_ = ParseTimestamp(found.value, proof.timestamp->unit);
  if (!timestamp_us_) return RejectReason::kMalformedSignature;
  return std::nullopt;
}

std::optional<RejectReason> ProofChecker::ReadSignature(const Proof& proof, RequestValues& values) {
  switch (ReadSignatures(proof.signature, values, signatures_)) {
    case SignatureState::kMissing:
      return RejectReason::kMissingSignature;
    case SignatureState::kMalformed:
      return RejectReason::kMalformedSignature;
    case SignatureState::kPresent:
      break;
  }
  decoded_.clear();
  if (IsCredential(proof.algorithm)) return std::nullopt;
  for (const std::string_view text : signatures_) {
    Decoded& decoded = decoded_.emplace_back();
    const auto size = DecodeSignature(proof.signature, text, decoded.bytes);
    if (size) {
      decoded.size = *size;
    } else {
      decoded_.pop_back();
    }
  }
  if (decoded_.empty()) return RejectReason::kMalformedSignature;
  return std::nullopt;
}

std::string_view ProofChecker::Joined(std::string_view secret) {
  joined_.clear();
  for (const SignedPart& part : parts_) joined_ += part.is_secret ? secret : part.text;
  return joined_;
}

bool ProofChecker::MatchesDigest(const Digest& expected) const {
  bool any = false;
  for (const Decoded& signature : decoded_) {
    any |= SameBytes(expected.view(), {signature.bytes.data(), signature.size});
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
    case Algorithm::kBasic:
      return MatchesToken(std::get<SecretText>(key).view());
    case Algorithm::kEd25519:
    case Algorithm::kEcdsaP256Sha256:
    case Algorithm::kRsaSha256: {
      const char* digest = proof.algorithm == Algorithm::kEd25519 ? nullptr : "SHA256";
      const std::string_view message = Joined({});
      return std::ranges::any_of(decoded_, [&](const Decoded& signature) {
        return std::get<PublicKey>(key).Verify(digest, message, {signature.bytes.data(), signature.size});
      });
    }
    case Algorithm::kJwt:
      return false;
  }
  return false;
}

bool ProofChecker::AnyMatches(const Proof& proof, const std::vector<KeyedSecret>& secrets,
                              ProofResult& result) {
  bool any = false;
  for (const KeyedSecret& secret : secrets) {
    if (!Matches(proof, secret.key) || any) continue;
    any = true;
    result.secret_index = secret.index;
    result.key = &secret;
  }
  return any;
}

std::optional<RejectReason> ProofChecker::CheckSigned(const Source& source, const Proof& proof,
                                                      const std::vector<KeyedSecret>& secrets,
                                                      RequestValues& values, ProofResult& result) {
  if (IsCredential(proof.algorithm)) {
    return AnyMatches(proof, secrets, result) ? std::nullopt : std::optional(RejectReason::kInvalidSignature);
  }
  SignedInputs inputs{.source = source, .timestamp = timestamp_text_, .id = {}};
  if (proof.id) {
    const Found id = values.At(*proof.id);
    if (id.state == Found::State::kAbsent) return RejectReason::kMissingSignature;
    if (id.state != Found::State::kValue) return RejectReason::kMalformedSignature;
    inputs.id = id.value;
  }
  for (const Template& variant : proof.signed_variants) {
    if (const AssemblyFault fault = AssembleSigned(variant, inputs, values, parts_);
        fault != AssemblyFault::kNone) {
      return ReasonOf(fault);
    }
    if (AnyMatches(proof, secrets, result)) return std::nullopt;
  }
  return RejectReason::kInvalidSignature;
}

ProofResult ProofChecker::Check(const Source& source, const Proof& proof,
                                const std::vector<KeyedSecret>& secrets, RequestValues& values) {
  ProofResult result;
  timestamp_text_ = {};
  timestamp_us_.reset();
  const auto refuse = [&result](RejectReason reason) {
    result.refused = reason;
    return result;
  };
  if (const auto reason = ReadSignature(proof, values)) return refuse(*reason);
  for (const FieldRule& rule : proof.required) {
    const Found found = values.Header(rule.name);
    const bool holds = found.state == Found::State::kValue && !found.value.empty() &&
                       (rule.value.empty() || http::EqualsIgnoreCase(found.value, rule.value));
    if (!holds) return refuse(RejectReason::kMalformedSignature);
  }
  const bool afterwards = proof.timestamp && IsReadAfterwards(proof);
  if (proof.timestamp && !afterwards) {
    if (const auto reason = ReadTimestamp(proof, values)) return refuse(*reason);
  }
  if (secrets.empty()) return refuse(RejectReason::kInvalidSignature);
  if (const auto reason = CheckSigned(source, proof, secrets, values, result)) return refuse(*reason);
  if (afterwards) {
    if (const auto reason = ReadTimestamp(proof, values)) return refuse(*reason);
  }
  result.signed_at_us = timestamp_us_;
  return result;
}

}  // namespace weir::source
