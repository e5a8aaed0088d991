#include "tools/text_table.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace weir::tools
