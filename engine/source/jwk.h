// JSON Web Keys (RFC 7517): EC P-256 and RSA public keys.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/public_key.h"

namespace weir::source {

struct Jwk {
  std::string type;  // "EC" or "RSA"
  std::string key_id;
  std::vector<std::uint8_t> x, y;  // EC
  std::vector<std::uint8_t> n, e;  // RSA
};

std::expected<Jwk, std::string> ParseJwk(std::string_view text);
KeyHandle KeyFromJwk(const Jwk& jwk, OSSL_LIB_CTX* library);  // null when the numbers are no key

}  // namespace weir::source
