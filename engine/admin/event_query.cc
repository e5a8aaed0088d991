#include "engine/admin/event_query.h"

#include <algorithm>
#include <utility>

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

}  // namespace

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
  auto reader = store.ReadFrom(next);
  for (std::size_t scanned = 0; scanned < scan_max; ++scanned) {
    const auto event = reader.Next();
    if (!event) return std::unexpected(event.error());
    if (!*event || PastUntil(filter, **event)) return Step{.next = next, .finished = true};
    next = (*event)->sequence + 1;
    if (!Matches(filter, **event)) continue;
    const EventState state = StateOf(snapshot, **event);
    if (filter.state && *filter.state != state) continue;
    if (!visit({.event = **event, .state = state})) break;
  }
  return Step{.next = next, .finished = false};
}

StoreResult<Step> ScanBackward(const storage::EventStore& store, const DeliverySnapshot& snapshot,
                               const EventFilter& filter, Sequence before, std::size_t scan_max,
                               const std::function<bool(EventSummary)>& visit) {
  const auto statistics = store.Statistics();
  const Sequence first = std::max<Sequence>(statistics.first_sequence, 1);
  Sequence end = std::min(before, statistics.last_sequence + 1);  // the chunk is [begin, end)
  for (std::size_t scanned = 0; end > first && scanned < scan_max;) {
    const Sequence begin = end - std::min(end - first, kBackwardChunkEvents);
    std::vector<EventSummary> found;
    bool all_too_old = filter.since_us.has_value();
    auto reader = store.ReadFrom(begin);
    for (Sequence at = begin; at < end; ++at) {
      const auto event = reader.Next();
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
      if (!visit(std::move(found.back()))) return Step{.next = sequence, .finished = false};
    }
    if (all_too_old) return Step{.next = begin, .finished = true};
    scanned += end - begin;
    end = begin;
  }
  return Step{.next = end, .finished = end <= first};
}

}  // namespace weir::admin
