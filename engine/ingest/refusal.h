// The closed list of ways a request is refused, each with its answer. What a refusal says is ours alone:
// never bytes of the request.
#pragma once

#include <string>
#include <string_view>

#include "engine/http/request_parser.h"
#include "engine/observe/shard_probe.h"
#include "engine/source/verifier.h"

namespace weir::ingest {

struct Refusal {
  observe::RejectionCode code = observe::RejectionCode::kMalformedRequest;  // what it is counted as
  int status = 400;
  std::string_view name;  // "error"."code" of the body
  std::string_view message;
  std::string allow;          // the Allow field of a 405
  bool without_body = false;  // the sender takes any body for a fault of ours (Xero)
};

Refusal RefusalFor(observe::RejectionCode code);
Refusal RefusalFor(http::ParseError error);
Refusal RefusalFor(const source::Rejected& rejected);

}  // namespace weir::ingest
