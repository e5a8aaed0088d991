#include "tools/text_table.h"

#include <algorithm>
#include <utility>

#include "engine/admin/printable.h"
#include "storage/check.h"

namespace weir::tools {

void TextTable::Add(std::vector<std::string> cells) {
  WEIR_CHECK(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = admin::Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_[i].title.size();
    for (const auto& row : rows_) width = std::max(width, row[i].size());
    widths.push_back(width);
  }
  std::string text;
  const auto append = [&](std::size_t column, const std::string& cell) {
    const std::string padding(widths[column] - cell.size(), ' ');
    if (column > 0) text += "  ";
    if (columns_[column].align == Align::kRight) text += padding;
    text += cell;
    if (columns_[column].align == Align::kLeft && column + 1 < columns_.size()) text += padding;
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) append(i, columns_[i].title);
  text += '\n';
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) append(i, row[i]);
    text += '\n';
  }
  return text;
}

}  // namespace weir::tools
