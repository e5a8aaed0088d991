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

#include "engine/source/adyen.h"
#include "engine/source/jwt.h"
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
  std::string detail;                        // of a refusal: see Rejected
};

// Whether this is the proof the request was made for.
enum class Fit : std::uint8_t {
  kUnsigned,  // its signature's field is not there
  kOther,     // the field is there, and another one says that the signature is not this proof's
  kOpen,      // the field is there, and what would tell it from another proof's is not
  kOwn,
};
Fit FitOf(const Proof& proof, RequestValues& values);

// The first field of the contract that is not there or has another value; nullptr when there is none.
const FieldRule* FirstMissing(const std::vector<FieldRule>& rules, const RequestValues& values);

// One a thread.
class ProofChecker {
 public:
  // `index`: of the proof in the source's scheme.
  ProofResult Check(const Source& source, std::size_t index, const KeyedSource& keyed, RequestValues& values);

  // Whether what Check has just found to be authentic is of now.
  bool IsTimely(const Source& source, const Proof& proof, const ProofResult& result,
                std::int64_t now_us) const;

 private:
  using Refusal = std::optional<RejectReason>;
  using Secrets = std::vector<KeyedSecret>;

  Refusal Because(RejectReason reason, std::string detail);

  Refusal ReadSignature(const Proof& proof, RequestValues& values);
  Refusal ReadTimestamp(const Proof& proof, RequestValues& values);
  Refusal CheckProcedure(const Source& source, const Proof& proof, const KeyedSource& keyed,
                         const Secrets& secrets, RequestValues& values, ProofResult& result);
  Refusal CheckTemplate(const Source& source, const Proof& proof, const Secrets& secrets,
                        RequestValues& values, ProofResult& result);
  Refusal CheckJwt(const Source& source, const Proof& proof, const Secrets& secrets, RequestValues& values,
                   ProofResult& result);
  Refusal CheckCertified(const Source& source, const Proof& proof, const KeyedSource& keyed,
                         const Secrets& secrets, RequestValues& values, ProofResult& result);
  Refusal CheckTwilio(const Source& source, const Proof& proof, const Secrets& secrets, RequestValues& values,
                      ProofResult& result);
  Refusal CheckAdyenItems(const Proof& proof, const Secrets& secrets, RequestValues& values,
                          ProofResult& result);
  Refusal CheckSns(const Source& source, const KeyedSource& keyed, const Secrets& secrets,
                   RequestValues& values, ProofResult& result);

  // Every secret is tried, whichever matches.
  bool AnyMatches(const Proof& proof, const Secrets& secrets, ProofResult& result);
  bool Matches(const Proof& proof, const SecretKey& key);
  bool MatchesDigest(const Digest& expected) const;
  bool MatchesToken(std::string_view secret) const;
  bool MatchesPublic(const PublicKey& key, const char* digest, std::string_view message) const;
  std::string_view Joined(std::string_view secret);

  struct Decoded {
    std::array<std::uint8_t, 512> bytes;
    std::size_t size;
  };

  std::vector<std::string_view> signatures_;
  std::vector<Decoded> decoded_;  // grown, never shrunk: the first decoded_count_ are this request's
  std::size_t decoded_count_ = 0;
  std::vector<SignedPart> parts_;
  std::vector<AdyenItem> items_;
  JwtChecker jwt_;
  std::string joined_;
  std::string_view timestamp_text_;
  std::optional<std::int64_t> timestamp_us_;
  std::string detail_;  // why the proof that is being checked is refused
};

}  // namespace weir::source
