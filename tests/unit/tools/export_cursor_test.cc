#include "tools/export_cursor.h"

#include <gtest/gtest.h>

namespace weir::tools {
namespace {

TEST(ExportCursor, ReadsBackWhatItWrote) {
  const auto cursor = ParseExportCursor(
      ToText({.next = 18446744073709551615u, .file = "/tmp/\"lake\"", .inode = 7, .bytes = 9}));
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->next, 18446744073709551615u);
  EXPECT_EQ(cursor->file, "/tmp/\"lake\"");
  EXPECT_EQ(cursor->inode, 7u);
  EXPECT_EQ(cursor->bytes, 9u);
}

TEST(ExportCursor, RefusesAnythingElse) {
  for (const char* text :
       {"", "42", "{}", R"({"next":-1,"file":"","inode":0,"bytes":0})",
        R"({"next":1,"file":7,"inode":0,"bytes":0})", R"({"next":1,"file":"","inode":0)"}) {
    EXPECT_FALSE(ParseExportCursor(text)) << text;
  }
}

}  // namespace
}  // namespace weir::tools
