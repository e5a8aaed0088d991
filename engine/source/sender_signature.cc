#include "engine/source/sender_signature.h"

#include <algorithm>
#include <span>

#include "engine/source/encoding.h"
#include "engine/source/secret_key.h"
#include "engine/source/signature_field.h"
#include "engine/text/json_string.h"

namespace weir::source {
namespace {

constexpr std::int64_t kTokenLifeS = 300;

std::span<const std::uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::expected<Digest, std::string> HmacOf(const Proof& proof, std::string_view secret,
                                          std::string_view text) {
  auto key = PrepareSecret(proof, secret, nullptr);
  if (!key) return std::unexpected("the secret " + key.error());
  const auto* hmac = std::get_if<HmacKey>(&*key);
  if (hmac == nullptr) return std::unexpected("weir cannot sign as this kind");
  Hash message = hmac->Begin();
  message.Update(text);
  return hmac->Finish(message);
}

std::string Claims(const JwtRules& rules, std::string_view body, std::string_view issuer,
                   std::int64_t at_unix_s) {
  std::string hash;
  if (rules.body_hash_encoding == Encoding::kHex) {
    AppendHex(hash, Sha256Of(body).view());
  } else {
    AppendBase64(hash, Sha256Of(body).view(), Base64Form::kPadded);
  }
  std::string claims = "{\"" + rules.body_hash_claim + "\":\"" + hash + "\",\"iss\":\"";
  text::AppendJsonEscaped(claims, issuer);
  return claims + "\",\"iat\":" + std::to_string(at_unix_s) + ",\"nbf\":" + std::to_string(at_unix_s) +
         ",\"exp\":" + std::to_string(at_unix_s + kTokenLifeS) + "}";
}

}  // namespace

SignatureText SignatureOf(const Proof& proof, std::string_view secret, const std::vector<SignedPart>& parts) {
  std::string key_text;
  if (proof.algorithm == Algorithm::kSha256) {
    auto bytes = KeyBytes(proof.key, secret);
    if (!bytes) return std::unexpected("the secret " + bytes.error());
    key_text = *std::move(bytes);
  }
  std::string text;
  for (const SignedPart& part : parts) text += part.is_secret ? std::string_view(key_text) : part.text;
  switch (proof.algorithm) {
    case Algorithm::kHmacSha1:
    case Algorithm::kHmacSha256:
    case Algorithm::kHmacSha384:
    case Algorithm::kHmacSha512: {
      const auto digest = HmacOf(proof, secret, text);
      if (!digest) return std::unexpected(digest.error());
      return EncodeSignature(proof.signature, digest->view());
    }
    case Algorithm::kSha256:
      return EncodeSignature(proof.signature, Sha256Of(text).view());
    case Algorithm::kEd25519:
    case Algorithm::kEcdsaP256Sha256:
    case Algorithm::kRsaSha256: {
      const char* digest = proof.algorithm == Algorithm::kEd25519 ? nullptr : "SHA256";
      const auto signature = SignWithPrivateKey(secret, digest, text);
      if (!signature) return std::unexpected(signature.error());
      return EncodeSignature(proof.signature, BytesOf(*signature));
    }
    case Algorithm::kJwt:
    case Algorithm::kToken:
    case Algorithm::kBasic:
      break;
  }
  return std::unexpected("weir cannot sign as this kind");
}

SignatureText CredentialOf(const Proof& proof, std::string_view secret) {
  const auto bytes = KeyBytes(proof.key, secret);
  if (!bytes) return std::unexpected("the secret " + bytes.error());
  if (proof.algorithm == Algorithm::kToken) return proof.signature.prefix + *bytes;
  std::string text = proof.signature.prefix;
  AppendBase64(text, BytesOf(*bytes), Base64Form::kPadded);
  return text;
}

SignatureText TokenOf(const Proof& proof, std::string_view secret, std::string_view body,
                      std::string_view issuer, std::int64_t at_unix_s) {
  if (std::ranges::find(proof.jwt->algorithms, "HS256") == proof.jwt->algorithms.end()) {
    return std::unexpected("weir makes tokens with HS256 only");
  }
  std::string token;
  AppendBase64(token, BytesOf(R"({"alg":"HS256","typ":"JWT"})"), Base64Form::kUrlUnpadded);
  token += '.';
  AppendBase64(token, BytesOf(Claims(*proof.jwt, body, issuer, at_unix_s)), Base64Form::kUrlUnpadded);
  const auto digest = HmacOf(proof, secret, token);
  if (!digest) return std::unexpected(digest.error());
  token += '.';
  AppendBase64(token, digest->view(), Base64Form::kUrlUnpadded);
  return proof.signature.prefix + token;
}

}  // namespace weir::source
