#include "engine/ingest/route.h"

#include "engine/http/tokens.h"

namespace weir::ingest {
namespace {

constexpr std::string_view kWebhooks = "/webhooks/";
constexpr std::string_view kHealth = "/healthz";

// RFC 3986 §2.3.
bool IsUnreserved(char byte) {
  const char lower = http::ToLower(byte);
  return (lower >= 'a' && lower <= 'z') || http::IsDigit(byte) || byte == '-' || byte == '.' || byte == '_' ||
         byte == '~';
}

// What is no escape of an unreserved character stays as it is: it is another path.
std::string_view Unescape(std::string_view path, std::string& unescaped) {
  if (!path.contains('%')) return path;
  unescaped.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool escape = path[i] == '%' && path.size() - i > 2 && http::IsHexDigit(path[i + 1]) &&
                        http::IsHexDigit(path[i + 2]);
    const char decoded =
        escape ? static_cast<char>(http::HexValue(path[i + 1]) << 4 | http::HexValue(path[i + 2])) : '\0';
    if (IsUnreserved(decoded)) {
      unescaped.push_back(decoded);
      i += 2;
    } else {
      unescaped.push_back(path[i]);
    }
  }
  return unescaped;
}

}  // namespace

Route RouteOf(const http::Request& request, std::string& unescaped) {
  if (request.path == "*") return {.kind = Route::Kind::kServer, .source = {}};
  std::string_view path = Unescape(request.path, unescaped);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path == kHealth) return {.kind = Route::Kind::kHealth, .source = {}};
  if (path.starts_with(kWebhooks)) {
    return {.kind = Route::Kind::kSource, .source = path.substr(kWebhooks.size())};
  }
  return {};
}

}  // namespace weir::ingest
