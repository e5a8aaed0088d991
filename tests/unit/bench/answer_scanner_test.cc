#include "bench/answer_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::bench {
namespace {

TEST(AnswerScanner, ReadsAWholeAnswer) {
  const std::string_view bytes = "HTTP/1.1 202 Accepted\r\nX-Request-Id: 1\r\nContent-Length: 4\r\n\r\nbody";
  const auto answer = ScanAnswer(bytes);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->bytes, bytes.size());
  EXPECT_TRUE(answer->keep_alive);
}

TEST(AnswerScanner, LeavesWhatFollowsAlone) {
  const auto answer = ScanAnswer("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\nHTTP/1.1 200 OK\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->bytes, std::string_view("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n").size());
}

TEST(AnswerScanner, SeesThatTheConnectionWillClose) {
  const auto answer =
      ScanAnswer("HTTP/1.1 400 Bad Request\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->keep_alive);
}

TEST(AnswerScanner, WaitsForEveryByte) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ScanAnswer(std::string_view(whole).substr(0, size))) << size;
  }
}

TEST(AnswerScanner, LeavesTheUncommonToTheParser) {
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 200 OK\r\n\r\nuntil the close"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 200 OK\r\nConnection: keep-alive, x\r\nContent-Length: 0\r\n\r\n"));
}

TEST(AnswerScanner, RefusesNonsense) {
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(ScanAnswer("SSH-2.0-OpenSSH\r\n\r\n"));
}

}  // namespace
}  // namespace weir::bench
