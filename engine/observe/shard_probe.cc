#include "engine/observe/shard_probe.h"

namespace weir::observe {

std::string_view RejectionCodeName(RejectionCode code) {
  switch (code) {
    case RejectionCode::kUnknownSource:
      return "unknown_source";
    case RejectionCode::kMethodNotAllowed:
      return "method_not_allowed";
    case RejectionCode::kUnsupportedEncoding:
      return "unsupported_encoding";
    case RejectionCode::kLengthRequired:
      return "length_required";
    case RejectionCode::kBodyTooLarge:
      return "body_too_large";
    case RejectionCode::kHeadersTooLarge:
      return "headers_too_large";
    case RejectionCode::kTimeout:
      return "timeout";
    case RejectionCode::kMalformedRequest:
      return "malformed_request";
    case RejectionCode::kAddressNotAllowed:
      return "address_not_allowed";
    case RejectionCode::kRateLimited:
      return "rate_limited";
    case RejectionCode::kOverloaded:
      return "overloaded";
    case RejectionCode::kMalformedPayload:
      return "malformed_payload";
    case RejectionCode::kIdConflict:
      return "id_conflict";
    case RejectionCode::kMissingSignature:
      return "missing_signature";
    case RejectionCode::kMalformedSignature:
      return "malformed_signature";
    case RejectionCode::kInvalidSignature:
      return "invalid_signature";
    case RejectionCode::kStaleTimestamp:
      return "stale_timestamp";
    case RejectionCode::kKeyUnavailable:
      return "key_unavailable";
    case RejectionCode::kMissingField:
      return "missing_field";
    case RejectionCode::kTargetTooLong:
      return "target_too_long";
    case RejectionCode::kTooManyHeaders:
      return "too_many_headers";
    case RejectionCode::kVersionNotSupported:
      return "version_not_supported";
    case RejectionCode::kInvalidHost:
      return "invalid_host";
    case RejectionCode::kBadContentLength:
      return "bad_content_length";
    case RejectionCode::kBadTransferEncoding:
      return "bad_transfer_encoding";
    case RejectionCode::kExpectationFailed:
      return "expectation_failed";
    case RejectionCode::kBadChunk:
      return "bad_chunk";
    case RejectionCode::kTooMuchChunkFraming:
      return "too_much_chunk_framing";
    case RejectionCode::kChunkExtensionTooLarge:
      return "chunk_extension_too_large";
    case RejectionCode::kCount:
      break;
  }
  return "";
}

std::string_view ConnectionRefusalName(ConnectionRefusal reason) {
  switch (reason) {
    case ConnectionRefusal::kLimit:
      return "limit";
    case ConnectionRefusal::kDescriptors:
      return "descriptors";
    case ConnectionRefusal::kCount:
      break;
  }
  return "";
}

void SourceProbe::Refused(RejectionCode code, std::uint64_t request_id, std::int64_t unix_us,
                          std::string_view detail) {
  const auto index = static_cast<std::size_t>(code);
  rejected[index].Add();
  last_refused[index].at_us.Set(unix_us);
  last_refused[index].request_id.store(request_id, std::memory_order_relaxed);
  last_refused[index].detail.Set(std::string(detail.substr(0, kRefusalDetailBytesMax)));
}

std::array<char, 16> RequestIdText(std::uint64_t request_id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 16> text{};
  for (std::size_t i = text.size(); i > 0; --i, request_id >>= 4) text[i - 1] = kDigits[request_id & 0xf];
  return text;
}

}  // namespace weir::observe
