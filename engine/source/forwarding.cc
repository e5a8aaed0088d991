#include "engine/source/forwarding.h"

#include <algorithm>
#include <array>

#include "engine/http/request.h"
#include "engine/source/scheme.h"

namespace weir::source {
namespace {

// Anywhere in a name: "x-hub-signature-256", "hmacsignature", "x-gitlab-token".
constexpr std::array<std::string_view, 22> kTelling = {"signature",
                                                       "hmac",
                                                       "token",
                                                       "secret",
                                                       "passw",
                                                       "cookie",
                                                       "authoriz",
                                                       "authen",
                                                       "credential",
                                                       "jwt",
                                                       "bearer",
                                                       "api-key",
                                                       "apikey",
                                                       "sas-",
                                                       "access-key",
                                                       "client-key",
                                                       "subscription-key",
                                                       "functions-key",
                                                       "private-key",
                                                       "signing-key",
                                                       "webhook-key",
                                                       "shared-key"};
// Words between separators that are credentials only as whole words: "x-auth-id", but not "x-author".
constexpr std::array<std::string_view, 8> kWords = {"auth", "sig",     "sign", "dpop",
                                                    "otp",  "session", "pass", "oidc"};

constexpr std::array<std::string_view, 20> kMessage = {"accept",
                                                       "accept-encoding",
                                                       "connection",
                                                       "content-encoding",
                                                       "content-length",
                                                       "content-md5",
                                                       "content-type",
                                                       "expect",
                                                       "host",
                                                       "http2-settings",
                                                       "keep-alive",
                                                       "proxy-connection",
                                                       "range",
                                                       "te",
                                                       "traceparent",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade",
                                                       "via",
                                                       "user-agent"};

// A key of the sender's own for its request, and no one's credential: "i-twilio-idempotency-token".
constexpr std::string_view kIdempotency = "idempotency";

std::string Lower(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// "api_key" and "api.key" are "api-key".
std::string Hyphenated(std::string name) {
  std::ranges::replace_if(name, [](char c) { return c == '_' || c == '.'; }, '-');
  return name;
}

bool HasWord(std::string_view name) {
  while (!name.empty()) {
    const std::size_t end = name.find('-');
    if (std::ranges::find(kWords, name.substr(0, end)) != kWords.end()) return true;
    name.remove_prefix(end == std::string_view::npos ? name.size() : end + 1);
  }
  return false;
}

}  // namespace

Forwarding ForwardingOf(std::string_view name) {
  const std::string lower = Lower(name);
  if (std::ranges::find(kMessage, lower) != kMessage.end()) return Forwarding::kMessage;
  if (lower.contains(kIdempotency)) return Forwarding::kAllowed;
  const std::string hyphenated = Hyphenated(lower);
  const bool telling =
      std::ranges::any_of(kTelling, [&](std::string_view part) { return hyphenated.contains(part); });
  return telling || HasWord(hyphenated) ? Forwarding::kCredential : Forwarding::kAllowed;
}

std::vector<std::string> ProofFields(const Scheme& scheme) {
  std::vector<std::string> names;
  const auto add = [&names](const Location& at) {
    if (at.from == Location::From::kHeader) names.push_back(at.name);
  };
  for (const Proof& proof : scheme.proofs) std::ranges::for_each(proof.signature.first_of, add);
  for (const HandshakeRule& rule : scheme.handshakes) {
    if (rule.capture) add(*rule.capture);
    if (rule.guarded) add(*rule.guarded);
  }
  return names;
}

}  // namespace weir::source
