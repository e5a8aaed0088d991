// A server's answer means the same however it is split, keeps no more than it was told to, and ends or fails.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/response_parser.h"
#include "storage/check.h"

namespace {

using weir::http::Response;
using weir::http::ResponseParser;

constexpr std::size_t kKeptBytesMax = 16;

struct Outcome {
  ResponseParser::Step step = ResponseParser::Step::kNeedMore;
  std::size_t consumed = 0;
  ResponseParser::Step at_close = ResponseParser::Step::kNeedMore;
  Response response;

  bool operator==(const Outcome& other) const {
    if (step != other.step || at_close != other.at_close) return false;
    if (step == ResponseParser::Step::kError) return true;
    return consumed == other.consumed && response.status == other.response.status &&
           response.keep_alive == other.response.keep_alive &&
           response.retry_after == other.response.retry_after &&
           response.body_start == other.response.body_start;
  }
};

Outcome Feed(ResponseParser& parser, std::string_view bytes, std::size_t first_bytes,
             std::size_t piece_bytes) {
  parser.Reset();
  Outcome outcome;
  std::size_t piece = first_bytes;
  while (outcome.consumed < bytes.size() && outcome.step == ResponseParser::Step::kNeedMore) {
    const std::string copy(bytes.substr(outcome.consumed, piece));
    std::size_t consumed = 0;
    outcome.step = parser.Feed(copy, consumed);
    WEIR_CHECK(consumed <= copy.size());
    WEIR_CHECK(outcome.step != ResponseParser::Step::kNeedMore || consumed == copy.size());
    outcome.consumed += consumed;
    piece = piece_bytes;
  }
  outcome.at_close = parser.Finish();
  WEIR_CHECK(outcome.at_close != ResponseParser::Step::kNeedMore);
  outcome.response = parser.response();
  WEIR_CHECK(outcome.response.body_start.size() <= kKeptBytesMax);
  // 101 ends HTTP on this connection, so it is no interim answer (RFC 9110 §15.2.2).
  const int status = outcome.response.status;
  WEIR_CHECK(outcome.at_close == ResponseParser::Step::kError || status >= 200 || status == 101);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ResponseParser parser(kKeptBytesMax);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = Feed(parser, bytes, size, size);
  WEIR_CHECK(Feed(parser, bytes, 1, 1) == whole);
  WEIR_CHECK(Feed(parser, bytes, size / 2 + 1, size) == whole);
  return 0;
}
