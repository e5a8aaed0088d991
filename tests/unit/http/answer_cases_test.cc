// Every document of tests/cases/answers, fed whole, cut in two and byte by byte: what is understood must be what the
// document says, and the same each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/response_parser.h"
#include "tests/unit/http/case_document.h"

namespace weir::http {

namespace {

using Step = ResponseParser::Step;

constexpr std::size_t kKeptBytesMax = 64;
constexpr std::size_t kLongBytes = 4000;  // past it not every cut is tried

struct Understood {
  Step open = Step::kNeedMore;    // with the connection open
  Step closed = Step::kNeedMore;  // after its end
  int status = 0;
  bool keep_alive = false;
  std::string retry_after = {};
  std::string body = {};
  bool operator==(const Understood&) const = default;
};

void PrintTo(const Understood& understood, std::ostream* out) {
  *out << "open " << static_cast<int>(understood.open) << " closed " << static_cast<int>(understood.closed)
       << " status " << understood.status << " keep_alive " << understood.keep_alive << " retry_after '"
       << understood.retry_after << "' body '" << understood.body << "'";
}

// Each piece in a block of exactly its size, so that ASan sees a view that outlives it.
Understood Feed(std::string_view bytes, std::size_t first_bytes, std::size_t piece_bytes) {
  ResponseParser parser(kKeptBytesMax);
  Understood understood;
  std::size_t at = 0;
  for (std::size_t piece = first_bytes; at < bytes.size() && understood.open == Step::kNeedMore;
       piece = piece_bytes) {
    const std::vector<char> copy(
        bytes.begin() + static_cast<std::ptrdiff_t>(at),
        bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + piece)));
    std::size_t consumed = 0;
    understood.open = parser.Feed({copy.data(), copy.size()}, consumed);
    at += consumed;
  }
  understood.closed = parser.Finish();
  if (understood.closed == Step::kError) return understood;
  understood.status = parser.response().status;
  understood.keep_alive = parser.response().keep_alive;
  understood.retry_after = parser.response().retry_after.value_or("");
  understood.body = parser.response().body_start;
  return understood;
}

Understood Documented(const CaseDocument& document) {
  auto expected = [&](const std::string& key) {
    const auto found = document.expect.find(key);
    return found == document.expect.end() ? std::string() : Unescape(found->second);
  };
  const bool ends_with_connection = expected("ends") == "with the connection";
  if (expected("status") == "none") {
    return {.open = ends_with_connection ? Step::kNeedMore : Step::kError, .closed = Step::kError};
  }
  return {.open = ends_with_connection ? Step::kNeedMore : Step::kDone,
          .closed = Step::kDone,
          .status = std::stoi(expected("status")),
          .keep_alive = expected("keep_alive") == "yes",
          .retry_after = expected("retry_after"),
          .body = expected("body")};
}

class AnswerCase : public testing::TestWithParam<CaseDocument> {};

TEST_P(AnswerCase, IsUnderstoodAsTheDocumentSaysHoweverItArrives) {
  const std::string& bytes = GetParam().bytes;
  const Understood expected = Documented(GetParam());
  EXPECT_EQ(Feed(bytes, bytes.size(), bytes.size()), expected) << "whole";
  const std::size_t stride = bytes.size() <= kLongBytes ? 1 : bytes.size() / 50;
  for (std::size_t cut = 1; cut < bytes.size() && !HasFailure(); cut += stride) {
    EXPECT_EQ(Feed(bytes, cut, bytes.size()), expected) << "cut after byte " << cut;
  }
  EXPECT_EQ(Feed(bytes, 1, 1), expected) << "byte by byte";
}

std::string NameOf(const testing::TestParamInfo<CaseDocument>& info) {
  std::string name = info.param.name;
  std::ranges::replace_if(
      name, [](char byte) { return std::isalnum(static_cast<unsigned char>(byte)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cases, AnswerCase, testing::ValuesIn(ReadCaseDocuments(WEIR_TEST_CASES "/answers")),
                         NameOf);

}  // namespace
}  // namespace weir::http
