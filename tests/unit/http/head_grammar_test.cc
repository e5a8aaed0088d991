// That the llhttp which is linked is the strict one: the macro is set per target, so objects and header could
// disagree.
#include "engine/http/head_grammar.h"

#include <gtest/gtest.h>
#include <llhttp.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "engine/http/request.h"

namespace weir::http {
namespace {

using Verdict = HeadGrammar::Verdict;

Verdict Check(std::string_view head, HeadGrammar::Kind kind = HeadGrammar::Kind::kRequest) {
  HeadGrammar grammar(kind);
  std::array<Field, 10> fields;
  std::size_t field_count = 0;
  return grammar.Check({}, head, fields, field_count);
}

TEST(HeadGrammarTest, NoLenientFlagIsSetByDefault) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  EXPECT_EQ(parser.lenient_flags, 0);
}

TEST(HeadGrammarTest, TakesAPlainHead) {
  EXPECT_EQ(Check("GET / HTTP/1.1\r\nA: b\r\n\r\n"), Verdict::kValid);
}

TEST(HeadGrammarTest, LinkedLibraryRefusesWhatOnlyLooseModeTakes) {
  EXPECT_NE(Check("GET / HTTP/1.1\r\nA: b\r\r\n\r\n"), Verdict::kValid);
  EXPECT_NE(Check("GET / HTTP/1.1\r\nA B: c\r\n\r\n"), Verdict::kValid);
  EXPECT_NE(Check("GET / HTTP/1.1\r\nA: b\r\n\rX"), Verdict::kValid);
}

TEST(HeadGrammarTest, AHeadThatDoesNotEndIsNotValid) {
  EXPECT_NE(Check("GET / HTTP/1.1\r\nA: b\r\n"), Verdict::kValid);
}

TEST(HeadGrammarTest, AnUpgradeIsAnOrdinaryHead) {
  EXPECT_EQ(Check("GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"), Verdict::kValid);
}

TEST(HeadGrammarTest, ReadsAStatusLine) {
  HeadGrammar grammar(HeadGrammar::Kind::kResponse);
  std::array<Field, 2> fields;
  std::size_t field_count = 0;
  const std::string_view head = "HTTP/1.0 503 Slow Down\r\nRetry-After:  7 \r\n\r\n";
  ASSERT_EQ(grammar.Check({}, head, fields, field_count), Verdict::kValid);
  EXPECT_EQ(grammar.status(), 503);
  EXPECT_EQ(grammar.minor_version(), 0);
  EXPECT_FALSE(grammar.KeepsConnection());
  ASSERT_EQ(field_count, 1U);
  EXPECT_EQ(fields[0].value, "7");
}

}  // namespace
}  // namespace weir::http
