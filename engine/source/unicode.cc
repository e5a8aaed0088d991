#include "engine/source/unicode.h"

#include <utf8proc.h>

#include <cstdlib>

namespace weir::source {

std::string Nfkd(std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
      &mapped, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT));
  if (size < 0) return std::string(text);
  std::string normalised(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
  std::free(mapped);  // NOLINT(cppcoreguidelines-no-malloc): utf8proc_map hands over malloc'ed memory
  return normalised;
}

}  // namespace weir::source
