// An attempt as an HTTP/1.1 request: CloudEvents 1.0, HTTP binding, binary mode. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/url.h"
#include "engine/sink/sink.h"
#include "engine/sink/webhook_signer.h"

namespace weir::sink {

// Appends `value` percent-encoded as the CloudEvents HTTP binding §3.1.3.2 asks: everything that is not
// printable ASCII, and space, '"' and '%'. Whatever a sender put into an id cannot end the field or start
// another.
void AppendHeaderValue(std::string& out, std::string_view value);

// What a trace continues with: the sender's own traceparent when it is valid (W3C Trace Context §3.2), else
// one made from the event, the same trace for all its attempts and another span for each.
std::string TraceparentFor(const Attempt& attempt);

// Replaces `out` with the whole request, body included. `signer` may be null: unsigned. The signature covers
// the id as it stands in webhook-id, and the time of this attempt, so that a receiver's tolerance holds for
// retries.
void BuildRequest(std::string& out, const Attempt& attempt, const http::Url& url, WebhookSigner* signer);

}  // namespace weir::sink
