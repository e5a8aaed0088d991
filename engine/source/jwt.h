// Compact JSON Web Signatures (RFC 7515): over a hash of the body (LiveKit, Plaid), or as the access token of
// a sender that signs no body (Event Grid, Okta).
//
// Internal to engine/source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/source/json_reader.h"
#include "engine/source/key_ring.h"
#include "engine/source/scheme.h"
#include "engine/source/verifier.h"

namespace weir::source {

class JwtChecker {
 public:
  // nullopt: signed with one of `secrets`, and every rule about claims holds, times aside.
  std::optional<RejectReason> Check(const Source& source, const JwtRules& rules,
                                    const std::vector<KeyedSecret>& secrets, std::string_view token,
                                    std::string_view body, const KeyedSecret** matched);

  // Why the last token was refused: names of claims, never their values. Empty when the signature is wrong.
  const std::string& fault() const { return fault_; }

  // exp, nbf and iat of the token that passed. `tolerance_s` replaces the age of iat and the leeway;
  // kKindTolerance does not.
  bool IsTimely(const JwtRules& rules, std::int64_t tolerance_s, std::int64_t now_us) const;

  // A claim of the token that passed, as text; nullopt when it is not there.
  std::optional<std::string_view> Claim(std::string_view name);

 private:
  bool SplitToken(std::string_view token);
  bool IsMeantFor(std::string_view audience);
  bool ClaimsHold(const Source& source, const JwtRules& rules, std::string_view body);
  std::optional<std::int64_t> NumericDate(std::string_view name);
  bool Fault(std::string text);

  std::string_view signed_;  // "header.payload"
  std::string header_;       // JSON, padded
  std::string payload_;
  std::vector<std::uint8_t> signature_;
  JsonReader reader_;
  std::optional<std::int64_t> expires_s_;
  std::optional<std::int64_t> not_before_s_;
  std::optional<std::int64_t> issued_s_;
  std::string fault_;
};

}  // namespace weir::source
