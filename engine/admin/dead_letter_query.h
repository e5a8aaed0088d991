// Finding dead letters: the letter itself, joined with the event it is about.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/admin/event_query.h"
#include "storage/event_store.h"

namespace weir::admin {

struct DeadLetterPlace {
  std::string sink;
  storage::Sequence sequence = storage::kNoSequence;
  auto operator<=>(const DeadLetterPlace&) const = default;
};

struct DeadLetterFilter {
  std::string sink;                      // empty = any
  std::string source;                    // empty = any
  std::string type;                      // glob; empty = any
  std::string id;                        // of the event; empty = any
  std::string reason;                    // as DeadLetter::reason; empty = any
  std::optional<std::int64_t> since_us;  // died at or after
  std::optional<std::int64_t> until_us;  // died before
  std::optional<DeadLetterPlace> after;  // goes on behind this letter
};

struct FoundDeadLetter {
  const storage::DeadLetter& dead;
  std::optional<EventSummary> event;  // nullopt when the log no longer has it
};

// In (sink, sequence) order until `visit` returns false.
storage::StoreResult<void> VisitDeadLetters(const storage::EventStore& store, const DeadLetterFilter& filter,
                                            const std::function<bool(const FoundDeadLetter&)>& visit);

// The newest `max` letters, the one that died last first, and how many match in all. Letters of one microsecond
// are ordered by their place.
struct DeadLetterAge {
  std::int64_t died_at_us = 0;
  DeadLetterPlace place;
  auto operator<=>(const DeadLetterAge&) const = default;
};
struct NewestDeadLetters {
  struct Letter {
    storage::DeadLetter dead;
    std::optional<EventSummary> event;  // nullopt when the log no longer has it
  };
  std::vector<Letter> letters;
  std::uint64_t total = 0;  // that match, on whichever side of `before`
  bool more = false;        // there are older ones
};
// Looks at every letter that matches and keeps `max` of them. `before`: only older ones.
storage::StoreResult<NewestDeadLetters> FindNewest(const storage::EventStore& store,
                                                   const DeadLetterFilter& filter,
                                                   const std::optional<DeadLetterAge>& before,
                                                   std::size_t max);

// What an action is about, by sink, ascending; at most `max` letters in all.
struct DeadLetterSelection {
  std::map<std::string, std::vector<storage::Sequence>> by_sink;
  std::size_t count = 0;
  DeadLetterPlace last;  // of the selection
  bool more = false;     // there were more than `max`
};
storage::StoreResult<DeadLetterSelection> SelectDeadLetters(const storage::EventStore& store,
                                                            const DeadLetterFilter& filter, std::size_t max);

}  // namespace weir::admin
