// A request means the same however it is split; its views stay inside its bytes; what is kept of it adds up.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/request_parser.h"
#include "storage/check.h"
#include "tests/unit/http/observe_request.h"

namespace {

using weir::http::Describe;
using weir::http::Field;
using weir::http::Observe;
using weir::http::Request;
using weir::http::RequestParser;
using weir::http::Summary;

constexpr std::size_t kByteByByteMax = 600;  // quadratic in the head's size, so only for short inputs

void CheckSame(const Summary& summary, const Summary& whole) {
  if (summary == whole) return;
  std::fprintf(stderr, "split: %s\nwhole: %s\n", Describe(summary).c_str(), Describe(whole).c_str());
  WEIR_CHECK(summary == whole);
}

bool IsInside(std::string_view part, std::string_view whole) {
  if (part.empty()) return true;
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void CheckViews(RequestParser& parser, std::string_view bytes) {
  parser.Reset();
  if (parser.ParseHead(bytes) != RequestParser::Step::kDone) return;
  const Request& request = parser.request();
  WEIR_CHECK(parser.head_bytes() <= bytes.size());
  const std::string_view head = bytes.substr(0, parser.head_bytes());
  WEIR_CHECK(head.ends_with("\r\n\r\n"));
  WEIR_CHECK(IsInside(request.target, head) && IsInside(request.header_block, head));
  WEIR_CHECK(request.path == "/" || request.path == "*" || IsInside(request.path, request.target));
  WEIR_CHECK(IsInside(request.query, request.target));
  WEIR_CHECK(!request.chunked || (!request.content_length && request.minor_version == 1));
  WEIR_CHECK(static_cast<std::size_t>(std::ranges::count(request.header_block, '\n')) == request.field_count);
  for (const Field& field : request.fields()) {
    WEIR_CHECK(!field.name.empty() && IsInside(field.name, request.header_block));
    WEIR_CHECK(IsInside(field.value, request.header_block));
    WEIR_CHECK(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static RequestParser parser{RequestParser::Limits{}};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckViews(parser, bytes);

  const std::array whole_end = {size};
  const Summary whole = Observe(parser, bytes, whole_end);
  for (const std::size_t cut : {size / 4, size / 2, size - size / 3, size - 1}) {
    if (cut == 0 || cut >= size) continue;
    const std::array ends = {cut, size};
    CheckSame(Observe(parser, bytes, ends), whole);
  }
  if (size <= kByteByByteMax) {
    std::vector<std::size_t> every_byte(size);
    std::iota(every_byte.begin(), every_byte.end(), std::size_t{1});
    CheckSame(Observe(parser, bytes, every_byte), whole);
  }
  return 0;
}
