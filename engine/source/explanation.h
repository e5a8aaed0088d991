// Why a request was refused, for the operator who has it in hand: the verdict, what was signed, and which
// usual mistake would have made it match. Pure; the verdicts are the verifier's own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/source/captured_request.h"
#include "engine/source/signed_view.h"
#include "engine/source/source.h"
#include "engine/source/usual_mistakes.h"

namespace weir::source {

struct Finding {
  Mistake mistake;
  std::string text;  // a sentence
};

struct Explanation {
  bool authentic = false;               // accepted, or a handshake that is answered
  std::string verdict;                  // "accepted", "handshake", or the code of the refusal
  int status = 0;                       // what a refusal is answered with; 0 otherwise
  std::string cause;                    // of a refusal: what is wrong, where no finding says it better
  std::optional<std::uint32_t> secret;  // of an accepted request: which one matched
  std::vector<SignedView> proofs;
  std::vector<Finding> findings;  // at most one a mistake; empty for an authentic request
};

// `configured`: every source of the configuration. `now_us`: when the request was received.
Explanation Explain(const Source& source, std::span<const Source> configured, const CapturedRequest& request,
                    std::int64_t now_us);

}  // namespace weir::source
