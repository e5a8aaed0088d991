// Rows of text in aligned columns, for people; with --json the same data is for programs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace weir::tools {

class TextTable {
 public:
  enum class Align : unsigned char { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as there are columns. Bytes that are not printable ASCII are shown as '?'.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string Text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace weir::tools
