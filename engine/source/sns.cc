#include "engine/source/sns.h"

#include <algorithm>
#include <array>
#include <span>

namespace weir::source {
namespace {

constexpr std::array kNotification = {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"};
// For both kinds of confirmation; sns-validator leaves the token out of an UnsubscribeConfirmation, AWS does
// not.
constexpr std::array kConfirmation = {"Message", "MessageId", "SubscribeURL", "Timestamp",
                                      "Token",   "TopicArn",  "Type"};

std::expected<std::string_view, JsonMiss> Text(JsonReader& reader, const char* name) {
  return reader.Text(JsonPointer{{name}});
}

std::expected<const char*, SnsFault> DigestOf(JsonReader& reader) {
  const auto version = Text(reader, "SignatureVersion");
  if (version && *version == "1") return "SHA1";
  if (version && *version == "2") return "SHA256";
  return std::unexpected(SnsFault::kMalformed);
}

std::expected<std::string, SnsFault> Canonical(JsonReader& reader) {
  const auto type = Text(reader, "Type");
  if (!type) return std::unexpected(SnsFault::kMalformed);
  const bool notification = *type == "Notification";
  if (!notification && *type != "SubscriptionConfirmation" && *type != "UnsubscribeConfirmation") {
    return std::unexpected(SnsFault::kMalformed);
  }
  const std::span<const char* const> keys = notification ? std::span<const char* const>(kNotification)
                                                         : std::span<const char* const>(kConfirmation);
  std::string text;
  for (const char* key : keys) {
    const auto value = Text(reader, key);
    if (!value) {
      // Only the subject is optional, and a null one counts as none.
      if (std::string_view(key) == "Subject" && value.error() == JsonMiss::kAbsent) continue;
      return std::unexpected(SnsFault::kMalformed);
    }
    text.append(key).append("\n").append(*value).append("\n");
  }
  return text;
}

}  // namespace

bool IsSnsHost(std::string_view url) {
  constexpr std::string_view kScheme = "https://sns.";
  if (!url.starts_with(kScheme)) return false;
  std::string_view host = url.substr(kScheme.size());
  host = host.substr(0, host.find('/'));
  if (host.ends_with(".cn")) host.remove_suffix(3);
  constexpr std::string_view kDomain = ".amazonaws.com";
  if (!host.ends_with(kDomain)) return false;
  host.remove_suffix(kDomain.size());
  return host.size() >= 3 && std::ranges::all_of(host, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string_view FileNameOf(std::string_view url) {
  return url.substr(url.rfind('/') + 1);
}

std::expected<SnsMessage, SnsFault> ReadSnsMessage(JsonReader& reader) {
  // Which of two equal keys was signed, and which will the reader of the event take? Neither.
  const auto repeated = reader.HasRepeatedKeys(JsonPointer{});
  if (!repeated || *repeated) return std::unexpected(SnsFault::kMalformed);
  const auto signature = Text(reader, "Signature");
  if (!signature) {
    return std::unexpected(signature.error() == JsonMiss::kAbsent ? SnsFault::kMissingSignature
                                                                  : SnsFault::kMalformed);
  }
  SnsMessage message;
  message.signature = *signature;
  const auto url = Text(reader, "SigningCertURL");
  if (!url || !IsSnsHost(*url) || !url->ends_with(".pem") ||
      url->find_first_of("?#") != std::string_view::npos) {
    return std::unexpected(SnsFault::kMalformed);
  }
  message.certificate_url = *url;
  const auto digest = DigestOf(reader);
  if (!digest) return std::unexpected(digest.error());
  message.digest = *digest;
  auto text = Canonical(reader);
  if (!text) return std::unexpected(text.error());
  message.signed_text = *std::move(text);
  message.topic = Text(reader, "TopicArn").value_or(std::string_view());
  return message;
}

}  // namespace weir::source
