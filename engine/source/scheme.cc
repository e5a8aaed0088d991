#include "engine/source/scheme.h"

#include <algorithm>

namespace weir::source {

std::string_view AlgorithmName(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHmacSha1:
      return "hmac-sha1";
    case Algorithm::kHmacSha256:
      return "hmac-sha256";
    case Algorithm::kHmacSha384:
      return "hmac-sha384";
    case Algorithm::kHmacSha512:
      return "hmac-sha512";
    case Algorithm::kSha256:
      return "sha256";
    case Algorithm::kEd25519:
      return "ed25519";
    case Algorithm::kEcdsaP256Sha256:
      return "ecdsa-p256-sha256";
    case Algorithm::kRsaSha256:
      return "rsa-sha256";
    case Algorithm::kJwt:
      return "jwt";
    case Algorithm::kToken:
      return "token";
    case Algorithm::kBasic:
      return "basic";
  }
  return {};
}

bool Delivers(const Scheme& scheme, http::Method method) {
  return std::ranges::find(scheme.methods, method) != scheme.methods.end();
}

std::string AllowedMethods(const Scheme& scheme) {
  std::vector<http::Method> methods = scheme.methods;
  for (const HandshakeRule& rule : scheme.handshakes) methods.push_back(rule.method);
  std::ranges::sort(methods);
  const auto repeated = std::ranges::unique(methods);
  methods.erase(repeated.begin(), repeated.end());
  std::string text;
  for (const http::Method method : methods) {
    if (!text.empty()) text += ", ";
    text += http::MethodName(method);
  }
  return text;
}

bool HasTimestamp(const Scheme& scheme) {
  return std::ranges::any_of(scheme.proofs, [](const Proof& proof) { return proof.timestamp.has_value(); });
}

bool NeedsPublicUrl(const Scheme& scheme) {
  return std::ranges::any_of(scheme.proofs, [](const Proof& proof) { return proof.needs_url; });
}

bool TakesSecretByHandshake(const Scheme& scheme) {
  return std::ranges::any_of(scheme.handshakes, [](const HandshakeRule& rule) {
    return rule.guard == HandshakeRule::Guard::kPending;
  });
}

bool WantsChains(const Scheme& scheme) {
  return std::ranges::any_of(
      scheme.proofs, [](const Proof& proof) { return proof.certificate && proof.certificate->chain; });
}

}  // namespace weir::source
