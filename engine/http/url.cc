#include "engine/http/url.h"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "engine/http/authority.h"
#include "engine/http/request.h"
#include "engine/http/tokens.h"
#include "engine/limits.h"

namespace weir::http {

namespace {

std::unexpected<std::string> Wrong(std::string_view why) {
  return std::unexpected(std::string(why));
}

// The fragment is for the reader of a document, not for its server; in a sink's URL it is a mistake worth
// telling.
std::expected<std::string, std::string> TargetOf(std::string_view path_and_query) {
  if (path_and_query.contains('#')) return Wrong("a fragment (#…) is never sent to a server");
  if (path_and_query.size() >= limits::kTargetBytesMax) return Wrong("path and query are too long");
  std::string target(path_and_query);
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  return target;
}

std::string Lowercase(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), ToLower);
  return lowered;
}

}  // namespace

std::expected<Url, std::string> ParseUrl(std::string_view text) {
  if (!std::ranges::all_of(text, IsVisibleChar)) {
    return Wrong("a space, a control character or a byte outside ASCII (percent-encode it)");
  }
  Url url;
  std::string_view rest = text;
  if (EqualsIgnoreCase(text.substr(0, 7), "http://")) {
    rest.remove_prefix(7);
  } else if (EqualsIgnoreCase(text.substr(0, 8), "https://")) {
    url.https = true;
    rest.remove_prefix(8);
  } else {
    return Wrong("not an absolute http:// or https:// URL");
  }
  const std::string_view authority_text = rest.substr(0, rest.find_first_of("/?#\\"));
  rest.remove_prefix(authority_text.size());
  if (authority_text.contains('@'))
    return Wrong("user information before '@'; credentials do not belong in a URL");
  if (authority_text.empty()) return Wrong("no host");
  // Browsers read a backslash as a slash, RFC 3986 does not know it: two readers would see two hosts.
  if (rest.contains('\\')) return Wrong("a backslash");
  const std::optional<Authority> authority = ParseAuthority(authority_text);
  if (!authority) return Wrong("the host or the port is not valid");
  if (authority->port == 0) return Wrong("port 0");

  const std::uint16_t default_port = url.https ? 443 : 80;
  url.port = authority->port.value_or(default_port);
  url.host = Lowercase(authority->host);
  url.authority = authority->ipv6 ? "[" + url.host + "]" : url.host;
  if (url.port != default_port) url.authority += ":" + std::to_string(url.port);
  auto target = TargetOf(rest);
  if (!target) return std::unexpected(target.error());
  url.target = *std::move(target);
  return url;
}

}  // namespace weir::http
