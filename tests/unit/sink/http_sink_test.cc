#include "engine/sink/http_sink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "engine/limits.h"
#include "tests/support/eventually.h"
#include "tests/support/scripted_peer.h"
#include "tests/unit/sink/sink_driver.h"

namespace weir::sink {
namespace {

using observe::FailureReason;
using tests::PeerAnswer;
using tests::PeerRequest;
using tests::ScriptedPeer;

constexpr std::int64_t kLongerThanAnyTest = 3'600'000;

config::Sink To(const std::string& url, std::int64_t timeout_ms = 5'000) {
  config::Sink config;
  config.name = "peer";
  config.url = url;
  config.timeout_ms = timeout_ms;
  config.concurrency = 4;
  return config;
}

ScriptedPeer::Script Always(const PeerAnswer& answer) {
  return [answer](const PeerRequest&) { return answer; };
}

std::string RefusalOf(const config::Sink& config) {
  io::EventfdWake wake;
  auto sink = HttpSink::Create(config, wake, [](const Outcome&) {});
  return sink ? "" : sink.error();
}

TEST(HttpSink, DeliversTheBytesAndReportsTheAnswer) {
  ScriptedPeer peer(Always({.status = 202, .body = "thanks"}));
  SinkDriver driver(To(peer.url()));
  const Outcome outcome = driver.Try(7, R"({"a":1})");
  EXPECT_EQ(outcome.result, Result::kDelivered);
  EXPECT_EQ(outcome.token, 7u);
  EXPECT_EQ(outcome.summary, "202");
  EXPECT_EQ(outcome.answer, "thanks");
  EXPECT_GT(outcome.duration_ns, 0);
  const auto requests = peer.requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(requests[0].head.starts_with("POST /events?x=1 HTTP/1.1\r\n"));
  EXPECT_EQ(requests[0].body, R"({"a":1})");
  EXPECT_EQ(requests[0].Header("ce-id"), "evt_7");
}

TEST(HttpSink, KeepsConnectionsAlive) {
  ScriptedPeer peer;
  SinkDriver driver(To(peer.url()));
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) {
    EXPECT_EQ(driver.Try(sequence).result, Result::kDelivered);
  }
  EXPECT_EQ(peer.connections(), 1u);
}

TEST(HttpSink, NeverOpensMoreConnectionsThanItsConcurrency) {
  ScriptedPeer peer;
  SinkDriver driver(To(peer.url()));
  EXPECT_EQ(driver.sink().Capacity(), 4u);
  std::uint64_t sequence = 0;
  for (int round = 0; round < 20; ++round) {
    while (driver.sink().Capacity() > 0) driver.Start(++sequence);
    EXPECT_EQ(driver.sink().InFlight(), 4u);
    for (const Outcome& outcome : driver.Finish()) EXPECT_EQ(outcome.result, Result::kDelivered);
  }
  EXPECT_EQ(peer.count(), 80u);
  EXPECT_LE(peer.connections(), 4u);
}

TEST(HttpSink, TakesNoMoreThanItsBytesInFlight) {
  ScriptedPeer peer;
  SinkDriver driver(To(peer.url()));
  for (std::uint64_t sequence = 1; driver.sink().Capacity() > 0; ++sequence) {
    driver.Start(sequence, std::string(limits::kSinkInFlightBytes / 2, 'x'));
  }
  EXPECT_EQ(driver.sink().InFlight(), 2u);
  EXPECT_EQ(driver.Finish().size(), 2u);
  EXPECT_EQ(driver.sink().Capacity(), 4u);
}

TEST(HttpSink, SendsABodyThatNoSocketBufferHolds) {
  ScriptedPeer peer;
  SinkDriver driver(To(peer.url()));
  std::string body(24 << 20, 'x');
  body[1 << 20] = 'y';
  EXPECT_EQ(driver.Try(1, body).result, Result::kDelivered);
  EXPECT_TRUE(peer.requests()[0].body == body);
}

TEST(HttpSink, NotesWhatTheAnswerMeans) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    if (request.Header("ce-id") == "evt_1") return {.status = 500, .body = "out of paper"};
    if (request.Header("ce-id") == "evt_2") return {.status = 429, .fields = "Retry-After: 3\r\n"};
    if (request.Header("ce-id") == "evt_3") return {.status = 410};
    return {.status = 302, .fields = "Location: http://127.0.0.1:1/\r\n"};
  });
  SinkDriver driver(To(peer.url()));
  const Outcome broken = driver.Try(1);
  EXPECT_EQ(broken.result, Result::kFailed);
  EXPECT_EQ(broken.failure, FailureReason::kStatus5xx);
  EXPECT_EQ(broken.answer, "out of paper");
  EXPECT_EQ(driver.Try(2).retry_after_ms, 3'000);
  EXPECT_EQ(driver.Try(3).result, Result::kRejected);
  EXPECT_EQ(driver.Try(4).summary, "302");
  EXPECT_EQ(peer.connections(), 1u) << "an answer that is not a success keeps the connection";
}

