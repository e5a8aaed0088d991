// Any TOML table is a scheme or a list of mistakes, each with a key or a place, a reason, and a line that the
// text has.
#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/source/scheme_toml.h"
#include "storage/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // toml++ 3.3 walks into __builtin_unreachable over some code points past ASCII; what is looked for here is
  // ours.
  std::string text(reinterpret_cast<const char*>(data), size);
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
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
