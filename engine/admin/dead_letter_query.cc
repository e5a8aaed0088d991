#include "engine/admin/dead_letter_query.h"

#include <map>
#include <utility>

#include "storage/event_codec.h"

namespace weir::admin {

namespace {

bool InRange(const DeadLetterFilter& filter, const storage::DeadLetter& dead) {
  if (filter.after && DeadLetterPlace{.sink = dead.sink, .sequence = dead.sequence} <= *filter.after)
    return false;
  if (!filter.reason.empty() && dead.reason != filter.reason) return false;
  return (!filter.since_us || dead.died_at_us >= *filter.since_us) &&
         (!filter.until_us || dead.died_at_us < *filter.until_us);
}

bool EventMatches(const EventFilter& wanted, const std::string& record, std::optional<EventSummary>& event) {
  const bool any = wanted.source.empty() && wanted.type.empty() && wanted.id.empty();
  const auto decoded = storage::Decode(record);
  if (!decoded) return any;
  event = Summarize(
      {.event = *decoded, .state = decoded->malformed.empty() ? EventState::kDead : EventState::kMalformed});
  return Matches(wanted, *decoded);
}

}  // namespace

storage::StoreResult<void> VisitDeadLetters(const storage::EventStore& store, const DeadLetterFilter& filter,
                                            const std::function<bool(const FoundDeadLetter&)>& visit) {
  const EventFilter wanted{.source = filter.source,
                           .type = filter.type,
                           .id = filter.id,
                           .since_us = std::nullopt,
                           .until_us = std::nullopt,
                           .state = std::nullopt};
  std::optional<storage::StoreError> failed;
  auto visited = store.VisitDeadLetters(filter.sink, [&](const storage::DeadLetter& dead) {
    if (!filter.sink.empty() && dead.sink != filter.sink) return true;
    if (!InRange(filter, dead)) return true;
    auto record = store.ReadRecord(dead.sequence);
    // A letter may be there because its event cannot be read: it is listed without.
    if (!record && record.error().code != storage::StoreErrorCode::kNotFound &&
        record.error().code != storage::StoreErrorCode::kCorruption) {
      failed = record.error();
      return false;
    }
    std::optional<EventSummary> event;
    if (!EventMatches(wanted, record.value_or(""), event)) return true;
    return visit({.dead = dead, .event = std::move(event)});
  });
  if (failed) return std::unexpected(*failed);
  return visited;
}

storage::StoreResult<NewestDeadLetters> FindNewest(const storage::EventStore& store,
                                                   const DeadLetterFilter& filter,
                                                   const std::optional<DeadLetterAge>& before,
                                                   std::size_t max) {
  NewestDeadLetters found;
  std::map<DeadLetterAge, NewestDeadLetters::Letter> newest;  // the oldest of those kept goes first
  auto visited = VisitDeadLetters(store, filter, [&](const FoundDeadLetter& letter) {
    ++found.total;
    DeadLetterAge age{.died_at_us = letter.dead.died_at_us,
                      .place = {.sink = letter.dead.sink, .sequence = letter.dead.sequence}};
    if (before && age >= *before) return true;
    if (newest.size() == max) {
      found.more = true;
      if (age < newest.begin()->first) return true;
      newest.erase(newest.begin());
    }
    newest.emplace(std::move(age), NewestDeadLetters::Letter{.dead = letter.dead, .event = letter.event});
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  for (auto letter = newest.rbegin(); letter != newest.rend(); ++letter) {
    found.letters.push_back(std::move(letter->second));
  }
  return found;
}

storage::StoreResult<DeadLetterSelection> SelectDeadLetters(const storage::EventStore& store,
                                                            const DeadLetterFilter& filter, std::size_t max) {
  DeadLetterSelection selection;
  auto visited = VisitDeadLetters(store, filter, [&](const FoundDeadLetter& found) {
    if (selection.count == max) {
      selection.more = true;
      return false;
    }
    selection.by_sink[found.dead.sink].push_back(found.dead.sequence);
    ++selection.count;
    selection.last = {.sink = found.dead.sink, .sequence = found.dead.sequence};
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  return selection;
}

}  // namespace weir::admin
