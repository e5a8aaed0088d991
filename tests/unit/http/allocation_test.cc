// The shard's path allocates nothing a request: a parser that was made once reads head after head without the
// heap.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "engine/http/request_parser.h"
#include "engine/http/response_parser.h"
#include "engine/http/response_writer.h"

namespace {
std::size_t allocations = 0;
}  // namespace

// NOLINTBEGIN(clang-analyzer-cplusplus.NewDelete): the analyzer takes free() here for a second deallocation.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t /*size*/) noexcept {
  std::free(block);
}
// NOLINTEND(clang-analyzer-cplusplus.NewDelete)

namespace weir::http {
namespace {

constexpr std::string_view kRequest =
    "POST /webhooks/acme?a=b HTTP/1.1\r\nHost: weir\r\nX-Signature: "
    "sha256=0123456789abcdef0123456789abcdef\r\n"
    "Content-Length: 3\r\n\r\nabc";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

TEST(AllocationTest, ReadingHeadsAllocatesNothing) {
  RequestParser parser{RequestParser::Limits{}};
  const std::size_t before = allocations;
  bool all_read = true;
  for (int i = 0; i < 10; ++i) {
    parser.Reset();
    all_read = all_read && parser.ParseHead(kRequest.substr(0, 50)) == RequestParser::Step::kNeedMore;
    all_read = all_read && parser.ParseHead(kRequest) == RequestParser::Step::kDone;
  }
  EXPECT_EQ(allocations, before);
  EXPECT_TRUE(all_read);
}

TEST(AllocationTest, RefusingARequestAllocatesNothing) {
  RequestParser parser{RequestParser::Limits{}};
  const std::size_t before = allocations;
  const RequestParser::Step step = parser.ParseHead("POST / HTTP/1.1\r\nHost: a/b\r\n\r\n");
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(step, RequestParser::Step::kError);
}

TEST(AllocationTest, DecodingChunksAllocatesOnlyForTheBody) {
  RequestParser parser{RequestParser::Limits{}};
  std::string decoded;
  decoded.reserve(100);
  std::size_t consumed = 0;
  const std::size_t before = allocations;
  const auto step = parser.DecodeChunked("3;a\r\nabc\r\n0\r\nX: y\r\n\r\n", decoded, 100, consumed);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(step, RequestParser::Step::kDone);
}

TEST(AllocationTest, ReadingAnswersAllocatesNothingAfterTheFirst) {
  ResponseParser parser(256);
  std::size_t consumed = 0;
  bool all_read = parser.Feed(kAnswer, consumed) == ResponseParser::Step::kDone;
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) {
    parser.Reset();
    all_read = all_read && parser.Feed(kAnswer, consumed) == ResponseParser::Step::kDone;
  }
  EXPECT_EQ(allocations, before);
  EXPECT_TRUE(all_read);
}

TEST(AllocationTest, WritingIntoAStringWithRoomAllocatesNothing) {
  std::string out;
  out.reserve(1000);
  const std::size_t before = allocations;
  AppendResponse(out, {.status = 202, .request_id = "0123456789abcdef"}, R"({"status":"accepted"})");
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace weir::http
