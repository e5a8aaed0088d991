// Whether one proof of a scheme holds for a request: the signature's field, what is signed, every signature
// against every secret.
//
// Internal to engine/source.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/key_ring.h"
#include "engine/source/request_values.h"
#include "engine/source/scheme.h"
#include "engine/source/signed_text.h"
#include "engine/source/verifier.h"

namespace weir::source {

struct ProofResult {
  std::optional<RejectReason> refused;       // nullopt: it holds
  std::uint32_t secret_index = 0;            // which secret matched
  const KeyedSecret* key = nullptr;          // likewise, for replies that are keyed
  std::optional<std::int64_t> signed_at_us;  // the signed timestamp
};

// One a thread.
class ProofChecker {
 public:
  ProofResult Check(const Source& source, const Proof& proof, const std::vector<KeyedSecret>& secrets,
                    RequestValues& values);

 private:
  std::optional<RejectReason> ReadTimestamp(const Proof& proof, RequestValues& values);
  std::optional<RejectReason> ReadSignature(const Proof& proof, RequestValues& values);
  std::optional<RejectReason> CheckSigned(const Source& source, const Proof& proof,
                                          const std::vector<KeyedSecret>& secrets, RequestValues& values,
                                          ProofResult& result);
  // Every secret is tried, whichever matches.
  bool AnyMatches(const Proof& proof, const std::vector<KeyedSecret>& secrets, ProofResult& result);
  bool Matches(const Proof& proof, const SecretKey& key);
  bool MatchesDigest(const Digest& expected) const;
  bool MatchesToken(std::string_view secret) const;
  std::string_view Joined(std::string_view secret);

  struct Decoded {
    std::array<std::uint8_t, 512> bytes;
    std::size_t size = 0;
  };

  std::vector<std::string_view> signatures_;
  std::vector<Decoded> decoded_;
  std::vector<SignedPart> parts_;
  std::string joined_;
  std::string_view timestamp_text_;
  std::optional<std::int64_t> timestamp_us_;
};

}  // namespace weir::source
