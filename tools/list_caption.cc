#include "tools/list_caption.h"

namespace weir::tools {

std::string ListCaption(std::string_view noun, std::uint64_t shown, std::optional<std::uint64_t> total) {
  std::string text = std::to_string(shown);
  if (total && *total > shown) text += " of " + std::to_string(*total);
  text += " " + std::string(noun);
  if (shown > 0) text += ", newest first";
  if (!total) return text + "; there are more (--limit)\n";
  if (*total > shown) text += "; " + std::to_string(*total - shown) + " more (--limit)";
  return text + "\n";
}

}  // namespace weir::tools
