// What handing an event over costs: shard -> committer -> shard, by how many go together. Two threads where
// there are two cores; the claim is that a hand-over in a batch is far below a microsecond, so the queues are
// never what is slow.
#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "engine/commit/queues.h"

namespace {

using weir::commit::AckQueue;
using weir::commit::Append;
using weir::commit::AppendQueue;
using weir::commit::Committed;
using weir::commit::Slab;

// One thread: the price of the instructions alone.
void PushAndPop(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  AppendQueue queue;
  auto producer = queue.MakeProducer();
  const auto slab = std::make_shared<Slab>(1024);
  std::vector<Append> appends(batch);
  std::vector<Append> popped(batch);
  for ([[maybe_unused]] auto _ : state) {
    for (Append& append : appends) append.slab = slab;
    benchmark::DoNotOptimize(queue.TryPush(producer, appends));
    std::size_t left = batch;
    while (left > 0) left -= queue.Pop(popped);
    for (Append& append : popped) append.slab.reset();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(PushAndPop)->ArgName("batch")->Arg(1)->Arg(8)->Arg(64)->Arg(256);

// There and back between two threads, `batch` events at a time, the consumer sleeping whenever it has nothing
// to do.
void ThereAndBack(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  AppendQueue appends;
  weir::io::EventfdWake wake;
  AckQueue acks(wake);
  std::atomic<bool> stop{false};
  std::thread committer([&] {
    std::vector<Append> popped(batch);
    std::vector<Committed> answers(batch);
    while (true) {
      const std::size_t count = appends.Pop(popped);
      if (count > 0) {
        acks.Push(std::span(answers).first(count));
        continue;
      }
      appends.wake().PrepareWait();
      if (appends.waiting() > 0) {
        appends.wake().CancelWait();
      } else if (stop) {
        return;
      } else {
        appends.wake().Wait();
      }
    }
  });
  auto producer = appends.MakeProducer();
  std::vector<Append> handed(batch);
  std::vector<Committed> answered(batch);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(appends.TryPush(producer, handed));
    std::size_t left = batch;
    while (left > 0) left -= acks.Pop(answered);
  }
  stop = true;
  appends.wake().Notify();
  committer.join();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ThereAndBack)->ArgName("batch")->Arg(1)->Arg(8)->Arg(64)->Arg(256)->UseRealTime();

}  // namespace
