#include "engine/admin/printable.h"

#include <gtest/gtest.h>

namespace weir::admin {
namespace {

TEST(Printable, TextOfSendersIsAscii) {
  EXPECT_EQ(Printable("a\x1b[2J\xc3\xa9"), "a?[2J??");
}

TEST(Printable, SentencesKeepTheirLettersAndNothingThatMovesTheCursor) {
  EXPECT_EQ(PrintableSentence("RFC 9110 §5.1: 日本…"), "RFC 9110 §5.1: 日本…");
  for (const char* moves : {"\x1b", "\n", "\x7f"}) EXPECT_EQ(PrintableSentence(moves), "?");
  EXPECT_EQ(PrintableSentence("\xc2\x9b"), "??") << "C1: a control sequence in one character";
  EXPECT_EQ(PrintableSentence("\xe2\x80\xae"), "???") << "right to left from here on";
  EXPECT_EQ(PrintableSentence("a\xff\xe2\x80"), "a???");
}

}  // namespace
}  // namespace weir::admin
