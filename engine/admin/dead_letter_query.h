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
