// Any TOML table is a scheme or a list of mistakes, each with a key or a place, a reason, and a line that the
// text has.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "engine/source/scheme_toml.h"
#include "engine/source/toml.h"
#include "storage/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error&) {
    return 0;
  }
  const auto scheme = weir::source::CompileScheme(table);
  if (scheme) {
    WEIR_CHECK(!(*scheme)->methods.empty());
    for (const weir::source::Proof& proof : (*scheme)->proofs) WEIR_CHECK(!proof.signature.first_of.empty());
    return 0;
  }
  const auto lines = static_cast<unsigned>(std::ranges::count(text, '\n')) + 2;
  WEIR_CHECK(!scheme.error().empty());
  for (const weir::source::SchemeError& error : scheme.error()) {
    WEIR_CHECK(!error.reason.empty() && error.line <= lines);
  }
  return 0;
}
