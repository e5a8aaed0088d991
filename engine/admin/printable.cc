#include "engine/admin/printable.h"

#include <algorithm>

namespace weir::admin {

std::string Printable(std::string_view text) {
  std::string printable(text);
  std::replace_if(printable.begin(), printable.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return printable;
}

}  // namespace weir::admin
