#include "engine/io/wake.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "engine/io/ring.h"

namespace weir::io {
namespace {

bool Readable(int fd) {
  pollfd look{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&look, 1, 0) == 1;
}

TEST(EventfdWake, ABusyWaiterCostsTheNotifierNoSystemCall) {
  EventfdWake wake;
  wake.Notify();
  EXPECT_FALSE(Readable(wake.fd()));
}

TEST(EventfdWake, ASleepingWaiterIsSignalledOnce) {
  EventfdWake wake;
  wake.PrepareWait();
  wake.Notify();
  wake.Notify();
  std::uint64_t count = 0;
  ASSERT_EQ(read(wake.fd(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
  EXPECT_EQ(count, 1u);
}

TEST(EventfdWake, ACancelledWaitIsNotSignalled) {
  EventfdWake wake;
  wake.PrepareWait();
  wake.CancelWait();
  wake.Notify();
  EXPECT_FALSE(Readable(wake.fd()));
}

TEST(EventfdWake, AForcedSignalReachesABusyWaiter) {
  EventfdWake wake;
  wake.Signal();
  EXPECT_TRUE(Readable(wake.fd()));
}

TEST(EventfdWake, EndsAWaitInTheRing) {
  auto ring = Ring::Create(8);
  ASSERT_TRUE(ring) << ring.error();
  EventfdWake wake;
  std::uint64_t counter = 0;
  ring->ReadEventfd(wake.fd(), &counter, {Op::kWake, 0, 0});
  wake.PrepareWait();
  std::thread notifier([&] { wake.Notify(); });
  std::array<Completion, 4> batch{};
  ASSERT_EQ(ring->SubmitAndReap(batch, 5'000), 1u);
  EXPECT_EQ(batch[0].user_data.op, Op::kWake);
  EXPECT_EQ(counter, 1u);
  notifier.join();
}

// Work is a counter here; the waiter looks at it between PrepareWait and Wait. A lost wake-up would leave it
// asleep.
TEST(FutexWake, NoWorkIsEverMissed) {
  constexpr int kItems = 20'000;
  FutexWake wake;
  std::atomic<int> made{0};
  int taken = 0;
  std::thread maker([&] {
    for (int i = 0; i < kItems; ++i) {
      made.fetch_add(1, std::memory_order_release);
      wake.Notify();
    }
  });
  while (taken < kItems) {
    const int there = made.load(std::memory_order_acquire);
    if (there > taken) {
      taken = there;
      continue;
    }
    wake.PrepareWait();
    if (made.load(std::memory_order_acquire) > taken) {
      wake.CancelWait();
    } else {
      wake.Wait();
    }
  }
  maker.join();
  EXPECT_EQ(taken, kItems);
}

}  // namespace
}  // namespace weir::io
