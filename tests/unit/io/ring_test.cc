#include "engine/io/ring.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/buffer_ring.h"
#include "engine/io/socket.h"

namespace weir::io {
namespace {

constexpr std::int64_t kPatienceMs = 5'000;

struct Pair {
  Descriptor ours;
  Descriptor theirs;
};

Pair MakePair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

void Write(int fd, std::string_view bytes) {
  ASSERT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

class RingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ring = Ring::Create(64);
    ASSERT_TRUE(ring) << ring.error();
    ring_.emplace(std::move(*ring));
  }

  // The next completion of `op`; keeps others for later calls.
  Completion Await(Op op) {
    for (int turn = 0; turn < 100; ++turn) {
      for (auto it = seen_.begin(); it != seen_.end(); ++it) {
        if (it->user_data.op != op) continue;
        const Completion found = *it;
        seen_.erase(it);
        return found;
      }
      std::array<Completion, 16> batch{};
      const std::size_t count = ring_->SubmitAndReap(batch, kPatienceMs);
      if (count == 0) break;
      seen_.insert(seen_.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
    }
    ADD_FAILURE() << "no completion of operation " << static_cast<int>(op);
    return {};
  }

  BufferRing MakeBuffers(std::size_t count) {
    auto buffers =
        BufferRing::Create(*ring_, {.group = 3, .count = count, .buffer_bytes = 1024, .slack_bytes = 64});
    EXPECT_TRUE(buffers) << buffers.error();
    return std::move(*buffers);
  }

  std::optional<Ring> ring_;
  std::vector<Completion> seen_;
};

TEST_F(RingTest, ReportsTheBestModeThisKernelHas) {
  EXPECT_EQ(ring_->mode(), RingMode::kDeferTaskrun);
  EXPECT_EQ(RingModeName(ring_->mode()), "defer-taskrun");
}

TEST_F(RingTest, SendsAndReceives) {
  const Pair pair = MakePair();
  const std::string text = "hello";
  std::array<char, 16> into{};
  ring_->Send(pair.ours.get(), text, {Op::kSend, 1, 1});
  ring_->Receive(pair.theirs.get(), into, {Op::kReceive, 2, 9});
  EXPECT_EQ(Await(Op::kSend).result, 5);
  const Completion received = Await(Op::kReceive);
  EXPECT_EQ(received.result, 5);
  EXPECT_EQ(received.user_data, (UserData{Op::kReceive, 2, 9}));
  EXPECT_EQ(std::string_view(into.data(), 5), "hello");
}

TEST_F(RingTest, ReturnsWhenTheTimeHasPassedAndNothingCompleted) {
  std::array<Completion, 4> batch{};
  EXPECT_EQ(ring_->SubmitAndReap(batch, 1), 0u);
  EXPECT_EQ(ring_->SubmitAndReap(batch, 0), 0u);
}

TEST_F(RingTest, QueuesMoreThanTheSubmissionRingHolds) {
  const Pair pair = MakePair();
  const std::string byte = "x";
  for (int i = 0; i < 200; ++i) ring_->Send(pair.ours.get(), byte, {Op::kSend, 0, 0});
  for (int i = 0; i < 200; ++i) ASSERT_EQ(Await(Op::kSend).result, 1);
}

TEST_F(RingTest, SendToAClosedPeerIsAResultAndNoSignal) {
  Pair pair = MakePair();
  pair.theirs.Reset();
  const std::string text = "hello";
  ring_->Send(pair.ours.get(), text, {Op::kSend, 0, 0});
  EXPECT_EQ(Await(Op::kSend).result, -EPIPE);
}

TEST_F(RingTest, AcceptsManyConnectionsFromOneSubmission) {
  auto address = NumericAddress("127.0.0.1", 0);
  ASSERT_TRUE(address);
  auto listener = Listen(*address, 16);
  ASSERT_TRUE(listener) << listener.error();
  auto bound = LocalAddress(listener->get());
  ASSERT_TRUE(bound);
  ring_->AcceptMultishot(listener->get(), {Op::kAccept, 0, 0});
  std::vector<Descriptor> clients;
  for (std::uint32_t i = 0; i < 3; ++i) {
    auto client = OpenStream(bound->family());
    ASSERT_TRUE(client);
    ring_->Connect(client->get(), bound->get(), bound->length, {Op::kConnect, i, 0});
    EXPECT_EQ(Await(Op::kConnect).result, 0);
    const Completion accepted = Await(Op::kAccept);
    ASSERT_GE(accepted.result, 0);
    EXPECT_TRUE(accepted.more());
    clients.push_back(std::move(*client));
    clients.emplace_back(accepted.result);
  }
}

TEST_F(RingTest, CancelEndsALiveMultishotReceiveAndNothingElseOfTheSocket) {
  BufferRing buffers = MakeBuffers(4);
  Pair pair = MakePair();
  const UserData target{Op::kReceive, 7, 3};
  ring_->ReceiveMultishot(pair.ours.get(), buffers.group(), target);
  Write(pair.theirs.get(), "one");
  const Completion first = Await(Op::kReceive);
  EXPECT_TRUE(first.more());
  EXPECT_EQ(buffers.Take(first), "one");
  ring_->Cancel(target, {Op::kCancel, 7, 3});
  EXPECT_EQ(Await(Op::kCancel).result, 0);
  const Completion last = Await(Op::kReceive);
  EXPECT_EQ(last.result, -ECANCELED);
  EXPECT_FALSE(last.more());
  const std::string text = "still open";
  ring_->Send(pair.ours.get(), text, {Op::kSend, 7, 3});
  EXPECT_EQ(Await(Op::kSend).result, 10);
}

TEST_F(RingTest, CancelAllEndsEveryOperationOfADescriptorBeforeItIsClosed) {
  BufferRing buffers = MakeBuffers(4);
  Pair pair = MakePair();
  ring_->ReceiveMultishot(pair.ours.get(), buffers.group(), {Op::kReceive, 1, 1});
  ring_->CancelAll(pair.ours.get(), {Op::kCancel, 1, 1});
  EXPECT_EQ(Await(Op::kReceive).result, -ECANCELED);
  EXPECT_GE(Await(Op::kCancel).result, 0);
  ring_->Close(pair.ours.Release(), {Op::kClose, 1, 1});
  EXPECT_EQ(Await(Op::kClose).result, 0);
  std::array<char, 1> byte{};
  EXPECT_EQ(read(pair.theirs.get(), byte.data(), 1), 0);
}

TEST_F(RingTest, EndOfStreamEndsTheMultishotReceiveWithoutABuffer) {
  BufferRing buffers = MakeBuffers(4);
  Pair pair = MakePair();
  ring_->ReceiveMultishot(pair.ours.get(), buffers.group(), {Op::kReceive, 1, 1});
  pair.theirs.Reset();
  const Completion last = Await(Op::kReceive);
  EXPECT_EQ(last.result, 0);
  EXPECT_FALSE(last.more());
  EXPECT_FALSE(last.has_buffer());
}

TEST_F(RingTest, AReceiveWithoutBuffersEndsWithEnobufsAndGoesOnOnceOneCameBack) {
  BufferRing buffers = MakeBuffers(2);
  Pair pair = MakePair();
  const UserData receive{Op::kReceive, 1, 1};
  ring_->ReceiveMultishot(pair.ours.get(), buffers.group(), receive);
  Write(pair.theirs.get(), std::string(2880, 'a'));
  std::vector<std::uint16_t> held;
  std::size_t received = 0;
  Completion completion = Await(Op::kReceive);
  while (completion.result > 0) {
    EXPECT_EQ(completion.result, 960) << "the slack behind the usable part was written";
    received += static_cast<std::size_t>(completion.result);
    buffers.Take(completion);
    held.push_back(completion.buffer_id());
    if (!completion.more()) break;
    completion = Await(Op::kReceive);
  }
  if (completion.more() || completion.result > 0) completion = Await(Op::kReceive);
  EXPECT_EQ(completion.result, -ENOBUFS);
  EXPECT_FALSE(completion.more());
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(buffers.lent(), 0u);

  for (const std::uint16_t id : held) buffers.Return(id);
  buffers.Replenish();
  EXPECT_EQ(buffers.lent(), 2u);
  ring_->ReceiveMultishot(pair.ours.get(), buffers.group(), receive);
  completion = Await(Op::kReceive);
  EXPECT_EQ(completion.result, 960);
  EXPECT_EQ(received, 1920u);
}

TEST_F(RingTest, LendsFewBuffersUntilTheKernelAskedForMore) {
  BufferRing buffers = MakeBuffers(1024);
  EXPECT_EQ(buffers.lent(), 256u);
  buffers.Grow();
  buffers.Replenish();
  EXPECT_EQ(buffers.lent(), 512u);
  for (int i = 0; i < 5; ++i) buffers.Grow();
  buffers.Replenish();
  EXPECT_EQ(buffers.lent(), 1024u);
}

TEST_F(RingTest, ABufferThatCameBackIsTheNextOneUsed) {
  BufferRing buffers = MakeBuffers(1024);
  Pair pair = MakePair();
  ring_->ReceiveMultishot(pair.ours.get(), buffers.group(), {Op::kReceive, 1, 1});
  std::vector<bool> used(1024);
  for (int i = 0; i < 600; ++i) {
    Write(pair.theirs.get(), "x");
    const Completion completion = Await(Op::kReceive);
    ASSERT_EQ(buffers.Take(completion), "x");
    used[completion.buffer_id()] = true;
    buffers.Return(completion.buffer_id());
    buffers.Replenish();
  }
  EXPECT_LE(std::ranges::count(used, true), 256);
}

}  // namespace
}  // namespace weir::io
