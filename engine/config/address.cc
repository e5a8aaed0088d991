#include "engine/config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstdint>
#include <optional>

namespace weir::config {
namespace {

bool IsV6(const std::string& host) {
  return host.find(':') != std::string::npos;
}

bool IsNumeric(const std::string& host) {
  in6_addr bytes{};
  return inet_pton(IsV6(host) ? AF_INET6 : AF_INET, host.c_str(), &bytes) == 1;
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::expected<Address, std::string> ParseAddress(std::string_view text) {
  const std::string quoted = '"' + std::string(text) + '"';
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::unexpected(quoted + " has no port; write host:port, as in \"127.0.0.1:8080\"");
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  Address address{.host = std::string(host), .port = 0};

  if (host.empty()) return std::unexpected(quoted + " has no host; 0.0.0.0 or [::] is every interface");
  if (IsV6(address.host) && !bracketed) {
    return std::unexpected(quoted + ": an IPv6 address goes in brackets, as in \"[::1]:8080\"");
  }
  if (bracketed != IsV6(address.host) || address.host.find('\0') != std::string::npos ||
      !IsNumeric(address.host)) {
    return std::unexpected(quoted + " is not a numeric IPv4 or IPv6 address and a port" +
                           (host == "localhost" ? "; write 127.0.0.1" : ""));
  }
  const auto port = ParsePort(text.substr(colon + 1));
  if (!port) return std::unexpected(quoted + " has a port outside 0..65535");
  address.port = *port;
  return address;
}

std::string ToString(const Address& address) {
  const std::string host = IsV6(address.host) ? '[' + address.host + ']' : address.host;
  return host + ':' + std::to_string(address.port);
}

}  // namespace weir::config
