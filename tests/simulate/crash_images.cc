#include "tests/simulate/crash_images.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "storage/event_codec.h"
#include "storage/event_store.h"
#include "tests/support/stored_events.h"

namespace weir::tests {
namespace {

namespace fs = std::filesystem;
using storage::EventStore;
using storage::Sequence;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kStartUs = 1'790'000'000 * kSecondUs;
constexpr std::int64_t kWindowUs = 3600 * kSecondUs;
constexpr std::string_view kSink = "sink";
constexpr const char* kDirectory = "/data";

// What the sink has settled, as its batches leave it one after another.
struct Fate {
  Sequence offset = storage::kNoSequence;
  std::set<Sequence> retried;
  std::set<Sequence> dead;
  bool operator==(const Fate&) const = default;
};

// What was given to the store, and how much of it was promised. Appended to by the thread that works; what a power cut may
// show is said by the counters, which are raised before (`begun`) and after (`promised`).
struct History {
  std::map<Sequence, std::string> acked;      // id, by sequence
  std::map<std::string, std::string> bodies;  // of every id that was ever given to it
  std::vector<Fate> fates = {Fate{}};
  std::atomic<Sequence> promised{0};
  std::atomic<std::size_t> settling{0};  // the last index of `fates` that may be there
  std::atomic<Sequence> cut{1};          // what is before it may be gone
};

struct Cut {
  Moment moment;
  Sequence promised;
  std::size_t settling;
  Sequence cut;
};

storage::StoreOptions OptionsOn(std::shared_ptr<storage::Disk> disk) {
  storage::StoreOptions options;
  options.directory = kDirectory;
  options.disk = std::move(disk);
  options.memtable_bytes = 256u << 10;
  options.dedupe_head_events = 128;
  return options;
}

class Work {
 public:
  Work(const CrashPlan& plan, History& history, EventStore& store)
      : random_(plan.seed), history_(history), store_(store) {}

  void Step() {
    const std::uint64_t dice = random_() % 10;
    if (dice < 6) {
      Commit();
    } else if (dice < 9) {
      Settle();
    } else {
      Cut();
    }
  }

 private:
  void Commit() {
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
      event.received_at_us = kStartUs + static_cast<std::int64_t>(history_.acked.size()) * kSecondUs;
      event.source = "shop";
      event.id = ids[i];
      event.type = "order.paid";
      event.body = bodies[i];
    }
    const auto results = CommitEvents(store_, events, kWindowUs);
    if (!results) return;
    for (std::size_t i = 0; i < count; ++i) history_.acked.emplace((*results)[i].sequence, ids[i]);
    history_.promised.store(history_.acked.rbegin()->first);
  }

