#include "tests/simulate/at_rest.h"

#include <algorithm>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <utility>

#include "storage/event_store.h"
#include "tests/simulate/store_work.h"
#include "tests/support/stored_events.h"

namespace weir::tests {
namespace {

namespace fs = std::filesystem;
using storage::EventStore;
using storage::Sequence;

// Every file below the store's directory but those that hold nothing: locks and RocksDB's diary.
std::vector<fs::path> FilesOf(SimulatedDisk& disk, const fs::path& directory = kWorkDirectory) {
  std::vector<fs::path> files;
  for (const std::string& name : disk.List(directory).value_or(std::vector<std::string>())) {
    const auto facts = disk.Look(directory / name);
    if (!facts || !*facts) continue;
    if ((*facts)->directory) {
      std::ranges::move(FilesOf(disk, directory / name), std::back_inserter(files));
    } else if (name != "lock" && name != "LOCK" && !name.starts_with("LOG")) {
      files.push_back(directory / name);
    }
  }
  return files;
}

void Replace(SimulatedDisk& disk, const fs::path& file, std::string_view bytes) {
  const auto opened = disk.Open(file, storage::Disk::Access::kReplace);
  if (opened) std::ignore = (*opened)->WriteAt(0, bytes);
}

// "MANIFEST", ".log", "high-water": without the number that RocksDB gives a file.
std::string KindOf(const fs::path& file) {
  if (file.has_extension()) return file.extension().string();
  const std::string name = file.filename().string();
  const std::size_t number = name.find_first_of("0123456789");
  return number == std::string::npos || number == 0 ? name : name.substr(0, number - 1);
}

struct Mutation {
  std::string name;
  std::function<void(SimulatedDisk&)> apply;
};

class Mutations {
 public:
  Mutations(const RestPlan& plan, SimulatedDisk& found, SimulatedDisk& older)
      : plan_(plan), found_(found), older_(older), random_(plan.seed), files_(FilesOf(found)) {}

  std::vector<Mutation> All() {
    if (plan_.everything_older) {
      list_.push_back({"everything as it was before", [this](SimulatedDisk& disk) {
                         for (const fs::path& file : files_) std::ignore = disk.Remove(file);
                         for (const fs::path& file : FilesOf(older_))
                           Replace(disk, file, storage::ReadWhole(older_, file).value_or(""));
                       }});
      return std::move(list_);
    }
    for (const fs::path& file : files_) {
      if (file.extension() == ".log") newest_log_ = std::max(newest_log_, file);
    }
    for (const fs::path& file : files_) {
      if (IsGuarded(file) || (plan_.newest_log && IsOfNewestLog(file))) Of(file);
    }
    return std::move(list_);
  }
  const std::set<std::string>& kinds() const { return kinds_; }

 private:
  // With all of its segments, and its tail.
  bool IsOfNewestLog(const fs::path& file) const { return file.native().starts_with(newest_log_.native()); }
  // What a crash may have taken the end of is missed only as far as something says so.
  bool IsGuarded(const fs::path& file) const {
    return plan_.closed || (!IsOfNewestLog(file) && KindOf(file) != "MANIFEST");
  }
  void Of(const fs::path& file) {
    kinds_.insert(KindOf(file));
    const std::string name = file.string();
    const std::string bytes = storage::ReadWhole(found_, file).value_or("");
    list_.push_back({name + " deleted", [file](SimulatedDisk& disk) { std::ignore = disk.Remove(file); }});
    for (std::size_t i = 0; i < plan_.flips && !bytes.empty(); ++i) {
      std::string flipped = bytes;
      const std::size_t at = random_() % bytes.size();
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << random_() % 8));
      Becomes(file, "a bit of byte " + std::to_string(at) + " of " + name + " flipped", flipped);
    }
    for (std::size_t i = 0; i < plan_.cuts && !bytes.empty(); ++i) {
      const std::size_t to = i == 0 ? 0 : random_() % bytes.size();
      Becomes(file, name + " cut to " + std::to_string(to) + " bytes", bytes.substr(0, to));
    }
    std::vector<fs::path> alike;
    std::ranges::copy_if(files_, std::back_inserter(alike), [&](const fs::path& other) {
      return other != file && KindOf(other) == KindOf(file) && IsGuarded(other) == IsGuarded(file);
    });
    if (!alike.empty()) {
      const fs::path& other = alike[random_() % alike.size()];
      const std::string others = storage::ReadWhole(found_, other).value_or("");
      if (others != bytes) {
        list_.push_back({name + " and " + other.string() + " exchanged",
                         [file, other, bytes, others](SimulatedDisk& disk) {
                           Replace(disk, file, others);
                           Replace(disk, other, bytes);
                         }});
      }
    }
    const auto old = storage::ReadWhole(older_, file);
    if (old && *old != bytes) Becomes(file, name + " as it was before", *old);
  }
  void Becomes(const fs::path& file, std::string name, std::string bytes) {
    list_.push_back({std::move(name),
                     [file, bytes = std::move(bytes)](SimulatedDisk& disk) { Replace(disk, file, bytes); }});
  }

  const RestPlan& plan_;
  SimulatedDisk& found_;
  SimulatedDisk& older_;
  std::mt19937_64 random_;
  const std::vector<fs::path> files_;
  fs::path newest_log_;
  std::vector<Mutation> list_;
  std::set<std::string> kinds_;
};

// Whether each event that was acknowledged is there as it was, or said to be damaged; nullopt: all are there.
struct Findings {
  bool told = false;
  std::string problem = {};
};

