#include "engine/sink/webhook_signer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "storage/check.h"

namespace weir::sink {

namespace {

constexpr std::string_view kPrefix = "whsec_";

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// EVP_DecodeBlock ignores padding and surrounding whitespace; a secret that was cut or pasted wrong is to be
// refused, so the decoded bytes must encode to the same text again.
std::optional<std::vector<unsigned char>> DecodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 4096) return std::nullopt;
  std::vector<unsigned char> bytes(text.size() / 4 * 3);
  if (EVP_DecodeBlock(bytes.data(), Bytes(text), static_cast<int>(text.size())) < 0) return std::nullopt;
  if (text.ends_with("==")) {
    bytes.resize(bytes.size() - 2);
  } else if (text.ends_with('=')) {
    bytes.resize(bytes.size() - 1);
  }
  std::string again(text.size() + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(again.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  again.pop_back();
  const bool same = again == text;
  OPENSSL_cleanse(again.data(), again.size());
  if (same) return bytes;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return std::nullopt;
}

}  // namespace

struct WebhookSigner::Keyed {
  std::unique_ptr<EVP_MAC, FreeMac> mac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  std::unique_ptr<EVP_MAC_CTX, FreeMac> context{EVP_MAC_CTX_new(mac.get())};
};

WebhookSigner::WebhookSigner(std::unique_ptr<Keyed> keyed) : keyed_(std::move(keyed)) {}
WebhookSigner::WebhookSigner(WebhookSigner&&) noexcept = default;
WebhookSigner& WebhookSigner::operator=(WebhookSigner&&) noexcept = default;
WebhookSigner::~WebhookSigner() = default;

std::expected<WebhookSigner, std::string> WebhookSigner::Create(std::string_view secret) {
  std::vector<unsigned char> key;
  if (secret.starts_with(kPrefix)) {
    auto decoded = DecodeBase64(secret.substr(kPrefix.size()));
    if (!decoded) return std::unexpected("the secret starts with whsec_ but what follows is not base64");
    key = std::move(*decoded);
  } else {
    key.assign(Bytes(secret), Bytes(secret) + secret.size());
  }
  if (key.empty()) return std::unexpected("the secret is empty");

  auto keyed = std::make_unique<Keyed>();
  std::array<char, 7> digest{"SHA256"};
  const std::array<OSSL_PARAM, 2> parameters{OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
                                             OSSL_PARAM_construct_end()};
  const bool ready = keyed->context != nullptr &&
                     EVP_MAC_init(keyed->context.get(), key.data(), key.size(), parameters.data()) == 1;
  OPENSSL_cleanse(key.data(), key.size());
  if (!ready) return std::unexpected("OpenSSL offers no HMAC-SHA256");
  return WebhookSigner(std::move(keyed));
}

std::string WebhookSigner::Sign(std::string_view id, std::string_view timestamp, std::string_view body) {
  EVP_MAC_CTX* const context = keyed_->context.get();
  std::array<unsigned char, 32> digest{};
  std::size_t size = 0;
  // Without a key, init starts over with the one given at Create.
  WEIR_CHECK(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
  for (const std::string_view part : {id, std::string_view("."), timestamp, std::string_view("."), body}) {
    WEIR_CHECK(EVP_MAC_update(context, Bytes(part), part.size()) == 1);
  }
  WEIR_CHECK(EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1 && size == digest.size());

  std::string signature = "v1,";
  const std::size_t start = signature.size();
  signature.resize(start + 45);  // 44 characters and EVP_EncodeBlock's NUL
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(signature.data() + start), digest.data(), digest.size());
  signature.pop_back();
  return signature;
}

}  // namespace weir::sink