  // Some events further: delivered, tried again or dead, each at random.
  void Settle() {
    Fate fate = history_.fates.back();
    storage::SettlementBatch batch{.sink = kSink,
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
        batch.dead_added.push_back({.sink = std::string(kSink),
                                    .sequence = sequence,
                                    .died_at_us = kStartUs,
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

  void Cut() {
    const Sequence last = store_.last_sequence();
    if (last < 2) return;
    const Sequence before = 1 + random_() % last;
    history_.cut.store(std::max(history_.cut.load(), before));
    const std::vector<std::string> sinks = {std::string(kSink)};
    std::ignore = store_.TrimBefore(before, sinks);
  }

  static std::int64_t DueAt(Sequence sequence) { return kStartUs + static_cast<std::int64_t>(sequence); }

  std::mt19937_64 random_;
  History& history_;
  EventStore& store_;
};

std::string Said(const storage::StoreError& error) {
  return error.message;
}

// What `store` has lost, altered or stored twice of what was promised at the cut; empty: nothing.
std::string ProblemOf(const History& history, const Cut& cut, EventStore& store) {
  if (store.first_sequence() > cut.cut)
    return "begins at " + std::to_string(store.first_sequence()) + ", was cut at " + std::to_string(cut.cut);
  std::set<std::string> seen;
  Sequence newest = 0;
  auto reader = store.ReadFrom(1);
  while (true) {
    const auto next = reader.Next();
    if (!next) return "cannot be read: " + Said(next.error());
    if (!*next) break;
    const storage::Event& event = **next;
    newest = event.sequence;
    const std::string id(event.id);
    if (!seen.insert(id).second) return "holds " + id + " twice";
    const auto body = history.bodies.find(id);
    if (body == history.bodies.end() || body->second != event.body) return "has altered " + id;
    const auto acked = history.acked.find(event.sequence);
    if (event.sequence <= cut.promised && (acked == history.acked.end() || acked->second != id))
      return "has " + id + " at " + std::to_string(event.sequence) + ", which was another's";
  }
  if (newest < cut.promised)
    return "ends at " + std::to_string(newest) + ", " + std::to_string(cut.promised) + " was acknowledged";
  return {};
}

std::string ProblemOfFate(const History& history, const Cut& cut, const EventStore& store) {
  Fate fate;
  const auto position = store.LoadPosition(kSink);
  if (position) fate.offset = position->offset;
  const auto retries = store.LoadRetries(kSink);
  if (!retries) return "cannot read retries: " + Said(retries.error());
  for (const auto& retry : *retries) fate.retried.insert(retry.sequence);
  const auto visited = store.VisitDeadLetters(kSink, [&](const storage::DeadLetter& letter) {
    fate.dead.insert(letter.sequence);
    return true;
  });
  if (!visited) return "cannot read dead letters: " + Said(visited.error());
  if (fate.offset > store.last_sequence()) return "has settled what is not there";
  const auto end =
      history.fates.begin() + static_cast<std::ptrdiff_t>(std::min(cut.settling + 1, history.fates.size()));
  if (std::find(history.fates.begin(), end, fate) == end)
    return "has a settlement in parts, at " + std::to_string(fate.offset);
  return {};
}

// Goes on as a server would: what came before is known, what is new goes behind.
std::string ProblemOfGoingOn(const History& history, const Cut& cut, EventStore& store) {
  const Sequence last = store.last_sequence();
  std::vector<storage::Event> events(2);
  events[0].id = "new";
  events[1].id = "new too";
  const auto known = history.acked.find(std::max<Sequence>(cut.promised, 1));
  if (cut.promised != 0) {
    events[1].id = known->second;
    events[1].body = history.bodies.at(known->second);
  }
  for (storage::Event& event : events) {
    event.received_at_us = kStartUs + static_cast<std::int64_t>(cut.promised) * kSecondUs;
    event.source = "shop";
    event.type = "order.paid";
  }
  const auto results = CommitEvents(store, events, kWindowUs);
  if (!results) return "takes nothing: " + Said(results.error());
  if ((*results)[0].outcome != storage::AppendOutcome::kStored || (*results)[0].sequence != last + 1)
    return "puts a new event at " + std::to_string((*results)[0].sequence) + " behind " +
           std::to_string(last);
  if (cut.promised != 0 && (*results)[1].outcome != storage::AppendOutcome::kDuplicate)
    return "takes " + known->second + " for a new one";
  return {};
}

// The files of a disk on the machine's, to be looked at.
void CopyTo(const storage::Disk& from, storage::Disk& opens, const fs::path& path, const fs::path& to) {
  fs::create_directories(to);
  for (const std::string& name : from.List(path).value_or(std::vector<std::string>())) {
    const auto facts = from.Look(path / name);
    if (facts && *facts && (*facts)->directory) {
      CopyTo(from, opens, path / name, to / name);
    } else if (const auto bytes = storage::ReadWhole(opens, path / name)) {
      std::ofstream(to / name, std::ios::binary) << *bytes;
    }
  }
}

class Inquiry {
 public:
  Inquiry(const CrashPlan& plan, const History& history, std::string keep)
      : plan_(plan), history_(history), keep_(std::move(keep)), random_(plan.seed) {}

  void Look(const Cut& cut) {
    Try(cut, Survivors::All(), plan_.second_crashes);
    Try(cut, Survivors::None(), plan_.second_crashes);
    for (std::size_t i = 0; i < plan_.images_by_seed; ++i) Try(cut, Survivors::BySeed(random_()), 0);
    const std::size_t units = cut.moment.units();
    for (std::size_t i = 0; i < plan_.images_by_unit && units != 0; ++i) {
      const std::size_t unit = random_() % units;
      Try(cut, i % 2 == 0 ? Survivors::AllBut(unit) : Survivors::Only(unit), 0);
    }
  }

  CrashReport Report() && { return std::move(report_); }

 private:
  void Try(const Cut& cut, const Survivors& survivors, std::size_t crash_again) {
    ++report_.images;
    const std::shared_ptr<SimulatedDisk> disk = cut.moment.After(survivors);
    std::vector<Cut> again;
    if (crash_again != 0) {
      disk->WatchWith([&](SimulatedDisk::Operation operation, const std::function<Moment()>& moment) {
        const bool boundary =
            operation == SimulatedDisk::Operation::kSync || operation == SimulatedDisk::Operation::kSyncNames;
        if (boundary && random_() % 4 == 0 && again.size() < crash_again)
          again.push_back(
              {.moment = moment(), .promised = cut.promised, .settling = cut.settling, .cut = cut.cut});
      });
    }
    std::string problem;
    if (auto store = EventStore::Open(OptionsOn(disk)); !store) {
      problem = "is refused: " + Said(store.error());
    } else {
      disk->WatchWith(nullptr);
      problem = ProblemOf(history_, cut, **store);
      if (problem.empty()) problem = ProblemOfFate(history_, cut, **store);
      if (problem.empty()) problem = ProblemOfGoingOn(history_, cut, **store);
    }
    if (!problem.empty()) Note(cut, survivors, problem);
    for (const Cut& second : again) {
      Try(second, Survivors::None(), 0);
      Try(second, Survivors::BySeed(random_()), 0);
    }
  }

  void Note(const Cut& cut, const Survivors& survivors, const std::string& problem) {
    if (report_.violations.empty() && !keep_.empty()) {
      const auto image = cut.moment.After(survivors);
      CopyTo(*image, *image, kDirectory, keep_);
    }
    if (report_.violations.size() >= kViolationsMax) return;
    report_.violations.push_back("seed " + std::to_string(plan_.seed) + ", image " +
                                 std::to_string(report_.images) + " (" + survivors.Name() + " of " +
                                 std::to_string(cut.moment.units()) + " pending kept): the store " + problem);
  }

  const CrashPlan& plan_;
  const History& history_;
  const std::string keep_;
  std::mt19937_64 random_;
  CrashReport report_;
};

}  // namespace

CrashReport CutPower(const CrashPlan& plan, const std::string& keep) {
  History history;
  const auto disk = std::make_shared<SimulatedDisk>();
  if (!plan.lie_about.empty()) disk->LieAbout(plan.lie_about);
  auto store = EventStore::Open(OptionsOn(disk));
  if (!store) return {.images = 0, .violations = {"cannot be made: " + Said(store.error())}};
  std::vector<Cut> cuts;
  // Every change of the disk may be the last, and each is as likely to be looked at.
  std::mt19937_64 random(plan.seed + 1);
  std::uint64_t changes = 0;
  disk->WatchWith([&](SimulatedDisk::Operation, const std::function<Moment()>& moment) {
    const std::uint64_t place = random() % ++changes;
    if (cuts.size() >= plan.moments && place >= plan.moments) return;
    Cut cut{.moment = moment(),
            .promised = history.promised.load(),
            .settling = history.settling.load(),
            .cut = history.cut.load()};
    if (cuts.size() < plan.moments) {
      cuts.push_back(std::move(cut));
    } else {
      cuts[place] = std::move(cut);
    }
  });
  Work work(plan, history, **store);
  for (std::size_t step = 0; step < plan.steps; ++step) work.Step();
  store->reset();
  disk->WatchWith(nullptr);
  Inquiry inquiry(plan, history, keep);
  for (const Cut& cut : cuts) inquiry.Look(cut);
  return std::move(inquiry).Report();
}

}  // namespace weir::tests
