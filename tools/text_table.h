// Rows of text in aligned columns, for people; with --json the same data is for programs. A table is as wide as the
// terminal, and 80 columns where there is none: what is too long is cut in its middle ("evt_1NG8..7Kz"), columns of
// numbers and those marked whole excepted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::tools {

// "evt_1NG8..7Kz": the beginning and the end of a text, `width` characters in all.
std::string CutInTheMiddle(std::string_view text, std::size_t width);

class TextTable {
 public:
  enum class Align : unsigned char { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
    bool whole = false;  // never cut: it is copied, or says nothing when it is short of something
  };

  static constexpr std::size_t kWidth = 80;

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as there are columns. Bytes that are not printable ASCII are shown as '?'.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string Text() const { return Text(TerminalWidth()); }
  std::string Text(std::size_t width) const;

  // Of stdout's terminal, at least kWidth; kWidth where stdout is none.
  static std::size_t TerminalWidth();

 private:
  std::vector<std::size_t> Widths(std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace weir::tools