TEST(HttpSink, KeepsTheStartOfALongAnswer) {
  ScriptedPeer peer(Always({.status = 500, .body = std::string(100'000, 'z')}));
  SinkDriver driver(To(peer.url()));
  EXPECT_EQ(driver.Try(1).answer, std::string(limits::kSinkAnswerKeptBytes, 'z'));
  driver.Try(2);
  EXPECT_EQ(peer.connections(), 1u);
}

TEST(HttpSink, ConnectionRefusedIsAConnectFailure) {
  SinkDriver driver(To("http://127.0.0.1:" + std::to_string(tests::ClosedPort()) + "/"));
  const Outcome outcome = driver.Try(1);
  EXPECT_EQ(outcome.result, Result::kFailed);
  EXPECT_EQ(outcome.failure, FailureReason::kConnect);
  EXPECT_EQ(outcome.summary, "connection refused");
  EXPECT_EQ(driver.sink().Capacity(), 4u);
}

TEST(HttpSink, AHostWithoutAddressesCostsNoAttempt) {
  SinkDriver driver(To("http://no-such-host.invalid/"));
  const Outcome outcome = driver.Try(1);
  EXPECT_EQ(outcome.result, Result::kUnable);
  EXPECT_FALSE(outcome.failure);
  EXPECT_EQ(driver.sink().Capacity(), 4u);
  EXPECT_TRUE(outcome.summary.starts_with("cannot resolve no-such-host.invalid: ")) << outcome.summary;
}

// localhost is ::1 first on most machines; the peer is on 127.0.0.1.
TEST(HttpSink, TriesEveryAddressOfAHost) {
  ScriptedPeer peer;
  SinkDriver driver(To("http://localhost:" + std::to_string(peer.port()) + "/"));
  EXPECT_EQ(driver.Try(1).result, Result::kDelivered);
}

TEST(HttpSink, HungSinkTimesOutAndFreesItsPlace) {
  ScriptedPeer peer(Always({.kind = PeerAnswer::Kind::kHang}));
  SinkDriver driver(To(peer.url(), 50));
  const Outcome outcome = driver.Try(1);
  EXPECT_EQ(outcome.failure, FailureReason::kTimeout);
  EXPECT_EQ(outcome.summary, "timeout after 50ms");
  EXPECT_TRUE(driver.TurnUntil([&] { return driver.sink().Capacity() == 4; }));
}

TEST(HttpSink, DripDoesNotMoveTheDeadline) {
  ScriptedPeer peer(Always({.kind = PeerAnswer::Kind::kDrip}));
  SinkDriver driver(To(peer.url(), 60));
  EXPECT_EQ(driver.Try(1).failure, FailureReason::kTimeout);
}

TEST(HttpSink, OneHungAttemptHoldsUpNoOther) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.kind = request.Header("ce-id") == "evt_1" ? PeerAnswer::Kind::kHang : PeerAnswer::Kind::kAnswer};
  });
  SinkDriver driver(To(peer.url(), 1'000));
  driver.Start(1);
  for (std::uint64_t sequence = 2; sequence < 50; ++sequence) {
    driver.Start(sequence);
    ASSERT_TRUE(driver.TurnUntil([&] { return driver.sink().InFlight() == 1; }));
  }
  const auto outcomes = driver.Finish();
  ASSERT_EQ(outcomes.size(), 49u);
  EXPECT_EQ(outcomes[0].failure, FailureReason::kTimeout);
  for (std::size_t i = 1; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i].result, Result::kDelivered);
}

TEST(HttpSink, BrokenAnswersAreFailures) {
  const struct {
    PeerAnswer answer;
    std::string summary;
  } cases[] = {
      {{.kind = PeerAnswer::Kind::kReset}, "connection reset by peer"},
      {{.kind = PeerAnswer::Kind::kClose}, "closed without an answer"},
      {{.kind = PeerAnswer::Kind::kVerbatim, .body = "HTTP/1.1 2"}, "closed mid-answer"},
      {{.kind = PeerAnswer::Kind::kVerbatim, .body = "SSH-2.0-OpenSSH_9.2\r\n\r\n"}, "not an HTTP answer"}};
  for (const auto& broken : cases) {
    ScriptedPeer peer(Always(broken.answer));
    SinkDriver driver(To(peer.url()));
    const Outcome outcome = driver.Try(1);
    EXPECT_EQ(outcome.result, Result::kFailed) << broken.summary;
    EXPECT_EQ(outcome.failure, FailureReason::kProtocol) << broken.summary;
    EXPECT_EQ(outcome.summary, broken.summary);
    EXPECT_EQ(peer.count(), 1u) << "on a fresh connection it is not sent again at once";
  }
}

// The sink did what it was asked and said so. What became of its answer afterwards is no reason to ask again.
TEST(HttpSink, StatusLineStandsHoweverTheAnswerEnds) {
  using Kind = PeerAnswer::Kind;
  constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
  const struct {
    Kind kind;
    std::string bytes;
  } cases[] = {{Kind::kVerbatim, std::string(kHead) + "abc"},
               {Kind::kVerbatimReset, std::string(kHead) + "abc"},
               {Kind::kVerbatimReset, "HTTP/1.1 200 OK\r\nContent-Le"},
               {Kind::kVerbatimHang, std::string(kHead) + "abc"},
               {Kind::kVerbatimHang, "HTTP/1.1 200 OK\r\n"},
               {Kind::kVerbatimHang, "HTTP/1.1 200 OK\r\n\r\n"},
               {Kind::kVerbatimHang, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc"},
               {Kind::kVerbatimHang, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nabc"}};
  for (const auto& [kind, bytes] : cases) {
    ScriptedPeer peer(Always({.kind = kind, .body = bytes}));
    SinkDriver driver(To(peer.url(), 200));
    const Outcome outcome = driver.Try(1);
    EXPECT_EQ(outcome.result, Result::kDelivered) << bytes;
    EXPECT_EQ(outcome.summary, "200") << bytes;
    EXPECT_EQ(peer.count(), 1u) << bytes;
    EXPECT_EQ(driver.Try(2).result, Result::kDelivered) << bytes;
    EXPECT_EQ(peer.connections(), 2u) << "the connection pays: " << bytes;
  }
}

TEST(HttpSink, RefusalStandsHoweverTheAnswerEnds) {
  ScriptedPeer peer(Always({.kind = PeerAnswer::Kind::kVerbatimReset,
                            .body = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nabc"}));
  SinkDriver driver(To(peer.url()));
  const Outcome outcome = driver.Try(1);
  EXPECT_EQ(outcome.failure, FailureReason::kThrottled);
  EXPECT_EQ(outcome.retry_after_ms, 7'000);
  EXPECT_EQ(outcome.answer, "abc");
}

// A worker that is stopped while it waits for a body would send the event again.
TEST(HttpSink, AnAttemptEndsWithItsStatusLineAndItsConnectionWithTheRest) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    if (request.Header("ce-id") != "evt_1") return {};
    return {.kind = PeerAnswer::Kind::kVerbatimHang,
            .body = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"};
  });
  SinkDriver driver(To(peer.url(), kLongerThanAnyTest));
  EXPECT_EQ(driver.Try(1).result, Result::kDelivered);
  EXPECT_EQ(driver.sink().Capacity(), 3u) << "the rest of the answer may still come";
  EXPECT_EQ(driver.Try(2).result, Result::kDelivered);
  driver.Close();
  EXPECT_TRUE(peer.WaitForEnd());
}

TEST(HttpSink, ARefusalThatNeverEndsIsOverSoonAndKeepsWhatCameOfIt) {
  ScriptedPeer peer(Always({.kind = PeerAnswer::Kind::kVerbatimHang,
                            .body = "HTTP/1.1 410 Gone\r\nContent-Length: 9\r\n\r\nabc"}));
  auto config = To(peer.url(), kLongerThanAnyTest);
  config.dead_letter_statuses = {410};
  SinkDriver driver(config);
  const Outcome outcome = driver.Try(1);
  EXPECT_EQ(outcome.result, Result::kRejected);
  EXPECT_EQ(outcome.answer, "abc");
  EXPECT_TRUE(driver.TurnUntil([&] { return driver.sink().Capacity() == 4; }));
}

// In the same segment as the answer: whose they are is not asked.
TEST(HttpSink, BytesBehindAnAnswerAreNeverTheNextOnes) {
  ScriptedPeer peer(Always(
      {.kind = PeerAnswer::Kind::kVerbatimHang,
       .body = "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}));
  SinkDriver driver(To(peer.url()));
  EXPECT_EQ(driver.Try(1).summary, "500");
  EXPECT_EQ(driver.Try(2).summary, "500");
  EXPECT_EQ(peer.connections(), 2u);
}

TEST(HttpSink, AnswerWithoutALengthEndsWithTheConnection) {
  ScriptedPeer peer(Always({.kind = PeerAnswer::Kind::kVerbatim, .body = "HTTP/1.0 200 OK\r\n\r\nfine"}));
  SinkDriver driver(To(peer.url()));
  const Outcome outcome = driver.Try(1);
  EXPECT_EQ(outcome.result, Result::kDelivered);
  EXPECT_EQ(outcome.answer, "fine");
}

TEST(HttpSink, EndOfKeepAliveIsNoticedWhileIdle) {
  ScriptedPeer peer;
  SinkDriver driver(To(peer.url()));
  driver.Try(1);
  peer.CloseAll();
  EXPECT_EQ(driver.Try(2).result, Result::kDelivered);
  EXPECT_EQ(peer.connections(), 2u);
}

// The close and the request cross each other: the peer reads the request and closes without answering it.
TEST(HttpSink, RequestIntoADyingKeptConnectionGoesOnceMoreOverAFreshOne) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.kind = request.connection == 1 && request.number == 2 ? PeerAnswer::Kind::kReset
                                                                   : PeerAnswer::Kind::kAnswer};
  });
  SinkDriver driver(To(peer.url()));
  driver.Try(1);
  EXPECT_EQ(driver.Try(2).result, Result::kDelivered);
  EXPECT_EQ(peer.count(), 3u);
  EXPECT_EQ(peer.connections(), 2u);
}

TEST(HttpSink, ButOnlyOnce) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    return {.kind =
                request.Header("ce-id") == "evt_2" ? PeerAnswer::Kind::kReset : PeerAnswer::Kind::kAnswer};
  });
  SinkDriver driver(To(peer.url()));
  driver.Try(1);
  EXPECT_EQ(driver.Try(2).failure, FailureReason::kProtocol);
  EXPECT_EQ(peer.count(), 3u);
}

TEST(HttpSink, NotWhenAnAnswerHadBegun) {
  ScriptedPeer peer([](const PeerRequest& request) -> PeerAnswer {
    if (request.number == 2) return {.kind = PeerAnswer::Kind::kVerbatim, .body = "HTTP/1.1 2"};
    return {};
  });
  SinkDriver driver(To(peer.url()));
  driver.Try(1);
  EXPECT_EQ(driver.Try(2).summary, "closed mid-answer");
  EXPECT_EQ(peer.count(), 2u);
}

TEST(HttpSink, WakeEndsAWait) {
  ScriptedPeer peer;
  SinkDriver driver(To(peer.url()));
  driver.Try(1);
  std::atomic<bool> returned{false};
  const std::jthread waker([&] {
    driver.wake().Signal();
    EXPECT_TRUE(tests::Eventually([&] { return returned.load(); }));
  });
  driver.Turn(std::chrono::milliseconds(2 * tests::kEventually).count());
  returned = true;
}

// The backlog of a listener that accepts nobody is full: a further connect waits for ever.
TEST(HttpSink, AHostThatAnswersNoConnectIsGivenUpLongBeforeTheAttempt) {
  const auto target = io::NumericAddress("127.0.0.1", 0);
  const auto listener = io::OpenStream(AF_INET);
  ASSERT_TRUE(target && listener);
  ASSERT_EQ(bind(listener->get(), target->get(), target->length), 0);
  ASSERT_EQ(listen(listener->get(), 0), 0);
  sockaddr_in bound{};
  socklen_t length = sizeof bound;
  ASSERT_EQ(getsockname(listener->get(), reinterpret_cast<sockaddr*>(&bound), &length), 0);
  std::vector<io::Descriptor> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(*io::OpenStream(AF_INET));
    ASSERT_EQ(fcntl(waiting.back().get(), F_SETFL, O_NONBLOCK), 0);
    // Answered at once or later: what counts is that nobody accepts it.
    std::ignore = connect(waiting.back().get(), reinterpret_cast<const sockaddr*>(&bound), length);
  }
  auto config = To("http://127.0.0.1:" + std::to_string(ntohs(bound.sin_port)) + "/");
  config.timeout_ms = 9'000;
  SinkDriver driver(config);
  EXPECT_EQ(driver.Try(1).summary, "no connection within 5s");
}

TEST(HttpSink, CanBeDestroyedWithAttemptsInFlight) {
  ScriptedPeer peer(Always({.kind = PeerAnswer::Kind::kHang}));
  SinkDriver driver(To(peer.url()));
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence)
    driver.Start(sequence, std::string(8 << 20, 'x'));
  driver.Turn(0);
  driver.Close();
  EXPECT_TRUE(peer.WaitForEnd()) << "its connections end with it";
}

TEST(HttpSink, RefusesAUrlItCannotServe) {
  EXPECT_NE(RefusalOf(To("https://example.com/")).find("https"), std::string::npos);
  EXPECT_NE(RefusalOf(To("ftp://example.com/")), "");
  EXPECT_NE(RefusalOf(To("http://user:pass@example.com/")), "");
  EXPECT_NE(RefusalOf(To("http://example.com/\r\nX-Evil: 1")), "");
  EXPECT_EQ(RefusalOf(To("http://example.com/x")), "");
}

TEST(HttpSink, RefusesASecretThatCannotBeMeant) {
  auto config = To("http://127.0.0.1/");
  config.secrets = {"whsec_!"};
  EXPECT_NE(RefusalOf(config), "");
}

}  // namespace
}  // namespace weir::sink
