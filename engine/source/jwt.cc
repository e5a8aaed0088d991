#include "engine/source/jwt.h"

#include <algorithm>
#include <charconv>

#include "engine/limits.h"
#include "engine/source/encoding.h"
#include "engine/source/signed_text.h"

namespace weir::source {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr double kDateMax = 253402300799.0;  // the end of the year 9999

bool DecodePart(std::string_view text, std::string& out) {
  out.resize(text.size() / 4 * 3 + 3);
  const auto size =
      DecodeBase64(text, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()}, Base64Form::kUrlUnpadded);
  if (!size) return false;
  out.resize(*size);
  out.append(limits::kJsonPaddingBytes, '\0');
  return true;
}

std::string_view WithoutPadding(const std::string& text) {
  return std::string_view(text).substr(0, text.size() - limits::kJsonPaddingBytes);
}

bool SignatureHolds(const SecretKey& key, std::string_view algorithm, std::string_view text,
                    const std::vector<std::uint8_t>& signature) {
  if (algorithm == "HS256") {
    const auto* hmac = std::get_if<HmacKey>(&key);
    if (hmac == nullptr) return false;
    Hash message = hmac->Begin();
    message.Update(text);
    return SameBytes(hmac->Finish(message).view(), signature);
  }
  const auto* public_key = std::get_if<PublicKey>(&key);
  if (public_key == nullptr) return false;
  return algorithm == "ES256" ? public_key->VerifyRaw(text, signature)
                              : public_key->Verify("SHA256", text, signature);
}

}  // namespace

bool JwtChecker::SplitToken(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return false;
  signed_ = token.substr(0, second);
  const std::string_view encoded = token.substr(second + 1);
  signature_.resize(encoded.size() / 4 * 3 + 3);
  const auto size = DecodeBase64(encoded, signature_, Base64Form::kUrlUnpadded);
  if (!size) return false;
  signature_.resize(*size);
  return DecodePart(token.substr(0, first), header_) &&
         DecodePart(token.substr(first + 1, second - first - 1), payload_);
}

std::optional<RejectReason> JwtChecker::Check(const Source& source, const JwtRules& rules,
                                              const std::vector<KeyedSecret>& secrets, std::string_view token,
                                              std::string_view body, const KeyedSecret** matched) {
  fault_.clear();
  if (secrets.empty()) {
    fault_ = "a token, and the source has no secret for tokens";
    return RejectReason::kInvalidSignature;
  }
  reader_.Forget();
  fault_ = "not a compact JSON Web Signature";
  if (!SplitToken(token) || !reader_.Open(WithoutPadding(header_))) return RejectReason::kMalformedSignature;
  const auto algorithm = reader_.Value(JsonPointer{{"alg"}});
  if (!algorithm) return RejectReason::kMalformedSignature;
  fault_ = "the token's alg or crit is not one that this kind takes";
  // The token names its algorithm; only the scheme says which names count (RFC 8725 §3.1).
  const auto allowed = std::ranges::find(rules.algorithms, *algorithm);
  if (allowed == rules.algorithms.end()) return RejectReason::kInvalidSignature;
  const std::string_view key_id = reader_.Value(JsonPointer{{"kid"}}).value_or(std::string_view());
  if (reader_.Value(JsonPointer{{"crit"}}) || reader_.Raw(JsonPointer{{"crit"}}))
    return RejectReason::kInvalidSignature;

  fault_ = "the token's kid names a key that is not configured";
  bool any_key = false;
  *matched = nullptr;
  for (const KeyedSecret& secret : secrets) {
    const auto* public_key = std::get_if<PublicKey>(&secret.key);
    if (public_key != nullptr && !public_key->key_id().empty() && public_key->key_id() != key_id) continue;
    any_key = true;
    if (*matched == nullptr && SignatureHolds(secret.key, *allowed, signed_, signature_)) *matched = &secret;
  }
  // Signed by a key that has not been configured yet: the sender should try again, not give up.
  if (!any_key) return RejectReason::kKeyUnavailable;
  fault_.clear();
  if (*matched == nullptr) return RejectReason::kInvalidSignature;
  fault_ = "the token's claims are not JSON";
  if (!reader_.Open(WithoutPadding(payload_))) return RejectReason::kMalformedSignature;
  return ClaimsHold(source, rules, body) ? std::nullopt : std::optional(RejectReason::kInvalidSignature);
}

