// The kernel's side of connections, turn by turn on the test's own thread, with almost no receive buffers.
#include "engine/ingest/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/ingest/desk.h"

namespace weir::ingest {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kBuffers = 2;
constexpr int kTurnsMax = 1000;

class TransportTest : public ::testing::Test, protected Desk {
 protected:
  TransportTest() {
    auto ring = io::Ring::Create(64);
    EXPECT_TRUE(ring);
    ring_ = std::make_unique<io::Ring>(std::move(*ring));
    auto buffers = io::BufferRing::Create(
        *ring_,
        {.group = 0, .count = kBuffers, .buffer_bytes = 4096, .slack_bytes = limits::kJsonPaddingBytes});
    EXPECT_TRUE(buffers);
    buffers_ = std::make_unique<io::BufferRing>(std::move(*buffers));
    transport_ = std::make_unique<Transport>(Transport::Wiring{.ring = *ring_,
                                                               .buffers = *buffers_,
                                                               .timers = timers_,
                                                               .connections = connections_,
                                                               .answers = answers_,
                                                               .reader = reader_,
                                                               .gate = gate_,
                                                               .probe = probe_,
                                                               .limits = limits_});
  }

  // The client's end of a connection that the transport serves.
  io::Descriptor Accept() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    io::Descriptor server(ends[0]);
    kept_ = transport_->Open(server, now_);
    return io::Descriptor(ends[1]);
  }
  static void Send(const io::Descriptor& client, const std::string& bytes) {
    EXPECT_EQ(send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::string Received(const io::Descriptor& client) {
    std::string bytes(65536, '\0');
    const ssize_t count = recv(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

  // One turn as the shard makes it; returns how many completions it handled.
  std::size_t Turn() {
    std::array<io::Completion, 64> completions;
    const std::size_t count = ring_->SubmitAndReap(completions, 0);
    for (std::size_t i = 0; i < count; ++i) Dispatch(completions[i]);
    for (std::string& body : Bodies()) bodies_.push_back(std::move(body));
    transport_->WriteDue(now_);
    transport_->Replenish();
    return count;
  }
  void Dispatch(const io::Completion& completion) {
    if (completion.user_data.op == io::Op::kReceive) transport_->OnReceived(completion, now_);
    if (completion.user_data.op == io::Op::kSend) transport_->OnSent(completion, now_);
    if (completion.user_data.op == io::Op::kCancel) transport_->OnCancelled(completion, now_);
    if (completion.user_data.op == io::Op::kClose) transport_->OnClosed(completion);
  }
  // Until the kernel has nothing more to say.
  int TurnsUntilQuiet() {
    int turns = 0;
    for (int quiet = 0; quiet < 3 && turns < kTurnsMax; ++turns) quiet = Turn() == 0 ? quiet + 1 : 0;
    return turns;
  }

  std::unique_ptr<io::Ring> ring_;
  std::unique_ptr<io::BufferRing> buffers_;
  io::TimerWheel timers_{0};
  std::unique_ptr<Transport> transport_;
  std::vector<std::string> bodies_;
  bool kept_ = false;  // what the last Accept was told
};

TEST_F(TransportTest, ConnectionsThatFindNoBufferAreServedAsBuffersComeBackWithoutSpinning) {
  constexpr std::size_t kClients = 20;
  std::vector<io::Descriptor> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(Accept());
    Send(clients.back(), Delivery{.id = "c" + std::to_string(i), .body = std::to_string(i)}.Bytes());
  }
  Turn();
  EXPECT_TRUE(transport_->starving()) << "the shard is not to wait";
  EXPECT_LT(TurnsUntilQuiet(), kTurnsMax) << "it spins";
  EXPECT_FALSE(transport_->starving());
  EXPECT_EQ(bodies_.size(), kClients);
  for (std::size_t i = 0; i < kClients; ++i)
    EXPECT_THAT(Received(clients[i]), HasSubstr("\"c" + std::to_string(i) + "\""));
  EXPECT_EQ(probe_.buffers_starved.value(), kClients - kBuffers) << "each waits for a buffer once";
}

TEST_F(TransportTest, SlowUploadersHoldNoReceiveBuffer) {
  std::vector<io::Descriptor> uploaders;
  for (std::size_t i = 0; i < 5 * kBuffers; ++i) {
    uploaders.push_back(Accept());
    Send(uploaders.back(), Delivery{.body = std::string(3000, 'x')}.Bytes().substr(0, 2000));
  }
  TurnsUntilQuiet();
  const io::Descriptor quick = Accept();
  Send(quick, Delivery{.id = "quick"}.Bytes());
  TurnsUntilQuiet();
  EXPECT_THAT(Received(quick), HasSubstr("\"quick\""));
}

TEST_F(TransportTest, AnswersOfOneTurnLeaveInOneSend) {
  const io::Descriptor client = Accept();
  Send(client, Delivery{.id = "1"}.Bytes() + Delivery{.id = "2"}.Bytes() + Delivery{.id = "3"}.Bytes());
  Turn();
  std::array<io::Completion, 64> completions;
  const std::size_t count = ring_->SubmitAndReap(completions, 0);
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(completions[0].user_data.op, io::Op::kSend);
  const std::string received = Received(client);
  EXPECT_LT(received.find("\"1\""), received.find("\"3\""));
  EXPECT_NE(received.find("\"3\""), std::string::npos);
}

// A peer that reads nothing: what it is owed waits in the kernel and in one send buffer, until the deadline
// of the send.
TEST_F(TransportTest, ASendThatTheOtherSideNeverReadsEndsAtItsDeadline) {
  const io::Descriptor client = Accept();
  const int small = 1;
  ASSERT_EQ(setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  Connection& connection = connections_[0];
  ASSERT_EQ(setsockopt(connection.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  std::string requests;
  for (int i = 0; i < 8; ++i) requests += "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 1000 && !connection.send_in_flight; ++i) {
    Send(client, requests);
    TurnsUntilQuiet();
  }
  ASSERT_TRUE(connection.send_in_flight);
  now_.monotonic_ns += (limits_.idle_timeout_ms - 1) * 1'000'000;
  transport_->OnDeadline(0, now_);
  TurnsUntilQuiet();
  EXPECT_EQ(connection.state, Connection::State::kServing);
  now_.monotonic_ns += 1'000'000;
  transport_->OnDeadline(0, now_);
  TurnsUntilQuiet();
  EXPECT_EQ(connection.state, Connection::State::kFree);
  EXPECT_EQ(connections_.open(), 0u);
}

TEST_F(TransportTest, AConnectionIsFreedOnlyWhenTheKernelHoldsNothingOfIt) {
  io::Descriptor client = Accept();
  Send(client, Delivery{}.Bytes().substr(0, 100));
  TurnsUntilQuiet();
  Connection& connection = connections_[0];
  const std::uint32_t generation = connection.generation;
  ASSERT_TRUE(connection.receive_in_flight);
  now_.monotonic_ns += limits_.header_timeout_ms * 1'000'000;
  transport_->OnDeadline(0, now_);
  transport_->WriteDue(now_);
  TurnsUntilQuiet();
  EXPECT_EQ(connection.state, Connection::State::kLingering) << "told 408, and given time to read it";
  EXPECT_THAT(Received(client), HasSubstr("408"));
  now_.monotonic_ns += limits::kLingerMs * 1'000'000;
  transport_->OnDeadline(0, now_);
  EXPECT_EQ(connection.state, Connection::State::kClosing);
  EXPECT_TRUE(connection.in_flight());
  TurnsUntilQuiet();
  EXPECT_EQ(connection.state, Connection::State::kFree);
  EXPECT_EQ(connection.generation, generation + 1);
}

TEST_F(TransportTest, AClientThatWillNotStopSendingIsReadForSoManyBytesOnly) {
  io::Descriptor client = Accept();
  Send(client, "no request at all\r\n\r\n");
  TurnsUntilQuiet();
  ASSERT_EQ(connections_[0].state, Connection::State::kLingering);
  const std::string bytes(4096, 'x');
  std::size_t sent = 0;
  while (sent < 2 * limits::kLingerBytesMax && connections_[0].state == Connection::State::kLingering) {
    const ssize_t count = send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) sent += static_cast<std::size_t>(count);
    if (count < 0) Turn();
  }
  EXPECT_NE(connections_[0].state, Connection::State::kLingering) << "after " << sent << " bytes";
  EXPECT_GT(sent, limits::kLingerBytesMax);
}

TEST_F(TransportTest, ACompletionForAnEarlierUseOfItsSlotIsDropped) {
  io::Descriptor first = Accept();
  first.Reset();
  TurnsUntilQuiet();
  const io::Descriptor second = Accept();
  const Connection& connection = connections_[0];
  ASSERT_EQ(connection.generation, 1u);
  const io::UserData stale{io::Op::kReceive, 0, 0};
  transport_->OnReceived({.user_data = stale, .result = 0, .flags = 0}, now_);
  transport_->OnSent({.user_data = {io::Op::kSend, 0, 0}, .result = -EPIPE, .flags = 0}, now_);
  EXPECT_EQ(connection.state, Connection::State::kServing);
  EXPECT_TRUE(connection.receive_in_flight);
  EXPECT_FALSE(connection.peer_closed);
}

// With room for two, and for one more to be told that there is none.
class FullTransportTest : public TransportTest {
 protected:
  FullTransportTest() {
    gate_.connections_max.store(2);
    gate_.refusals_max.store(1);
  }
  std::uint64_t Refused() const {
    return probe_.connections_refused[static_cast<std::size_t>(observe::ConnectionRefusal::kLimit)].value();
  }
  bool Ended(const io::Descriptor& client) {
    TurnsUntilQuiet();
    char byte = 0;
    return recv(client.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
  }
  void At(std::int64_t ms) { now_.monotonic_ns = ms * 1'000'000; }
};

TEST_F(FullTransportTest, TheOldestIdleConnectionMakesRoomForANewOne) {
  At(1'000);
  const io::Descriptor oldest = Accept();
  At(2'000);
  const io::Descriptor second = Accept();
  At(3'000);
  const io::Descriptor third = Accept();
  EXPECT_TRUE(kept_);
  EXPECT_TRUE(Ended(oldest));
  EXPECT_FALSE(Ended(second));
  EXPECT_FALSE(Ended(third));
  EXPECT_EQ(Refused(), 0u);
  EXPECT_EQ(probe_.connections_displaced.value(), 1u);
  EXPECT_EQ(gate_.connections.load(), 2);
}

TEST_F(FullTransportTest, AConnectionInTheMiddleOfARequestIsNotIdle) {
  const io::Descriptor first = Accept();
  const io::Descriptor second = Accept();
  Send(first, "POST /webhooks/hooks HTTP/1.1\r\n");
  Send(second, "POST /webhooks/hooks HTTP/1.1\r\n");
  TurnsUntilQuiet();
  const io::Descriptor third = Accept();
  TurnsUntilQuiet();
  EXPECT_THAT(Received(third), HasSubstr("HTTP/1.1 503 "));
  EXPECT_FALSE(Ended(first));
  EXPECT_FALSE(Ended(second));
  EXPECT_EQ(Refused(), 1u);
}

TEST_F(FullTransportTest, WithoutRoomEvenToBeToldAConnectionIsTheCallersToTurnAway) {
  const io::Descriptor first = Accept();
  const io::Descriptor second = Accept();
  Send(first, "POST ");
  Send(second, "POST ");
  TurnsUntilQuiet();
  const io::Descriptor refused = Accept();
  EXPECT_TRUE(kept_);
  const io::Descriptor further = Accept();
  EXPECT_FALSE(kept_);
  EXPECT_EQ(Refused(), 2u);
}

TEST_F(FullTransportTest, ACrowdDisplacesOneIdleConnectionEach) {
  gate_.connections_max.store(8);
  gate_.refusals_max.store(8);
  std::vector<io::Descriptor> idle;
  idle.reserve(8);
  for (int i = 0; i < 8; ++i) idle.push_back(Accept());
  std::vector<io::Descriptor> crowd;
  crowd.reserve(8);
  for (int i = 0; i < 8; ++i) crowd.push_back(Accept());
  for (const io::Descriptor& client : idle) EXPECT_TRUE(Ended(client));
  for (const io::Descriptor& client : crowd) EXPECT_FALSE(Ended(client));
  EXPECT_EQ(gate_.connections.load(), 8);
}

}  // namespace
}  // namespace weir::ingest
