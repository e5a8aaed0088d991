// What a commit costs the committer: encode, then dedupe + seal + write + fsync, by group size, on a real
// disk.
//
//   commit_bench --benchmark_filter=Commit        (in a directory on the disk in question; not tmpfs)
//
// us/event is CPU of the committing thread; all_us/event is CPU of the whole process, flushes and sealing
// included; sync_us is the wall time of a commit. What would prove a change useless: us/event at 128 not
// moving.
#include <benchmark/benchmark.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/event_codec.h"
#include "storage/event_store.h"

namespace {

using weir::storage::AppendRecord;
using weir::storage::AppendResult;
using weir::storage::Event;
using weir::storage::EventStore;

constexpr std::int64_t kWeekUs = std::int64_t{7} * 24 * 3600 * 1'000'000;
constexpr std::size_t kHeadersBytes = 330;

std::int64_t CpuNs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// A store in a fresh directory under the current one, removed at the end.
class ScratchStore {
 public:
  explicit ScratchStore(bool sync) {
    std::string pattern = "commit-bench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    weir::storage::StoreOptions options;
    options.directory = pattern;
    options.sync = sync;
    auto opened = EventStore::Open(options);
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().message.c_str());
      std::abort();
    }
    store_ = *std::move(opened);
    directory_ = pattern;
  }
  ~ScratchStore() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  EventStore& operator*() { return *store_; }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<EventStore> store_;
};

// Groups of encoded records with ids that never repeat.
class Records {
 public:
  Records(std::size_t group, std::size_t record_bytes)
      : headers_(kHeadersBytes, 'h'), body_(record_bytes - kHeadersBytes - 64 - 6 - 20 - 12, 'b') {
    bytes_.resize(group, std::string(record_bytes + 64, '\0'));
    appends_.resize(group);
  }

  std::vector<AppendRecord>& Next() {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      char id[32];
      std::snprintf(id, sizeof id, "evt_%016llu", static_cast<unsigned long long>(++made_));
      Event event;
      event.received_at_us = 1'790'000'000'000'000 + static_cast<std::int64_t>(made_);
      event.source = "stripe";
      event.id = id;
      event.type = "invoice.paid";
      event.headers = headers_;
      event.body = body_;
      const std::size_t size = weir::storage::EncodedSize(event);
      weir::storage::Encode(event, bytes_[i].data());
      appends_[i] = {.record = bytes_[i].data(), .size = size, .dedupe_window_us = kWeekUs};
    }
    return appends_;
  }

 private:
  std::string headers_;
  std::string body_;
  std::vector<std::string> bytes_;
  std::vector<AppendRecord> appends_;
  std::uint64_t made_ = 0;
};

void CommitGroups(benchmark::State& state, bool sync) {
  const auto group = static_cast<std::size_t>(state.range(0));
  const auto record_bytes = static_cast<std::size_t>(state.range(1));
  ScratchStore store(sync);
  Records records(group, record_bytes);
  std::vector<AppendResult> results(group);
  std::int64_t cpu_ns = 0;
  std::int64_t process_ns = 0;
  std::int64_t wall_ns = 0;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    std::vector<AppendRecord>& appends = records.Next();
    state.ResumeTiming();
    const std::int64_t cpu_before = CpuNs(CLOCK_THREAD_CPUTIME_ID);
    const std::int64_t process_before = CpuNs(CLOCK_PROCESS_CPUTIME_ID);
    const std::int64_t wall_before = CpuNs(CLOCK_MONOTONIC);
    if (auto committed = (*store).Commit(appends, results); !committed) {
      state.SkipWithError(committed.error().message.c_str());
      break;
    }
    cpu_ns += CpuNs(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
    process_ns += CpuNs(CLOCK_PROCESS_CPUTIME_ID) - process_before;
    wall_ns += CpuNs(CLOCK_MONOTONIC) - wall_before;
  }
  const auto groups = static_cast<double>(state.iterations());
  const double events = groups * static_cast<double>(group);
  state.counters["us/event"] = static_cast<double>(cpu_ns) / events / 1e3;
  state.counters["all_us/event"] = static_cast<double>(process_ns) / events / 1e3;
  state.counters["sync_us"] = static_cast<double>(wall_ns) / groups / 1e3;
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
}

void Commit(benchmark::State& state) {
  CommitGroups(state, true);
}
void CommitWithoutSync(benchmark::State& state) {
  CommitGroups(state, false);
}

BENCHMARK(Commit)
    ->ArgNames({"group", "bytes"})
    ->ArgsProduct({{1, 8, 32, 64, 128, 256, 512}, {900}})
    ->Args({128, 4096})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(CommitWithoutSync)
    ->ArgNames({"group", "bytes"})
    ->Args({128, 900})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

// What a shard pays to write a record.
void EncodeRecord(benchmark::State& state) {
  Records records(1, static_cast<std::size_t>(state.range(0)));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(records.Next().data());
}
BENCHMARK(EncodeRecord)->ArgName("bytes")->Arg(900)->Arg(4096);

// What the committer adds to it.
void SealRecord(benchmark::State& state) {
  Records records(1, 900);
  std::vector<AppendRecord>& appends = records.Next();
  std::uint64_t check = 0;
  weir::storage::Sequence sequence = 0;
  for ([[maybe_unused]] auto _ : state) {
    check = weir::storage::Seal(appends[0].record, appends[0].size, ++sequence, check, kWeekUs);
  }
  benchmark::DoNotOptimize(check);
}
BENCHMARK(SealRecord);

}  // namespace
