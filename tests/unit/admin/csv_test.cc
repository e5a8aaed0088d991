#include "engine/admin/csv.h"

#include <gtest/gtest.h>

namespace weir::admin {
namespace {

std::string Field(std::string_view text) {
  std::string out;
  AppendCsvField(out, text);
  return out;
}

TEST(Csv, LeavesPlainTextAlone) {
  EXPECT_EQ(Field("invoice.paid"), "invoice.paid");
  EXPECT_EQ(Field(""), "");
  EXPECT_EQ(Field("two words"), "two words");
}

TEST(Csv, QuotesSeparatorsQuotesAndLineBreaks) {
  EXPECT_EQ(Field("a,b"), "\"a,b\"");
  EXPECT_EQ(Field("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(Field("a\nb"), "\"a\nb\"");
  EXPECT_EQ(Field("a\rb"), "\"a\rb\"");
}

TEST(Csv, QuotesSpacesThatReadersTrim) {
  EXPECT_EQ(Field(" a"), "\" a\"");
  EXPECT_EQ(Field("a "), "\"a \"");
}

}  // namespace
}  // namespace weir::admin
