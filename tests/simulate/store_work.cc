#include "tests/simulate/store_work.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "tests/support/stored_events.h"

namespace weir::tests {
namespace {

namespace fs = std::filesystem;
using storage::Sequence;

std::int64_t DueAt(Sequence sequence) {
  return kWorkStartUs + static_cast<std::int64_t>(sequence);
}

void CopyDirectory(storage::Disk& from, const fs::path& path, const fs::path& to) {
  fs::create_directories(to);
  for (const std::string& name : from.List(path).value_or(std::vector<std::string>())) {
    const auto facts = from.Look(path / name);
    if (facts && *facts && (*facts)->directory) {
      CopyDirectory(from, path / name, to / name);
    } else if (const auto bytes = storage::ReadWhole(from, path / name)) {
      std::ofstream(to / name, std::ios::binary) << *bytes;
    }
  }
}

}  // namespace

storage::StoreOptions OptionsOn(std::shared_ptr<storage::Disk> disk) {
  storage::StoreOptions options;
  options.directory = kWorkDirectory;
  options.disk = std::move(disk);
  options.memtable_bytes = 256u << 10;
  options.dedupe_head_events = 128;
  return options;
}

void StoreWork::Step() {
  const std::uint64_t dice = random_() % 10;
  if (dice < 6) {
    Commit();
  } else if (dice < 9) {
    Settle();
  } else {
    Cut();
  }
}

void StoreWork::Commit() {
  const std::size_t count = 1 + random_() % 20;
  std::vector<std::string> ids;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < count; ++i) {
    const bool again = !history_.bodies.empty() && random_() % 8 == 0;
    ids.push_back(again ? std::next(history_.bodies.begin(),
                                    static_cast<std::ptrdiff_t>(random_() % history_.bodies.size()))
                              ->first
                        : "evt_" + std::to_string(history_.bodies.size()));
    const auto known = history_.bodies.find(ids.back());
    bodies.push_back(known != history_.bodies.end()
                         ? known->second
                         : std::string(random_() % 3000, static_cast<char>('a' + random_() % 26)));
    history_.bodies.emplace(ids.back(), bodies.back());
  }
  std::vector<storage::Event> events;
  for (std::size_t i = 0; i < count; ++i) {
    storage::Event& event = events.emplace_back();
    event.received_at_us = kWorkStartUs + static_cast<std::int64_t>(history_.acked.size()) * kWorkSecondUs;
    event.source = "shop";
    event.id = ids[i];
    event.type = "order.paid";
    event.body = bodies[i];
  }
  const auto results = CommitEvents(store_, events, kWorkWindowUs);
  if (!results) return;
  for (std::size_t i = 0; i < count; ++i) history_.acked.emplace((*results)[i].sequence, ids[i]);
  history_.promised.store(history_.acked.rbegin()->first);
}

// Some events further: delivered, tried again or dead, each at random.
void StoreWork::Settle() {
  Fate fate = history_.fates.back();
  storage::SettlementBatch batch{.sink = kWorkSink,
                                 .position = std::nullopt,
                                 .retries_added = {},
                                 .retries_removed = {},
                                 .dead_added = {},
                                 .dead_removed = {}};
  for (const Sequence sequence : std::set<Sequence>(fate.retried)) {
    if (random_() % 3 != 0) continue;
    fate.retried.erase(sequence);
    batch.retries_removed.emplace_back(DueAt(sequence), sequence);
  }
  const Sequence last = store_.last_sequence();
  const Sequence end = std::min<Sequence>(last, fate.offset + random_() % 30);
  for (Sequence sequence = fate.offset + 1; sequence <= end; ++sequence) {
    const std::uint64_t dice = random_() % 10;
    if (dice == 0) {
      fate.dead.insert(sequence);
      batch.dead_added.push_back({.sink = std::string(kWorkSink),
                                  .sequence = sequence,
                                  .died_at_us = kWorkStartUs,
                                  .attempts = 1,
                                  .reason = "410",
                                  .last_answer = {}});
    } else if (dice < 3) {
      fate.retried.insert(sequence);
      batch.retries_added.push_back(
          {.sequence = sequence, .due_us = DueAt(sequence), .attempts = 1, .last_outcome = "503"});
    }
  }
  fate.offset = std::max(fate.offset, end);
  batch.position = storage::SinkPosition{.offset = fate.offset, .above = {}};
  history_.fates.push_back(fate);
  history_.settling.store(history_.fates.size() - 1);
  if (!store_.Settle(batch)) history_.fates.pop_back();
}

void StoreWork::Cut() {
  const Sequence last = store_.last_sequence();
  if (last < 2) return;
  const Sequence before = 1 + random_() % last;
  history_.cut.store(std::max(history_.cut.load(), before));
  const std::vector<std::string> sinks = {std::string(kWorkSink)};
  std::ignore = store_.TrimBefore(before, sinks);
}

void CopyTo(storage::Disk& from, const std::string& to) {
  CopyDirectory(from, kWorkDirectory, to);
}

}  // namespace weir::tests
