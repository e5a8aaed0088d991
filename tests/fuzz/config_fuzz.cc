// Any text is a configuration or a list of mistakes, each with a reason and a line that the text has.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/load.h"
#include "storage/check.h"

namespace {

std::optional<std::string> Environment(const std::string& name) {
  if (name == "EMPTY") return "";
  if (name == "WHSEC") return "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  if (name == "SECRET" || name == "OTHER_SECRET") return name + " that is long enough for anyone";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = weir::config::Parse(text, "/no/such/directory/weir.toml", Environment);
  if (config) {
    WEIR_CHECK(!config->sources.empty() && config->server.threads > 0);
    return 0;
  }
  // An error at the end of the text may be on the line after the last.
  const auto lines = static_cast<unsigned>(std::ranges::count(text, '\n')) + 2;
  WEIR_CHECK(!config.error().empty());
  for (const auto& error : config.error()) {
    WEIR_CHECK(!error.reason.empty() && error.line <= lines);
    WEIR_CHECK(weir::config::ToString(error).starts_with("/no/such/directory/weir.toml:"));
  }
  return 0;
}
