#include "engine/observe/shard_probe.h"

namespace weir::observe {
namespace {

constexpr std::string_view kOther = "other";

}  // namespace

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
    case RejectionCode::kHeadTooLarge:
      return "head_too_large";
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

void SourceProbe::Received(std::string_view type) {
  const auto known = by_type_.find(type);
  (known != by_type_.end() ? *known->second : AddType(type)).count.Add();
}

SourceProbe::TypeCount& SourceProbe::AddType(std::string_view type) {
  const std::size_t used = published_.load(std::memory_order_relaxed);
  if (used >= kTypesPerSource) {
    // A sender may call one of its types "other": then that is the entry, because two of one label are not a
    // metric.
    const auto other = by_type_.find(kOther);
    if (other != by_type_.end()) return *other->second;
    type = kOther;
  }
  types_[used] = std::make_unique<TypeCount>();
  TypeCount& added = *types_[used];
  added.type = type;
  by_type_.emplace(added.type, &added);
  published_.store(used + 1, std::memory_order_release);
  return added;
}

SourceProbe& ShardProbe::ForSource(std::string_view name) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return *known->second;

  const std::size_t used = published_.load(std::memory_order_relaxed);
  if (used + 1 >= kSourcesMax) {
    const auto other = by_name_.find(kOther);
    if (other != by_name_.end()) return *other->second;
    name = kOther;
  }
  sources_[used] = std::make_unique<SourceProbe>();
  SourceProbe& added = *sources_[used];
  added.source = name;
  by_name_.emplace(added.source, &added);
  published_.store(used + 1, std::memory_order_release);
  return added;
}

}  // namespace weir::observe
