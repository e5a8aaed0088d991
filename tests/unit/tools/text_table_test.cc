#include "tools/text_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weir::tools {
namespace {

TEST(TextTable, AlignsItsColumnsWithoutTrailingSpaces) {
  TextTable table({{"NAME"}, {"COUNT", TextTable::Align::kRight}, {"NOTE"}});
  table.Add({"a", "7", "x"});
  table.Add({"longer", "12345678", ""});
  EXPECT_EQ(table.Text(),
            "NAME       COUNT  NOTE\n"
            "a              7  x\n"
            "longer  12345678  \n");
}

TEST(TextTable, ShowsOnlyPrintableBytes) {
  TextTable table({{"ID"}});
  table.Add({"a\x1b[31m\nb\xc3\xa9"});
  EXPECT_EQ(table.Text(), "ID\na?[31m?b??\n");
}

std::size_t WidestLine(const std::string& text) {
  std::size_t widest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    widest = std::max(widest, end - at);
    at = end + 1;
  }
  return widest;
}

TEST(TextTable, CutsTheWidestColumnsUntilItFits) {
  TextTable table({{"SEQUENCE", TextTable::Align::kRight}, {"TYPE"}, {"ID"}});
  table.Add({"12345678901234567890", "short", std::string(100, 'a') + "end"});
  const std::string text = table.Text(80);
  EXPECT_EQ(WidestLine(text), 80u);
  EXPECT_NE(text.find("12345678901234567890  short  aaa"), std::string::npos);
  EXPECT_NE(text.find("a..a"), std::string::npos);
  EXPECT_NE(text.find("end\n"), std::string::npos);
}

TEST(TextTable, NeverCutsNumbersNorWhatIsMarkedWhole) {
  TextTable table({{.title = "REQUEST", .whole = true}, {"N", TextTable::Align::kRight}, {"NAME"}});
  table.Add({"0123456789abcdef", "98765432109876543210", std::string(60, 'n')});
  const std::string text = table.Text(50);
  EXPECT_EQ(WidestLine(text), 50u);
  EXPECT_NE(text.find("0123456789abcdef"), std::string::npos);
  EXPECT_NE(text.find("98765432109876543210"), std::string::npos);
}

TEST(CutInTheMiddle, KeepsBothEnds) {
  EXPECT_EQ(CutInTheMiddle("abcdefghij", 10), "abcdefghij");
  EXPECT_EQ(CutInTheMiddle("abcdefghij", 9), "abcd..hij");
  EXPECT_EQ(CutInTheMiddle("abcdefghij", 3), "a..");
  EXPECT_EQ(CutInTheMiddle("abcdefghij", 1), "a");
}

}  // namespace
}  // namespace weir::tools
