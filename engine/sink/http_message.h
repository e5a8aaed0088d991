// An attempt as an HTTP/1.1 request: CloudEvents 1.0, HTTP binding, binary mode. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/url.h"
#include "engine/sink/forwarded_fields.h"
#include "engine/sink/sink.h"
#include "engine/sink/webhook_signer.h"

namespace weir::sink {

// What a trace continues with: the sender's own traceparent when it is valid (W3C Trace Context §3.2), else
// one made from the event, the same trace for all its attempts and another span for each.
std::string TraceparentFor(const Attempt& attempt);

struct Extras {
  const ForwardedFields* forwarded =
      nullptr;                      // null: nothing of the sender's goes along but its Content-Type
  WebhookSigner* signer = nullptr;  // null: unsigned
};

// Replaces `out` with the whole request, body included. The signature covers
// the id as it stands in webhook-id, and the time of this attempt, so that a receiver's tolerance holds for
// retries.
void BuildRequest(std::string& out, const Attempt& attempt, const http::Url& url, const Extras& extras);

}  // namespace weir::sink
