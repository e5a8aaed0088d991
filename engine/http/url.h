// Absolute http/https URL -> parts (RFC 3986). Pure. Refuses user information, other schemes and control
// characters.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace weir::http {

struct Url {
  bool https = false;
  std::string host;  // without brackets for IPv6
  std::uint16_t port = 80;
  std::string target;     // path and query, at least "/"
  std::string authority;  // for the Host field: host, and port unless it is the scheme's own
};

std::expected<Url, std::string> ParseUrl(std::string_view text);  // the error says what is wrong with it

}  // namespace weir::http
