#include "tests/simulate/crash_images.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "storage/event_store.h"
#include "tests/simulate/store_work.h"
#include "tests/support/stored_events.h"

namespace weir::tests {
namespace {

using storage::EventStore;
using storage::Sequence;

struct Cut {
  Moment moment;
  Sequence promised;
  std::size_t settling;
  Sequence cut;
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
  const auto position = store.LoadPosition(kWorkSink);
  if (position) fate.offset = position->offset;
  const auto retries = store.LoadRetries(kWorkSink);
  if (!retries) return "cannot read retries: " + Said(retries.error());
  for (const auto& retry : *retries) fate.retried.insert(retry.sequence);
  const auto visited = store.VisitDeadLetters(kWorkSink, [&](const storage::DeadLetter& letter) {
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
    event.received_at_us = kWorkStartUs + static_cast<std::int64_t>(cut.promised) * kWorkSecondUs;
    event.source = "shop";
    event.type = "order.paid";
  }
  const auto results = CommitEvents(store, events, kWorkWindowUs);
  if (!results) return "takes nothing: " + Said(results.error());
  if ((*results)[0].outcome != storage::AppendOutcome::kStored || (*results)[0].sequence != last + 1)
    return "puts a new event at " + std::to_string((*results)[0].sequence) + " behind " +
           std::to_string(last);
  if (cut.promised != 0 && (*results)[1].outcome != storage::AppendOutcome::kDuplicate)
    return "takes " + known->second + " for a new one";
  return {};
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
      CopyTo(*image, keep_);
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
  StoreWork work(plan.seed, history, **store);
  for (std::size_t step = 0; step < plan.steps; ++step) work.Step();
  store->reset();
  disk->WatchWith(nullptr);
  Inquiry inquiry(plan, history, keep);
  for (const Cut& cut : cuts) inquiry.Look(cut);
  return std::move(inquiry).Report();
}

}  // namespace weir::tests
