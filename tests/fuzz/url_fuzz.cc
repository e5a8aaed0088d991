// What is taken for a URL can be written into a request line and a Host field, and means itself when read
// again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/authority.h"
#include "engine/http/url.h"
#include "storage/check.h"

namespace {

bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char byte) { return byte > 0x20 && byte < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = weir::http::ParseUrl(text);
  if (!url) {
    WEIR_CHECK(!url.error().empty());
    return 0;
  }
  WEIR_CHECK(!url->host.empty() && url->port != 0);
  WEIR_CHECK(url->target.starts_with('/'));
  WEIR_CHECK(IsVisible(url->host) && IsVisible(url->target) && IsVisible(url->authority));
  WEIR_CHECK(weir::http::ParseAuthority(url->authority).has_value());
  const auto again =
      weir::http::ParseUrl((url->https ? "https://" : "http://") + url->authority + url->target);
  WEIR_CHECK(again.has_value());
  WEIR_CHECK(again->host == url->host && again->port == url->port && again->target == url->target);
  WEIR_CHECK(again->https == url->https && again->authority == url->authority);
  return 0;
}
