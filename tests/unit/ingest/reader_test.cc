// Bytes to requests without a socket: every place where a request can be cut, and time as an argument.
#include "engine/ingest/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/limits.h"
#include "tests/unit/ingest/desk.h"

namespace weir::ingest {
namespace {

using State = Connection::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReaderTest : public ::testing::Test, protected Desk {
 protected:
  Connection& NewConnection() { return *connections_.Take(-1); }

  // As from a receive buffer: with slack behind it, and gone after the call.
  void Receive(Connection& connection, std::string_view bytes) {
    std::string buffer(bytes);
    buffer.append(limits::kJsonPaddingBytes, '\0');
    reader_.OnBytes(connection, std::string_view(buffer).substr(0, bytes.size()), now_);
    buffer.assign(buffer.size(), '#');
  }
  void Advance(std::int64_t milliseconds) { now_.monotonic_ns += milliseconds * 1'000'000; }
  std::string Answers(Connection& connection) {
    std::string out;
    answers_.WriteReady(connection, now_, out);
    return out;
  }
};

TEST_F(ReaderTest, WhereverARequestIsCutItIsTheSameRequest) {
  const std::string bytes = Delivery{.id = "1", .body = R"({"first":1})"}.Bytes() +
                            Delivery{.id = "2", .body = R"({"second":2})"}.Bytes();
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    Connection& connection = NewConnection();
    Receive(connection, bytes.substr(0, cut));
    Receive(connection, bytes.substr(cut));
    ASSERT_THAT(Bodies(), ElementsAre(R"({"first":1})", R"({"second":2})")) << "cut at " << cut;
    EXPECT_EQ(connection.partial, nullptr);
    EXPECT_EQ(connection.phase_deadline_ms, 0);
    Answers(connection);
    connection.state = State::kClosing;
    connections_.Release(connection);
  }
  EXPECT_EQ(inflight_.Current(), 0);
}

TEST_F(ReaderTest, WhereverAChunkedRequestIsCutItIsTheSameRequest) {
  const Delivery chunked{.id = "1",
                         .body = "4;x=y\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n",
                         .chunked = true,
                         .signed_body = R"({"a":1})"};
  const std::string bytes = chunked.Bytes() + Delivery{.id = "2", .body = R"({"second":2})"}.Bytes();
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    Connection& connection = NewConnection();
    Receive(connection, bytes.substr(0, cut));
    Receive(connection, bytes.substr(cut));
    ASSERT_THAT(Bodies(), ElementsAre(R"({"a":1})", R"({"second":2})")) << "cut at " << cut;
    Answers(connection);
    connection.state = State::kClosing;
    connections_.Release(connection);
  }
  EXPECT_EQ(inflight_.Current(), 0);
}

TEST_F(ReaderTest, TheDeadlineOfAHeadRunsFromItsFirstByteWhateverFollows) {
  Connection& connection = NewConnection();
  const std::string head = Delivery{}.Head();
  Receive(connection, head.substr(0, 1));
  EXPECT_EQ(connection.phase_deadline_ms, now_.monotonic_ms() + limits_.header_timeout_ms);
  const std::int64_t deadline = connection.phase_deadline_ms;
  for (std::size_t i = 1; i < 50; ++i) {
    Advance(100);
    Receive(connection, head.substr(i, 1));
    ASSERT_EQ(connection.phase_deadline_ms, deadline);
  }
}

TEST_F(ReaderTest, TheDeadlineOfABodyRunsFromItsHeadAndTheNextHeadsFromItsOwnFirstByte) {
  Connection& connection = NewConnection();
  const Delivery first{.id = "1"};
  Receive(connection, first.Head());
  EXPECT_EQ(connection.phase_deadline_ms, now_.monotonic_ms() + limits_.body_timeout_ms);
  const std::int64_t deadline = connection.phase_deadline_ms;
  Advance(1000);
  Receive(connection, first.body.substr(0, 3));
  EXPECT_EQ(connection.phase_deadline_ms, deadline);
  Advance(1000);
  Receive(connection, first.body.substr(3) + "POST /webh");
  EXPECT_EQ(connection.phase_deadline_ms, now_.monotonic_ms() + limits_.header_timeout_ms);
}

TEST_F(ReaderTest, APausedConnectionIsNotHurriedAndKeepsABoundedBacklog) {
  Connection& connection = NewConnection();
  std::string bytes;
  for (std::size_t i = 0; i < limits::kPipelinedRequestsMax + 1; ++i) {
    bytes += Delivery{.id = std::to_string(i)}.Bytes();
  }
  Receive(connection, bytes + "POST /");
  EXPECT_TRUE(connection.paused);
  EXPECT_EQ(connection.pending_count, limits::kPipelinedRequestsMax);
  EXPECT_EQ(connection.phase_deadline_ms, 0);
  EXPECT_EQ(Bodies().size(), limits::kPipelinedRequestsMax);

  Answers(connection);
  reader_.Resume(connection, now_);
  EXPECT_EQ(Bodies().size(), 1u);
  EXPECT_EQ(connection.phase_deadline_ms, now_.monotonic_ms() + limits_.header_timeout_ms);
}

TEST_F(ReaderTest, ASenderThatNeverStopsLosesItsBacklogAndKeepsItsAnswers) {
  Connection& connection = NewConnection();
  std::string bytes;
  for (std::size_t i = 0; i < limits::kPipelinedRequestsMax; ++i)
    bytes += Delivery{.id = std::to_string(i)}.Bytes();
  Receive(connection, bytes);
  ASSERT_TRUE(connection.paused);
  const std::string more(limits::kMiB / 4, 'x');
  for (int i = 0; i < 4; ++i) Receive(connection, more);
  EXPECT_EQ(connection.state, State::kServing);
  Receive(connection, "x");
  EXPECT_EQ(connection.state, State::kAnswering);
  EXPECT_EQ(connection.partial, nullptr);
  EXPECT_EQ(Bodies().size(), limits::kPipelinedRequestsMax);
  EXPECT_THAT(Answers(connection), HasSubstr("Connection: close"));
  EXPECT_EQ(inflight_.Current(), 0);
}

TEST_F(ReaderTest, ABodyIsChargedAsItArrivesNotAsItIsAnnounced) {
  Connection& connection = NewConnection();
  Receive(connection, Delivery{.body = std::string(3'000'000, 'x')}.Head());
  EXPECT_LT(inflight_.Current(), 4096);
  Receive(connection, std::string(500'000, 'x'));
  EXPECT_GT(inflight_.Current(), 500'000);
  EXPECT_LT(inflight_.Current(), 1'100'000);
  reader_.Forget(connection);
  EXPECT_EQ(inflight_.Current(), 0);
}

TEST_F(ReaderTest, ARequestThatArrivedWholeIsChargedUntilItsCommitOnly) {
  Connection& connection = NewConnection();
  Receive(connection, Delivery{}.Bytes());
  EXPECT_EQ(connection.partial, nullptr);
  EXPECT_GT(inflight_.Current(), 0);
  Bodies();
  EXPECT_EQ(inflight_.Current(), 0);
}

}  // namespace
}  // namespace weir::ingest
