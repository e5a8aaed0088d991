// The text of a secret, as an operator copies it, -> what a proof verifies with. Done once per source and
// thread.
//
// Internal to engine/source.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "engine/source/keyed_hash.h"
#include "engine/source/public_key.h"
#include "engine/source/scheme.h"

namespace weir::source {

// Bytes that are wiped when they go.
class SecretText {
 public:
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) {}
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText();
  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

using SecretKey = std::variant<HmacKey, SecretText, PublicKey>;

// Whether secret number `index` of a source is for this proof at all: by its slot and by its prefix.
bool IsFor(const Proof& proof, std::string_view secret, std::size_t index);

// The error says what the secret should have been, never what it is.
std::expected<SecretKey, std::string> PrepareSecret(const Proof& proof, std::string_view secret,
                                                    OSSL_LIB_CTX* library);

// The key bytes of a symmetric secret: prefix stripped, decoded.
std::expected<std::string, std::string> KeyBytes(const KeyFormat& format, std::string_view secret);

}  // namespace weir::source
