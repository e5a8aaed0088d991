// AWS SNS messages: a canonical text made of decoded JSON values, signed with RSA under a certificate the
// message names. Source: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html.
//
// Internal to engine/source.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "engine/source/json_reader.h"

namespace weir::source {

struct SnsMessage {
  std::string signed_text;
  std::string signature;         // base64
  const char* digest = nullptr;  // "SHA1" for version 1, "SHA256" for version 2
  std::string certificate_url;
  std::string topic;
};

enum class SnsFault : std::uint8_t {
  kMissingSignature,
  kMalformed,  // a field missing, repeated or of the wrong form; a certificate from elsewhere than SNS
};

std::expected<SnsMessage, SnsFault> ReadSnsMessage(JsonReader& reader);

// https, sns.REGION.amazonaws.com[.cn] and nothing around it.
bool IsSnsHost(std::string_view url);

// The last segment of the URL's path: the name of the certificate.
std::string_view FileNameOf(std::string_view url);

}  // namespace weir::source
