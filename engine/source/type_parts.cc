#include "engine/source/type_parts.h"

namespace weir::source {

std::vector<std::string> SplitType(const Extractor& extractor, std::string_view type) {
  std::vector<std::string> pieces;
  bool left = true;
  for (std::size_t i = 0; i < extractor.parts.size(); ++i) {
    if (!left) {
      pieces.emplace_back(extractor.parts[i].optional ? "" : "event");
      continue;
    }
    const bool last = i + 1 == extractor.parts.size() || extractor.separator.empty();
    const std::size_t at = last ? std::string_view::npos : type.find(extractor.separator);
    pieces.emplace_back(type.substr(0, at));
    left = at != std::string_view::npos;
    if (left) type.remove_prefix(at + extractor.separator.size());
  }
  return pieces;
}

}  // namespace weir::source
