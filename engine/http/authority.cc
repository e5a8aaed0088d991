#include "engine/http/authority.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/http/tokens.h"

namespace weir::http {

namespace {

bool IsRegName(std::string_view host) {
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (IsRegNameChar(host[i])) continue;
    const bool percent_encoded =
        host[i] == '%' && i + 2 < host.size() && IsHexDigit(host[i + 1]) && IsHexDigit(host[i + 2]);
    if (!percent_encoded) return false;
    i += 2;
  }
  return !host.empty();
}

bool IsIpv6(std::string_view host) {
  std::array<char, INET6_ADDRSTRLEN> text{};  // zeroed: inet_pton wants a terminator
  if (host.size() >= text.size()) return false;
  host.copy(text.data(), host.size());
  in6_addr address{};
  return inet_pton(AF_INET6, text.data(), &address) == 1;
}

// *DIGIT: an empty port is the scheme's own.
bool ParsePort(std::string_view text, std::optional<std::uint16_t>& port) {
  if (text.empty()) return true;
  const std::optional<std::uint64_t> value = ParseDecimal(text);
  if (!value || *value > UINT16_MAX) return false;
  port = static_cast<std::uint16_t>(*value);
  return true;
}

}  // namespace

std::optional<Authority> ParseAuthority(std::string_view text) {
  Authority authority;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    authority.host = text.substr(1, close - 1);
    authority.ipv6 = true;
    rest = text.substr(close + 1);
    if (!IsIpv6(authority.host)) return std::nullopt;
  } else {
    const std::size_t colon = text.find(':');
    authority.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
    if (!IsRegName(authority.host)) return std::nullopt;
  }
  if (rest.empty()) return authority;
  if (rest.front() != ':' || !ParsePort(rest.substr(1), authority.port)) return std::nullopt;
  return authority;
}

}  // namespace weir::http
