#include "tools/text_table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/admin/printable.h"
#include "storage/check.h"

namespace weir::tools {

namespace {

constexpr std::size_t kGap = 2;        // columns between two cells
constexpr std::size_t kNarrowest = 6;  // what a cell is cut to at most
constexpr std::string_view kCut = "..";

}  // namespace

std::string CutInTheMiddle(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width <= kCut.size()) return std::string(text.substr(0, width));
  const std::size_t shown = width - kCut.size();
  const std::size_t head = (shown + 1) / 2;
  return std::string(text.substr(0, head)) + std::string(kCut) +
         std::string(text.substr(text.size() - (shown - head)));
}

void TextTable::Add(std::vector<std::string> cells) {
  WEIR_CHECK(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = admin::Printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::Widths(std::size_t width) const {
  std::vector<std::size_t> widths;
  std::size_t total = columns_.empty() ? 0 : kGap * (columns_.size() - 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = columns_[i].title.size();
    for (const auto& row : rows_) widest = std::max(widest, row[i].size());
    widths.push_back(widest);
    total += widest;
  }
  for (; total > width; --total) {  // the widest gives way
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].whole || columns_[i].align == Align::kRight || widths[i] <= kNarrowest) continue;
      if (widest == nullptr || widths[i] >= *widest) widest = &widths[i];
    }
    if (widest == nullptr) break;
    --*widest;
  }
  return widths;
}

std::size_t TextTable::TerminalWidth() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return kWidth;
  return std::max<std::size_t>(kWidth, size.ws_col);
}

std::string TextTable::Text(std::size_t width) const {
  const std::vector<std::size_t> widths = Widths(width);
  std::string text;
  const auto append = [&](std::size_t column, const std::string& whole) {
    const std::string cell = CutInTheMiddle(whole, widths[column]);
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
