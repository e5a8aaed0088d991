#include "engine/admin/event_query.h"

#include <algorithm>
#include <utility>

#include "engine/limits.h"
#include "engine/text/glob.h"
#include "storage/event_codec.h"

namespace weir::admin {

namespace {

using storage::Sequence;
using storage::StoreResult;

constexpr Sequence kBackwardChunkEvents = 256;

bool PastUntil(const EventFilter& filter, const storage::Event& event) {
  return filter.until_us && event.received_at_us - kReceiptDisorderUs > *filter.until_us;
}

bool BeforeSince(const EventFilter& filter, const storage::Event& event) {
  return filter.since_us && event.received_at_us + kReceiptDisorderUs < *filter.since_us;
}

// The log's events one after another, past what cannot be read.
class Walker {
 public:
  Walker(const storage::EventStore& store, Sequence from, Unreadable& unreadable)
      : store_(store), reader_(store.ReadFrom(from)), unreadable_(unreadable) {}

  // nullopt at the end of the log.
  StoreResult<std::optional<storage::Event>> Next() {
    for (;;) {
      auto event = reader_.Next();
      if (event || event.error().code != storage::StoreErrorCode::kCorruption ||
          event.error().sequence == storage::kNoSequence)
        return event;
      behind_unreadable_ = event.error().sequence + 1;
      unreadable_.Add(event.error().sequence);
      reader_ = store_.ReadFrom(behind_unreadable_);
    }
  }
  // Where to go on behind the last that was passed over.
  Sequence behind_unreadable() const { return behind_unreadable_; }

 private:
  const storage::EventStore& store_;
  storage::LogReader reader_;
  Unreadable& unreadable_;
  Sequence behind_unreadable_ = storage::kNoSequence;
};

}  // namespace

void Unreadable::Add(Sequence sequence) {
  ++count;
  if (named.size() < limits::kUnreadableNamedMax) named.push_back(sequence);
}

bool Matches(const EventFilter& filter, const storage::Event& event) {
  return (filter.source.empty() || filter.source == event.source) &&
         (filter.id.empty() || storage::IsNamed(event.id, filter.id)) &&
         (filter.type.empty() || text::GlobMatches(filter.type, event.type)) &&
         (!filter.since_us || event.received_at_us >= *filter.since_us) &&
         (!filter.until_us || event.received_at_us < *filter.until_us);
}

EventSummary Summarize(const Found& found) {
  const storage::Event& event = found.event;
  return {.sequence = event.sequence,
          .received_at_us = event.received_at_us,
          .source = std::string(event.source),
          .id = std::string(event.id),
          .type = std::string(event.type),
          .malformed = std::string(event.malformed),
          .body_bytes = event.body.size(),
          .state = found.state,
          .test = event.test,
          .untyped = event.untyped};
}

StoreResult<Step> ScanForward(const storage::EventStore& store, const DeliverySnapshot& snapshot,
                              const EventFilter& filter, Sequence from, std::size_t scan_max,
                              const VisitFound& visit) {
  Sequence next = std::max({from, store.Statistics().first_sequence, Sequence{1}});
  if (filter.since_us) {
    const auto first = store.FirstReceivedSince(*filter.since_us - kReceiptDisorderUs);
    if (!first) return std::unexpected(first.error());
    next = std::max(next, *first);
  }
  Step step{.next = next};
  Walker events(store, next, step.unreadable);
  for (std::size_t scanned = 0; scanned < scan_max; ++scanned) {
    const auto event = events.Next();
    if (!event) return std::unexpected(event.error());
    step.next = std::max(step.next, events.behind_unreadable());
    step.finished = !*event || PastUntil(filter, **event);
    if (step.finished) break;
    step.next = (*event)->sequence + 1;
    if (!Matches(filter, **event)) continue;
    const EventState state = StateOf(snapshot, **event);
    if (filter.state && *filter.state != state) continue;
    if (!visit({.event = **event, .state = state})) break;
  }
  return step;
}

StoreResult<Step> ScanBackward(const storage::EventStore& store, const DeliverySnapshot& snapshot,
                               const EventFilter& filter, Sequence before, std::size_t scan_max,
                               const std::function<bool(EventSummary)>& visit) {
  const auto statistics = store.Statistics();
  const Sequence first = std::max<Sequence>(statistics.first_sequence, 1);
  Sequence end = std::min(before, statistics.last_sequence + 1);  // the chunk is [begin, end)
  Step step;
  for (std::size_t scanned = 0; end > first && scanned < scan_max;) {
    const Sequence begin = end - std::min(end - first, kBackwardChunkEvents);
    std::vector<EventSummary> found;
    bool all_too_old = filter.since_us.has_value();
    Walker events(store, begin, step.unreadable);
    for (Sequence at = begin; at < end; ++at) {
      const auto event = events.Next();
      if (!event) return std::unexpected(event.error());
      if (!*event || (*event)->sequence >= end) break;
      all_too_old = all_too_old && BeforeSince(filter, **event);
      if (!Matches(filter, **event)) continue;
      const EventState state = StateOf(snapshot, **event);
      if (filter.state && *filter.state != state) continue;
      found.push_back(Summarize({.event = **event, .state = state}));
    }
    for (; !found.empty(); found.pop_back()) {
      const Sequence sequence = found.back().sequence;
      step.next = sequence;
      if (!visit(std::move(found.back()))) return step;
    }
    step.next = begin;
    step.finished = all_too_old;
    if (step.finished) return step;
    scanned += end - begin;
    end = begin;
  }
  step.next = end;
  step.finished = end <= first;
  return step;
}

}  // namespace weir::admin
