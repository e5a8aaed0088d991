// What a store is given to do, and what it has promised meanwhile: the measure of what it holds afterwards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/disk.h"
#include "storage/event_store.h"

namespace weir::tests {

inline constexpr std::int64_t kWorkSecondUs = 1'000'000;
inline constexpr std::int64_t kWorkStartUs = 1'790'000'000 * kWorkSecondUs;
inline constexpr std::int64_t kWorkWindowUs = 3600 * kWorkSecondUs;
inline constexpr std::string_view kWorkSink = "sink";
inline constexpr const char* kWorkDirectory = "/data";

// What the sink has settled, as its batches leave it one after another.
struct Fate {
  storage::Sequence offset = storage::kNoSequence;
  std::set<storage::Sequence> retried;
  std::set<storage::Sequence> dead;
  bool operator==(const Fate&) const = default;
};

// What was given to the store, and how much of it was promised. Appended to by the thread that works; what a power cut may
// show is said by the counters, which are raised before (`begun`) and after (`promised`).
struct History {
  std::map<storage::Sequence, std::string> acked;  // id, by sequence
  std::map<std::string, std::string> bodies;       // of every id that was ever given to it
  std::vector<Fate> fates = {Fate{}};
  std::atomic<storage::Sequence> promised{0};
  std::atomic<std::size_t> settling{0};   // the last index of `fates` that may be there
  std::atomic<storage::Sequence> cut{1};  // what is before it may be gone
};

// A small store in kWorkDirectory, which flushes and seals often.
storage::StoreOptions OptionsOn(std::shared_ptr<storage::Disk> disk);

// Commits, settlements and cuts of the log by seed; not copied or moved.
class StoreWork {
 public:
  StoreWork(std::uint64_t seed, History& history, storage::EventStore& store)
      : random_(seed), history_(history), store_(store) {}
  void Step();

 private:
  void Commit();
  void Settle();
  void Cut();

  std::mt19937_64 random_;
  History& history_;
  storage::EventStore& store_;
};

// The files of a disk as the machine's below `to`, to be looked at.
void CopyTo(storage::Disk& from, const std::string& to);

}  // namespace weir::tests
