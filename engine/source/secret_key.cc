#include "engine/source/secret_key.h"

#include <openssl/crypto.h>

#include <utility>

#include "engine/source/encoding.h"
#include "engine/source/unicode.h"

namespace weir::source {
namespace {

HashKind HashOf(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHmacSha1:
      return HashKind::kSha1;
    case Algorithm::kHmacSha384:
      return HashKind::kSha384;
    case Algorithm::kHmacSha512:
      return HashKind::kSha512;
    default:
      return HashKind::kSha256;
  }
}

// wp_specialchars_decode(ENT_QUOTES): the five entities WordPress writes.
std::string HtmlUnescape(std::string_view text) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#039;", '\''}, {"&#x27;", '\''}};
  std::string out;
  while (!text.empty()) {
    bool replaced = false;
    for (const auto& [entity, character] : kEntities) {
      if (!text.starts_with(entity)) continue;
      out.push_back(character);
      text.remove_prefix(entity.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    out.push_back(text.front());
    text.remove_prefix(1);
  }
  return out;
}

std::expected<SecretKey, std::string> PreparePublic(PublicKeyKind kind, const Proof& proof,
                                                    std::string_view secret, OSSL_LIB_CTX* library) {
  if (!proof.key.strip_prefix.empty() && secret.starts_with(proof.key.strip_prefix)) {
    secret.remove_prefix(proof.key.strip_prefix.size());
  }
  auto key = PublicKey::Parse(kind, proof.key.text, secret, library);
  if (!key) return std::unexpected(key.error());
  return SecretKey(*std::move(key));
}

std::expected<SecretKey, std::string> PrepareJwt(const Proof& proof, std::string_view secret,
                                                 OSSL_LIB_CTX* library) {
  const std::string& algorithm = proof.jwt->algorithms.front();
  if (algorithm == "ES256") return PreparePublic(PublicKeyKind::kP256, proof, secret, library);
  if (algorithm == "RS256") return PreparePublic(PublicKeyKind::kRsa, proof, secret, library);
  auto bytes = KeyBytes(proof.key, secret);
  if (!bytes) return std::unexpected(bytes.error());
  return SecretKey(HmacKey(HashKind::kSha256, *bytes));
}

}  // namespace

SecretText::~SecretText() {
  OPENSSL_cleanse(text_.data(), text_.size());
}

bool IsFor(const Proof& proof, std::string_view secret, std::size_t index) {
  const KeyFormat& key = proof.key;
  if (index % key.slots != key.slot) return false;
  if (!key.only_prefix.empty() && !secret.starts_with(key.only_prefix)) return false;
  return key.not_prefix.empty() || !secret.starts_with(key.not_prefix);
}

std::expected<std::string, std::string> KeyBytes(const KeyFormat& format, std::string_view secret) {
  bool stripped = false;
  if (!format.strip_prefix.empty() && secret.starts_with(format.strip_prefix)) {
    secret.remove_prefix(format.strip_prefix.size());
    stripped = true;
  }
  if (secret.empty()) return std::unexpected("is empty");
  std::string bytes;
  const KeyText text = format.decode_prefixed_only && !stripped ? KeyText::kUtf8 : format.text;
  switch (text) {
    case KeyText::kUtf8:
    case KeyText::kPem:
    case KeyText::kJwk:
      bytes = secret;
      break;
    case KeyText::kHex: {
      std::vector<std::uint8_t> decoded(secret.size() / 2);
      if (!DecodeHex(secret, decoded, HexCase::kAny)) return std::unexpected("is not hexadecimal");
      bytes.assign(decoded.begin(), decoded.end());
      OPENSSL_cleanse(decoded.data(), decoded.size());
      break;
    }
    case KeyText::kBase64: {
      auto decoded = DecodeKeyBase64(secret);
      if (!decoded) {
        return std::unexpected(format.strip_prefix.empty()
                                   ? "is not base64"
                                   : "is not base64 after \"" + format.strip_prefix + "\"");
      }
      bytes.assign(decoded->begin(), decoded->end());
      OPENSSL_cleanse(decoded->data(), decoded->size());
      break;
    }
  }
  if (format.html_unescape) bytes = HtmlUnescape(bytes);
  if (format.nfkd) bytes = Nfkd(bytes);
  if (bytes.empty()) return std::unexpected("is empty once decoded");
  return bytes;
}

std::expected<SecretKey, std::string> PrepareSecret(const Proof& proof, std::string_view secret,
                                                    OSSL_LIB_CTX* library) {
  switch (proof.algorithm) {
    case Algorithm::kHmacSha1:
    case Algorithm::kHmacSha256:
    case Algorithm::kHmacSha384:
    case Algorithm::kHmacSha512: {
      auto bytes = KeyBytes(proof.key, secret);
      if (!bytes) return std::unexpected(bytes.error());
      SecretKey key(HmacKey(HashOf(proof.algorithm), *bytes));
      OPENSSL_cleanse(bytes->data(), bytes->size());
      return key;
    }
    case Algorithm::kSha256:
    case Algorithm::kToken:
    case Algorithm::kBasic: {
      auto bytes = KeyBytes(proof.key, secret);
      if (!bytes) return std::unexpected(bytes.error());
      if (proof.algorithm == Algorithm::kBasic && bytes->find(':') == std::string::npos) {
        return std::unexpected("is not \"user:password\"");
      }
      return SecretKey(SecretText(*std::move(bytes)));
    }
    case Algorithm::kEd25519:
      return PreparePublic(PublicKeyKind::kEd25519, proof, secret, library);
    case Algorithm::kEcdsaP256Sha256:
      return PreparePublic(PublicKeyKind::kP256, proof, secret, library);
    case Algorithm::kRsaSha256:
      return PreparePublic(PublicKeyKind::kRsa, proof, secret, library);
    case Algorithm::kJwt:
      return PrepareJwt(proof, secret, library);
  }
  return std::unexpected("cannot be used with this kind");
}

}  // namespace weir::source
