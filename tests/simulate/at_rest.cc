#include "tests/simulate/at_rest.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <random>
#include <utility>

#include "storage/event_store.h"
#include "tests/simulate/store_work.h"

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

// What is done to a file, by name; nullopt where it would change nothing.
std::optional<std::string> Mutate(SimulatedDisk& disk, SimulatedDisk& older, std::mt19937_64& random) {
  const auto files = FilesOf(disk);
  const fs::path& file = files[random() % files.size()];
  std::string bytes = storage::ReadWhole(disk, file).value_or("");
  const std::string name = file.string();
  switch (random() % 5) {
    case 0: {
      if (bytes.empty()) return std::nullopt;
      const std::size_t at = random() % bytes.size();
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      Replace(disk, file, bytes);
      return "a bit of byte " + std::to_string(at) + " of " + name + " flipped";
    }
    case 1: {
      if (bytes.empty()) return std::nullopt;
      bytes.resize(random() % bytes.size());
      Replace(disk, file, bytes);
      return name + " cut to " + std::to_string(bytes.size()) + " bytes";
    }
    case 2:
      std::ignore = disk.Remove(file);
      return name + " deleted";
    case 3: {
      std::vector<fs::path> alike;
      std::ranges::copy_if(files, std::back_inserter(alike), [&](const fs::path& other) {
        return other != file && other.extension() == file.extension();
      });
      if (alike.empty()) return std::nullopt;
      const fs::path& other = alike[random() % alike.size()];
      const std::string others = storage::ReadWhole(disk, other).value_or("");
      if (others == bytes) return std::nullopt;
      Replace(disk, file, others);
      Replace(disk, other, bytes);
      return name + " and " + other.string() + " exchanged";
    }
    default: {
      const auto old = storage::ReadWhole(older, file);
      if (!old || *old == bytes) return std::nullopt;
      Replace(disk, file, *old);
      return name + " as it was before";
    }
  }
}

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

}  // namespace

RestReport DamageAtRest(const RestPlan& plan, const std::string& keep) {
  RestReport report;
  History history;
  const auto disk = std::make_shared<SimulatedDisk>();
  std::optional<Moment> older;
  std::optional<Moment> closed;
  for (std::optional<Moment>* at : {&older, &closed}) {
    auto store = EventStore::Open(OptionsOn(disk));
    if (!store) {
      report.violations.push_back("cannot be opened: " + store.error().message);
      return report;
    }
    StoreWork work(plan.seed + (at == &closed ? 1 : 0), history, **store);
    for (std::size_t step = 0; step < plan.steps; ++step) work.Step();
    store->reset();
    disk->WatchWith([&](SimulatedDisk::Operation, const std::function<Moment()>& moment) { *at = moment(); });
    std::ignore = disk->SyncDirectory(kWorkDirectory);
    disk->WatchWith(nullptr);
  }
  std::mt19937_64 random(plan.seed);
  for (std::size_t i = 0; i < plan.mutations; ++i) {
    const std::shared_ptr<SimulatedDisk> image = closed->After(Survivors::All());
    const auto before = older->After(Survivors::All());
    const auto mutation = Mutate(*image, *before, random);
    if (!mutation) continue;
    // As found: opening mends, or puts back.
    const auto store = EventStore::Open(OptionsOn(image));
    if (!store) {
      ++report.refused;
      continue;
    }
    Findings findings;
    LookAtEvents(history, **store, findings);
    if (findings.problem.empty()) LookAtFate(history, **store, findings);
    if (findings.problem.empty()) {
      ++(findings.told ? report.told : report.whole);
      continue;
    }
    if (report.violations.empty() && !keep.empty()) CopyTo(*image, keep);
    if (report.violations.size() < kViolationsMax) {
      report.violations.push_back("seed " + std::to_string(plan.seed) + ", " + *mutation + ": the store " +
                                  findings.problem);
    }
  }
  return report;
}

}  // namespace weir::tests
