// Every document of tests/cases/http, parsed whole, cut in two at every point, and byte by byte: the result
// must be the expected one, and the same each time. Each prefix is a heap block of exactly its size, so that
// ASan sees a view that outlives its buffer and a byte read past the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <map>
#include <memory>
#include <numeric>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/request.h"
#include "engine/http/request_parser.h"
#include "engine/http/response_writer.h"
#include "engine/limits.h"
#include "tests/unit/http/case_document.h"

namespace weir::http {

void PrintTo(const CaseDocument& document, std::ostream* out) {
  *out << document.name;
}

namespace {

constexpr std::size_t kBodyBytesMax = limits::kMiB;

using Summary = std::map<std::string, std::string>;

std::string ErrorName(ParseError error) {
  switch (error) {
    case ParseError::kMalformed:
      return "malformed";
    case ParseError::kHeadTooLarge:
      return "head_too_large";
    case ParseError::kTargetTooLong:
      return "target_too_long";
    case ParseError::kTooManyFields:
      return "too_many_fields";
    case ParseError::kVersionNotSupported:
      return "version_not_supported";
    case ParseError::kMissingHost:
      return "missing_host";
    case ParseError::kBadContentLength:
      return "bad_content_length";
    case ParseError::kBadTransferEncoding:
      return "bad_transfer_encoding";
    case ParseError::kExpectationFailed:
      return "expectation_failed";
    case ParseError::kBadChunk:
      return "bad_chunk";
    case ParseError::kChunkExtensionTooLarge:
      return "chunk_extension_too_large";
    case ParseError::kBodyTooLarge:
      return "body_too_large";
  }
  return "?";
}

std::string YesNo(bool value) {
  return value ? "yes" : "no";
}

class Block {
 public:
  explicit Block(std::string_view bytes)
      : size_(bytes.size()), bytes_(std::make_unique_for_overwrite<char[]>(size_)) {
    std::ranges::copy(bytes, bytes_.get());
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

Summary SummaryOf(const RequestParser& parser, const Request& request) {
  Summary summary;
  summary["method"] = request.method_text;
  summary["method_enum"] = MethodName(request.method);
  summary["target"] = request.target;
  summary["path"] = request.path;
  summary["query"] = request.query;
  summary["minor_version"] = std::to_string(request.minor_version);
  summary["keep_alive"] = YesNo(request.keep_alive);
  summary["expect_continue"] = YesNo(request.expect_continue);
  summary["chunked"] = YesNo(request.chunked);
  summary["content_length"] = request.content_length ? std::to_string(*request.content_length) : "none";
  summary["header_block"] = request.header_block;
  summary["fields"] = std::to_string(request.field_count);
  summary["head_bytes"] = std::to_string(parser.head_bytes());
  for (const Field& field : request.fields()) {
    summary["field_list"].append(field.name).append("\x1e").append(field.value).append("\x1f");
  }
  return summary;
}

Summary ErrorSummary(const RequestParser& parser) {
  return {{"error", ErrorName(parser.error())}, {"detail", std::string(parser.error_detail())}};
}

// Reads the body of a parsed head from bytes[at..), in the pieces that end at `ends`.
void ReadBody(RequestParser& parser, std::string_view bytes, std::size_t at,
              std::span<const std::size_t> ends, bool chunked, std::size_t content_length, Summary& summary) {
  std::string body;
  bool complete = !chunked && content_length == 0;
  for (const std::size_t end : ends) {
    if (complete || end <= at) continue;
    if (!chunked) {
      complete = end - at >= content_length;
      if (complete) {
        body = bytes.substr(at, content_length);
        at += content_length;
      }
      continue;
    }
    const Block piece(bytes.substr(at, end - at));
    std::size_t consumed = 0;
    const RequestParser::Step step = parser.DecodeChunked(piece.view(), body, kBodyBytesMax, consumed);
    at += consumed;
    if (step == RequestParser::Step::kError) {
      summary = ErrorSummary(parser);
      return;
    }
    complete = step == RequestParser::Step::kDone;
  }
  if (!complete) {
    summary["incomplete"] = "yes";
    return;
  }
  summary["body"] = body;
  summary["rest_bytes"] = std::to_string(bytes.size() - at);
}

// What a connection would see whose reads ended at `ends`.
Summary Observe(RequestParser& parser, std::string_view bytes, std::span<const std::size_t> ends) {
  parser.Reset();
  std::unique_ptr<Block> buffer;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    buffer = std::make_unique<Block>(bytes.substr(0, ends[i]));
    switch (parser.ParseHead(buffer->view())) {
      case RequestParser::Step::kNeedMore:
        continue;
      case RequestParser::Step::kError:
        return ErrorSummary(parser);
      case RequestParser::Step::kDone:
        break;
    }
    const Request& request = parser.request();
    Summary summary = SummaryOf(parser, request);
    ReadBody(parser, bytes, parser.head_bytes(), ends.subspan(i), request.chunked,
             request.content_length.value_or(0), summary);
    return summary;
  }
  return {{"incomplete", "yes"}};
}

// All of them for a request of ordinary length; of a long one the first, the last, and about 400 between.
std::vector<std::size_t> SplitPoints(std::size_t size) {
  const std::size_t stride = size <= 2000 ? 1 : size / 400;
  std::vector<std::size_t> points;
  for (std::size_t at = 1; at < size; at += (at < 300 || at + 50 > size) ? 1 : stride) points.push_back(at);
  return points;
}

std::string Describe(const Summary& summary) {
  std::string text;
  for (const auto& [key, value] : summary) {
    text += key + "=" + testing::PrintToString(value.substr(0, 60)) + " ";
  }
  return text;
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
