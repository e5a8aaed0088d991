// Every document of tests/cases/http, parsed whole, cut in two at every point, and byte by byte: the result
// must be the expected one, and the same each time. Each prefix is a heap block of exactly its size, so that
// ASan sees a view that outlives its buffer and a byte read past the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include "engine/http/request_parser.h"
#include "engine/http/response_writer.h"
#include "tests/unit/http/case_document.h"
#include "tests/unit/http/observe_request.h"

namespace weir::http {

namespace {

// All of them for a request of ordinary length; of a long one the first, the last, and about 400 between.
std::vector<std::size_t> SplitPoints(std::size_t size) {
  const std::size_t stride = size <= 2000 ? 1 : size / 400;
  std::vector<std::size_t> points;
  for (std::size_t at = 1; at < size; at += (at < 300 || at + 50 > size) ? 1 : stride) points.push_back(at);
  return points;
}

class HttpCase : public testing::TestWithParam<CaseDocument> {
 protected:
  RequestParser parser_{RequestParser::Limits{}};
};

void ExpectSummary(const Summary& summary, const Summary& expected, const std::string& how) {
  EXPECT_TRUE(summary == expected) << how << "\n  saw      " << Describe(summary) << "\n  expected "
                                   << Describe(expected);
}

void ExpectDocumented(const Summary& summary, const CaseDocument& document) {
  EXPECT_EQ(summary.contains("error"), document.expect.contains("error")) << Describe(summary);
  EXPECT_EQ(summary.contains("incomplete"), document.expect.contains("incomplete")) << Describe(summary);
  for (const auto& [key, value] : document.expect) {
    if (key == "status") continue;
    ASSERT_TRUE(summary.contains(key)) << key << " in " << Describe(summary);
    EXPECT_EQ(summary.at(key), Unescape(value)) << key;
  }
  if (!summary.contains("error") && !summary.contains("incomplete")) {
    EXPECT_EQ(summary.at("rest_bytes"), "0") << "the case ends where its request does";
  }
}

TEST_P(HttpCase, MeansWhatTheDocumentSaysHoweverItArrives) {
  const std::string& bytes = GetParam().bytes;
  const std::array whole = {bytes.size()};
  const Summary summary = Observe(parser_, bytes, whole);
  ExpectDocumented(summary, GetParam());
  if (summary.contains("error")) {
    EXPECT_EQ(std::to_string(AnswerTo(parser_.error()).status), GetParam().expect.at("status"));
  }

  for (const std::size_t point : SplitPoints(bytes.size())) {
    const std::array ends = {point, bytes.size()};
    ExpectSummary(Observe(parser_, bytes, ends), summary, "cut after byte " + std::to_string(point));
    if (HasFailure()) return;
  }
  std::vector<std::size_t> every_byte(bytes.size());
  std::iota(every_byte.begin(), every_byte.end(), std::size_t{1});
  ExpectSummary(Observe(parser_, bytes, every_byte), summary, "byte by byte");
}

std::string NameOf(const testing::TestParamInfo<CaseDocument>& info) {
  std::string name = info.param.name;
  std::ranges::replace_if(
      name, [](char byte) { return std::isalnum(static_cast<unsigned char>(byte)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cases, HttpCase, testing::ValuesIn(ReadCaseDocuments(WEIR_TEST_CASES "/http")),
                         NameOf);

}  // namespace
}  // namespace weir::http
