#include "engine/source/adyen.h"

#include <array>

#include "engine/limits.h"

namespace weir::source {
namespace {

const JsonPointer kItems{{"notificationItems"}};

// Joined by ':' in this order, absent ones empty, nothing escaped.
constexpr std::array kSigned = {
    "pspReference", "originalReference", "merchantAccountCode", "merchantReference",
    "amount/value", "amount/currency",   "eventCode",           "success"};

JsonPointer Under(const JsonPointer& item, std::string_view path) {
  JsonPointer pointer = item;
  const std::size_t slash = path.find('/');
  pointer.tokens.emplace_back(path.substr(0, slash));
  if (slash != std::string_view::npos) pointer.tokens.emplace_back(path.substr(slash + 1));
  return pointer;
}

bool IsUnambiguous(JsonReader& reader, const JsonPointer& item) {
  for (const auto* path : {"", "amount", "additionalData"}) {
    const JsonPointer object = *path == '\0' ? item : Under(item, path);
    const auto repeated = reader.HasRepeatedKeys(object);
    if (!repeated && repeated.error() == JsonMiss::kAbsent && *path != '\0') continue;
    if (!repeated || *repeated) return false;
  }
  return true;
}

AdyenFault ReadItem(JsonReader& reader, const JsonPointer& item, AdyenItem& out) {
  if (!IsUnambiguous(reader, item)) return AdyenFault::kMalformed;
  const auto signature = reader.Value(Under(item, "additionalData/hmacSignature"));
  if (!signature) {
    return signature.error() == JsonMiss::kAbsent ? AdyenFault::kMissing : AdyenFault::kMalformed;
  }
  out.signature = *signature;
  for (const auto* path : kSigned) {
    if (path != kSigned.front()) out.signed_text += ':';
    const auto value = reader.Value(Under(item, path));
    if (value) {
      out.signed_text += *value;
    } else if (value.error() != JsonMiss::kAbsent) {
      return AdyenFault::kMalformed;
    }
  }
  return AdyenFault::kNone;
}

}  // namespace

AdyenFault ReadAdyenItems(JsonReader& reader, std::vector<AdyenItem>& items) {
  items.clear();
  std::vector<std::string_view> elements;
  const auto split = reader.Elements(kItems, limits::kAdyenItemsMax, elements);
  if (!split) return split.error() == JsonMiss::kAbsent ? AdyenFault::kMissing : AdyenFault::kMalformed;
  if (elements.empty()) return AdyenFault::kMissing;
  const auto top = reader.HasRepeatedKeys(JsonPointer{});
  if (!top || *top) return AdyenFault::kMalformed;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const JsonPointer element{{"notificationItems", std::to_string(i)}};
    const auto wrapper = reader.HasRepeatedKeys(element);
    if (!wrapper || *wrapper) return AdyenFault::kMalformed;
    const AdyenFault fault =
        ReadItem(reader, Under(element, "NotificationRequestItem"), items.emplace_back());
    if (fault != AdyenFault::kNone) return fault;
  }
  return AdyenFault::kNone;
}

}  // namespace weir::source
