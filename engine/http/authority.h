// uri-host [ ":" port ] (RFC 3986 §3.2.2 and §3.2.3), as in Host, an absolute-form target and a URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::http {

struct Authority {
  std::string_view host;  // without the brackets of an IPv6 address
  bool ipv6 = false;
  std::optional<std::uint16_t> port;  // absent in "host" and in "host:"
};

// nullopt for an empty host, user information, a port past 65535, an IPv6 zone, IPvFuture and bytes outside
// the grammar.
std::optional<Authority> ParseAuthority(std::string_view text);

}  // namespace weir::http
