// Adyen's payment notifications: every item of the batch carries a signature over eight of its own fields.
// Source: @adyen/api-library hmacValidator;
// docs.adyen.com/development-resources/webhooks/verify-hmac-signatures.
//
// Internal to engine/source.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/json_reader.h"

namespace weir::source {

struct AdyenItem {
  std::string signed_text;
  std::string signature;  // base64, as sent
};

enum class AdyenFault : std::uint8_t { kNone, kMissing, kMalformed };

// The items of a body that has them; kMissing when one has no signature. Fields that occur twice are
// malformed: which of them was signed would be anybody's guess.
AdyenFault ReadAdyenItems(JsonReader& reader, std::vector<AdyenItem>& items);

}  // namespace weir::source