void LookAtEvents(const History& history, const EventStore& store, Findings& findings) {
  std::set<std::string> seen;
  Sequence expected = std::max<Sequence>(store.first_sequence(), 1);
  if (store.first_sequence() > history.cut) {
    findings.problem = "begins at " + std::to_string(store.first_sequence());
    return;
  }
  for (; expected <= history.promised; ++expected) {
    auto reader = store.ReadFrom(expected);
    const auto next = reader.Next();
    if (!next) {
      findings.told = true;
      continue;
    }
    const auto known = history.acked.find(expected);
    if (!*next || (*next)->sequence != expected || known == history.acked.end()) {
      findings.problem = "has lost event " + std::to_string(expected);
      return;
    }
    if ((*next)->id != known->second || (*next)->body != history.bodies.at(known->second)) {
      findings.problem = "has altered event " + std::to_string(expected);
      return;
    }
  }
  if (store.last_sequence() != history.promised)
    findings.problem = "ends at " + std::to_string(store.last_sequence());
}

void LookAtFate(const History& history, const EventStore& store, Findings& findings) {
  Fate fate;
  const auto position = store.LoadPosition(kWorkSink);
  const auto retries = store.LoadRetries(kWorkSink);
  const auto visited = store.VisitDeadLetters(kWorkSink, [&](const storage::DeadLetter& letter) {
    fate.dead.insert(letter.sequence);
    return true;
  });
  const bool unreadable =
      (!position && position.error().code != storage::StoreErrorCode::kNotFound) || !retries || !visited;
  findings.told |= unreadable;
  if (unreadable) return;
  if (position) fate.offset = position->offset;
  for (const auto& retry : *retries) fate.retried.insert(retry.sequence);
  if (fate != history.fates.back()) findings.problem = "has forgotten what was settled";
}

// Whether what comes again is known again.
void LookAtIds(const History& history, EventStore& store, Findings& findings) {
  constexpr std::size_t kAsked = 40;
  std::vector<storage::Event> events;
  std::vector<Sequence> sequences;
  const std::size_t step = history.acked.size() / kAsked + 1;
  std::size_t at = 0;
  for (const auto& [sequence, id] : history.acked) {
    if (++at % step != 0 || sequence < store.first_sequence()) continue;
    storage::Event& event = events.emplace_back();
    event.received_at_us = kWorkStartUs + static_cast<std::int64_t>(history.acked.size()) * kWorkSecondUs;
    event.source = "shop";
    event.id = id;
    event.type = "order.paid";
    event.body = history.bodies.at(id);
    sequences.push_back(sequence);
  }
  const auto results = CommitEvents(store, events, kWorkWindowUs);
  findings.told |= !results;
  for (std::size_t i = 0; results && i < sequences.size(); ++i) {
    const auto& result = (*results)[i];
    if (result.outcome != storage::AppendOutcome::kDuplicate || result.sequence != sequences[i])
      findings.problem = "does not know event " + std::to_string(sequences[i]) + " again";
  }
}

Findings FindingsOn(const History& history, EventStore& store) {
  Findings findings;
  LookAtEvents(history, store, findings);
  if (findings.problem.empty()) LookAtFate(history, store, findings);
  if (findings.problem.empty() && !findings.told) LookAtIds(history, store, findings);
  return findings;
}

// Works twice and keeps the disk as it was after each; nothing where it cannot.
struct Images {
  Moment older;
  Moment found;
};

std::expected<Images, std::string> Work(const RestPlan& plan, History& history) {
  const auto disk = std::make_shared<SimulatedDisk>();
  std::optional<Moment> now;
  const auto look = [&] {
    disk->WatchWith([&](SimulatedDisk::Operation, const std::function<Moment()>& moment) {
      if (!now) now = moment();
    });
    std::ignore = disk->SyncDirectory(kWorkDirectory);
    disk->WatchWith(nullptr);
    return *std::exchange(now, std::nullopt);
  };
  std::optional<Moment> older;
  for (std::uint64_t seed = plan.seed;; ++seed) {
    auto store = EventStore::Open(OptionsOn(disk));
    if (!store) return std::unexpected("cannot be opened: " + store.error().message);
    StoreWork work(seed, history, **store);
    for (std::size_t step = 0; step < plan.steps; ++step) work.Step();
    if (older && !plan.closed) return Images{.older = *older, .found = look()};
    store->reset();
    if (older) return Images{.older = *older, .found = look()};
    older = look();
  }
}

}  // namespace

RestReport DamageAtRest(const RestPlan& plan, const std::string& keep) {
  RestReport report;
  History history;
  const auto images = Work(plan, history);
  if (!images) {
    report.violations.push_back(images.error());
    return report;
  }
  const auto found = images->found.After(Survivors::All());
  const auto older = images->older.After(Survivors::All());
  Mutations mutations(plan, *found, *older);
  for (const Mutation& mutation : mutations.All()) {
    const std::shared_ptr<SimulatedDisk> disk = images->found.After(Survivors::All());
    mutation.apply(*disk);
    const auto store = EventStore::Open(OptionsOn(disk));
    if (!store) {
      ++report.refused;
      continue;
    }
    const Findings findings = FindingsOn(history, **store);
    if (findings.problem.empty()) {
      ++(findings.told ? report.told : report.whole);
      continue;
    }
    if (report.violations.empty() && !keep.empty()) {
      const auto damaged = images->found.After(Survivors::All());
      mutation.apply(*damaged);
      CopyTo(*damaged, keep);
    }
    if (report.violations.size() < kViolationsMax) {
      report.violations.push_back("seed " + std::to_string(plan.seed) + (plan.closed ? ", " : ", crashed, ") +
                                  mutation.name + ": the store " + findings.problem);
    }
  }
  report.kinds = mutations.kinds();
  return report;
}

}  // namespace weir::tests