std::optional<std::string_view> JwtChecker::Claim(std::string_view name) {
  const auto value = reader_.Value(JsonPointer{{std::string(name)}});
  if (!value) return std::nullopt;
  return *value;
}

bool JwtChecker::Fault(std::string text) {
  fault_ = std::move(text);
  return false;
}

// NumericDate is a JSON number (RFC 7519 §2), perhaps with a fraction or an exponent. Whatever else stands in
// the claim's place, null included, leaves the token without the bound that its issuer meant to give it.
std::optional<std::int64_t> JwtChecker::NumericDate(std::string_view name) {
  const JsonPointer pointer{{std::string(name)}};
  const auto raw = reader_.Raw(pointer);
  if (!raw && raw.error() == JsonMiss::kAbsent) return std::nullopt;
  double value = 0;
  const auto text = reader_.Value(pointer);
  if (text && reader_.IsNumber(pointer)) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc() && end == text->data() + text->size() && value >= 0 && value <= kDateMax) {
      return static_cast<std::int64_t>(value);
    }
  }
  if (fault_.empty()) fault_ = "the token's claim " + std::string(name) + " is not a time in seconds";
  return std::nullopt;
}

bool JwtChecker::IsMeantFor(std::string_view audience) {
  constexpr std::size_t kAudiencesMax = 16;
  if (Claim("aud") == audience) return true;
  for (std::size_t i = 0; i < kAudiencesMax; ++i) {
    const auto one = reader_.Value(JsonPointer{{"aud", std::to_string(i)}});
    if (!one) return false;
    if (*one == audience) return true;
  }
  return false;
}

bool JwtChecker::ClaimsHold(const Source& source, const JwtRules& rules, std::string_view body) {
  fault_.clear();
  expires_s_ = NumericDate("exp");
  not_before_s_ = NumericDate("nbf");
  issued_s_ = NumericDate("iat");
  if (!fault_.empty()) return false;
  for (const std::string& name : rules.required_claims) {
    if (!Claim(name)) return Fault("the token has no claim " + name);
  }
  if (!rules.issuer_parameter.empty()) {
    const std::string_view expected = ParameterOf(source, rules.issuer_parameter);
    if (expected.empty() || Claim("iss") != expected) {
      return Fault("the token's claim iss is not the source's parameters." + rules.issuer_parameter);
    }
  }
  if (!rules.audience_parameter.empty()) {
    const std::string_view expected = ParameterOf(source, rules.audience_parameter);
    if (expected.empty() || !IsMeantFor(expected)) {
      return Fault("the token's claim aud is not the source's parameters." + rules.audience_parameter);
    }
  }
  if (rules.body_hash_claim.empty()) return true;
  std::string expected;
  const Digest digest = Sha256Of(body);
  if (rules.body_hash_encoding == Encoding::kHex) {
    AppendHex(expected, digest.view());
  } else {
    AppendBase64(expected, digest.view(), Base64Form::kPadded);
  }
  if (Claim(rules.body_hash_claim) == std::string_view(expected)) return true;
  return Fault("the token's claim " + rules.body_hash_claim + " is of another body");
}

bool JwtChecker::IsTimely(const JwtRules& rules, std::int64_t tolerance_s, std::int64_t now_us) const {
  const std::int64_t now_s = now_us / kMicros;
  const bool own = tolerance_s < 0;
  const std::int64_t leeway_s = own ? rules.leeway_s : tolerance_s;
  if (expires_s_ && *expires_s_ + leeway_s <= now_s) return false;
  if (not_before_s_ && *not_before_s_ > now_s + leeway_s) return false;
  const std::int64_t age_s = own ? rules.max_age_s : tolerance_s;
  if (rules.max_age_s == 0 || !issued_s_) return true;
  return now_s - *issued_s_ <= age_s && *issued_s_ <= now_s + leeway_s;
}

}  // namespace weir::source
