// Signs what a sink receives by the Standard Webhooks scheme, v1 (contract: standard-webhooks.md v1.0.0):
// HMAC-SHA256 over
// "{webhook-id}.{webhook-timestamp}.{body}", base64, "v1," in front.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace weir::sink {

// Keyed once, used for every attempt. One thread at a time.
class WebhookSigner {
 public:
  // `secret` is "whsec_" and base64, or raw text used as it is. The error never contains the secret.
  static std::expected<WebhookSigner, std::string> Create(std::string_view secret);
  WebhookSigner(WebhookSigner&&) noexcept;
  WebhookSigner& operator=(WebhookSigner&&) noexcept;
  ~WebhookSigner();

  // The value of webhook-signature. `id` and `timestamp` are the header values exactly as they are sent.
  std::string Sign(std::string_view id, std::string_view timestamp, std::string_view body);

 private:
  struct Keyed;
  explicit WebhookSigner(std::unique_ptr<Keyed> keyed);
  std::unique_ptr<Keyed> keyed_;
};

}  // namespace weir::sink
