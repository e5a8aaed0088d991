#include "engine/ingest/refusal.h"

#include "engine/http/response_writer.h"

namespace weir::ingest {
namespace {

using observe::RejectionCode;

struct StatusAndMessage {
  int status;
  std::string_view message;
};

StatusAndMessage AnswerFor(RejectionCode code) {
  switch (code) {
    case RejectionCode::kUnknownSource:
      return {404, "no source of this name is configured"};
    case RejectionCode::kMethodNotAllowed:
      return {405, "this method is not allowed here"};
    case RejectionCode::kUnsupportedEncoding:
      return {415, "the signature is over the raw body; content codings are not supported"};
    case RejectionCode::kLengthRequired:
      return {411, "the request needs a Content-Length or a chunked body"};
    case RejectionCode::kBodyTooLarge:
      return {413, "the body is larger than this source takes"};
    case RejectionCode::kTimeout:
      return {408, "the request did not arrive in time"};
    case RejectionCode::kAddressNotAllowed:
      return {403, "this address may not send to this source"};
    case RejectionCode::kRateLimited:
      return {429, "more requests than this source may send"};
    case RejectionCode::kOverloaded:
      return {503, "the event cannot be stored right now; send it again"};
    case RejectionCode::kMalformedPayload:
      return {400, "the payload is not what this source sends"};
    case RejectionCode::kMissingField:
      return {400, "the signature holds, but a field that this source's sender always sends is not there"};
    case RejectionCode::kIdConflict:
      return {409, "an event of this id is stored with other content"};
    case RejectionCode::kMissingSignature:
      return {401, "the request is not signed"};
    case RejectionCode::kMalformedSignature:
      return {401, "the signature is not of the expected form"};
    case RejectionCode::kInvalidSignature:
      return {401, "the signature does not match"};
    case RejectionCode::kStaleTimestamp:
      return {400, "the signed timestamp is outside the tolerance"};
    case RejectionCode::kKeyUnavailable:
      return {503, "the key to verify with cannot be had right now; send it again"};
    // What the parser refuses is answered in its words.
    case RejectionCode::kMalformedRequest:
    case RejectionCode::kHeadersTooLarge:
    case RejectionCode::kTargetTooLong:
    case RejectionCode::kTooManyHeaders:
    case RejectionCode::kVersionNotSupported:
    case RejectionCode::kInvalidHost:
    case RejectionCode::kBadContentLength:
    case RejectionCode::kBadTransferEncoding:
    case RejectionCode::kExpectationFailed:
    case RejectionCode::kBadChunk:
    case RejectionCode::kTooMuchChunkFraming:
    case RejectionCode::kChunkExtensionTooLarge:
    case RejectionCode::kCount:
      break;
  }
  return {400, "the request is not valid HTTP/1.1"};
}

RejectionCode CodeFor(source::RejectReason reason) {
  switch (reason) {
    case source::RejectReason::kMissingSignature:
      return RejectionCode::kMissingSignature;
    case source::RejectReason::kMalformedSignature:
      return RejectionCode::kMalformedSignature;
    case source::RejectReason::kInvalidSignature:
      return RejectionCode::kInvalidSignature;
    case source::RejectReason::kStaleTimestamp:
      return RejectionCode::kStaleTimestamp;
    case source::RejectReason::kUnsupportedEncoding:
      return RejectionCode::kUnsupportedEncoding;
    case source::RejectReason::kMethodNotAllowed:
      return RejectionCode::kMethodNotAllowed;
    case source::RejectReason::kKeyUnavailable:
      return RejectionCode::kKeyUnavailable;
    case source::RejectReason::kMissingField:
      return RejectionCode::kMissingField;
    case source::RejectReason::kMalformedPayload:
      return RejectionCode::kMalformedPayload;
  }
  return RejectionCode::kMalformedRequest;
}

RejectionCode CodeFor(http::ParseError error) {
  switch (error) {
    case http::ParseError::kMalformed:
      return RejectionCode::kMalformedRequest;
    case http::ParseError::kHeadTooLarge:
      return RejectionCode::kHeadersTooLarge;
    case http::ParseError::kTargetTooLong:
      return RejectionCode::kTargetTooLong;
    case http::ParseError::kTooManyFields:
      return RejectionCode::kTooManyHeaders;
    case http::ParseError::kVersionNotSupported:
      return RejectionCode::kVersionNotSupported;
    case http::ParseError::kMissingHost:
      return RejectionCode::kInvalidHost;
    case http::ParseError::kBadContentLength:
      return RejectionCode::kBadContentLength;
    case http::ParseError::kBadTransferEncoding:
      return RejectionCode::kBadTransferEncoding;
    case http::ParseError::kExpectationFailed:
      return RejectionCode::kExpectationFailed;
    case http::ParseError::kBadChunk:
      return RejectionCode::kBadChunk;
    case http::ParseError::kTooMuchFraming:
      return RejectionCode::kTooMuchChunkFraming;
    case http::ParseError::kChunkExtensionTooLarge:
      return RejectionCode::kChunkExtensionTooLarge;
    case http::ParseError::kBodyTooLarge:
      return RejectionCode::kBodyTooLarge;
  }
  return RejectionCode::kMalformedRequest;
}

}  // namespace

Refusal RefusalFor(RejectionCode code) {
  const StatusAndMessage answer = AnswerFor(code);
  return {.code = code,
          .status = answer.status,
          .name = observe::RejectionCodeName(code),
          .message = answer.message,
          .allow = code == RejectionCode::kMethodNotAllowed ? "POST" : ""};
}

Refusal RefusalFor(http::ParseError error) {
  const http::ErrorAnswer answer = http::AnswerTo(error);
  return {.code = CodeFor(error),
          .status = answer.status,
          .name = answer.code,
          .message = answer.message,
          .allow = ""};
}

Refusal RefusalFor(const source::Rejected& rejected) {
  Refusal refusal = RefusalFor(CodeFor(rejected.reason));
  if (rejected.status != 0) refusal.status = rejected.status;
  refusal.without_body = rejected.without_body;
  return refusal;
}

}  // namespace weir::ingest
