// A worker whose allocations fail, one here and one there: no attempt is spent and no event lost.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string_view>

#include "storage/memory_shortage.h"
#include "tests/unit/deliver/worker_fixture.h"

namespace {

// The sink's thread meets a shortage at the allocation that brings this to zero.
std::atomic<int> until_shortage{0};

bool IsSinkThread() {
  char name[16] = "";
  return pthread_getname_np(pthread_self(), name, sizeof name) == 0 &&
         std::string_view(name).starts_with("sink-");
}

void MeetShortage() {
  if (until_shortage.load(std::memory_order_relaxed) <= 0 || !IsSinkThread()) return;
  if (until_shortage.fetch_sub(1) == 1) std::get_new_handler()();  // throws, or waits for a moment
}

}  // namespace

// Not inlined: GCC would see free() meet a pointer from operator new and take the pair for a mistake.
// NOLINTBEGIN(clang-analyzer-cplusplus.NewDelete): the analyzer takes free() here for a second deallocation.
[[gnu::noinline]] void* operator new(std::size_t size) {
  MeetShortage();
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t /*size*/) noexcept {
  std::free(block);
}
// NOLINTEND(clang-analyzer-cplusplus.NewDelete)

namespace weir::deliver {
namespace {

class WorkerMemory : public WorkerTest {
 protected:
  WorkerMemory() {
    WaitForMemory();
    sink_.retry.attempts = 1;
  }
  ~WorkerMemory() override { std::set_new_handler(nullptr); }
};

class WorkerMemoryAt : public WorkerMemory, public testing::WithParamInterface<int> {};

TEST_P(WorkerMemoryAt, IsLackedWithoutSpendingAnAttempt) {
  ScriptedPeer peer;
  Run(peer);
  AppendMany(0, 10);
  ASSERT_TRUE(OffsetReachesTheEnd());
  until_shortage = GetParam();
  AppendMany(10, 50);
  ASSERT_TRUE(OffsetReachesTheEnd());
  ASSERT_TRUE(Eventually([&] { return CountsById(peer).size() == 60; }));
  EXPECT_LE(until_shortage, 0) << "the shortage was met";
  EXPECT_TRUE(DeadLetters().empty());
  EXPECT_FALSE(failed_) << failure_;
  for (const PeerRequest& request : peer.requests()) EXPECT_EQ(request.Header("weir-attempt"), "1");
}

// From the first things that a turn does to those behind its attempts.
INSTANTIATE_TEST_SUITE_P(Allocation, WorkerMemoryAt, testing::Values(1, 2, 7, 20, 57, 103));

TEST_F(WorkerMemory, IsLackedInAReloadThatTakesEffectAllTheSame) {
  ScriptedPeer before;
  ScriptedPeer after;
  Run(before);
  AppendMany(0, 10);
  ASSERT_TRUE(OffsetReachesTheEnd());
  until_shortage = 1;
  sink_.url = after.url();
  worker_->Reconfigure(sink_, routes_);
  ASSERT_TRUE(Eventually([] { return until_shortage <= 0; }));
  Append({{.id = "late"}});
  EXPECT_TRUE(Eventually([&] { return CountsById(after).contains("late"); }));
}

TEST_F(WorkerMemory, IsLackedByAStopThatComesAllTheSame) {
  ScriptedPeer peer;
  Run(peer);
  until_shortage = 1;
  AppendMany(0, 10);
  ASSERT_TRUE(Eventually([] { return until_shortage <= 0; }));
  Stop();
  EXPECT_FALSE(failed_) << failure_;
}

}  // namespace
}  // namespace weir::deliver
