#include "tests/unit/http/observe_request.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/http/request.h"
#include "engine/http/request_parser.h"
#include "engine/limits.h"

namespace weir::http {

namespace {

constexpr std::size_t kBodyBytesMax = limits::kMiB;

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
    case ParseError::kTooMuchFraming:
      return "too_much_framing";
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

}  // namespace

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

std::string Describe(const Summary& summary) {
  std::string text;
  for (const auto& [key, value] : summary) {
    text += key + "=" + '"' + value.substr(0, 60) + '"' + " ";
  }
  return text;
}

}  // namespace weir::http
