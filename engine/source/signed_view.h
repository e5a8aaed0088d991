// What a request's signature is over, and what it should have been: the exact bytes, and the signatures,
// masked, for people. Never on the serving path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/request.h"
#include "engine/source/source.h"

namespace weir::source {

struct ExpectedSignature {
  std::size_t secret = 0;  // position in Source::secrets
  std::size_t text = 0;    // position in SignedView::texts
  std::string masked;
};

// One proof of the scheme as it applies to one request.
struct SignedView {
  std::string proof;  // its name; empty where the scheme has one
  std::string algorithm;
  std::string location;               // where the signature is looked for
  std::vector<std::string> received;  // masked, in the order sent
  std::vector<std::string> texts;  // exact; several where a sender may sign in several ways or item by item.
                                   // "{secret}" stands where the secret's own bytes are signed
  std::vector<ExpectedSignature> expected;  // of the symmetric algorithms
  std::string note;                         // why there are no texts, or what else is checked
  std::string timestamp;                    // the text that is signed; empty when there is none
  std::optional<std::int64_t> signed_at_us;
};

// Of the proofs that the request was made for; of the last one when it was made for none, as the verifier
// does.
std::vector<SignedView> ViewSigned(const Source& source, const http::Request& request);

// The beginning of a long text, so that two can be told apart; of a short one its length alone.
std::string Masked(std::string_view signature);

}  // namespace weir::source
