#include "engine/ingest/route.h"

namespace weir::ingest {
namespace {

constexpr std::string_view kWebhooks = "/webhooks/";
constexpr std::string_view kHealth = "/healthz";
constexpr std::string_view kSchemes[] = {"http://", "https://"};

std::string_view WithoutAuthority(std::string_view path) {
  for (const std::string_view scheme : kSchemes) {
    if (path.size() < scheme.size() || !http::EqualsIgnoreCase(path.substr(0, scheme.size()), scheme))
      continue;
    const std::size_t slash = path.find('/', scheme.size());
    return slash == std::string_view::npos ? std::string_view("/") : path.substr(slash);
  }
  return path;
}

}  // namespace

Route RouteOf(const http::Request& request) {
  const std::string_view path = WithoutAuthority(request.path);
  if (path == kHealth) return {.kind = Route::Kind::kHealth, .source = {}};
  if (path.starts_with(kWebhooks)) {
    return {.kind = Route::Kind::kSource, .source = path.substr(kWebhooks.size())};
  }
  return {};
}

}  // namespace weir::ingest
