// The full audit of a store at rest, for `weir verify`: reads everything, changes nothing, reports all it
// finds instead of stopping at the first thing, and needs memory for a ledger but not for the log (it sorts
// identities in temporary files).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/event_store.h"

namespace weir::storage {

enum class FindingKind : std::uint8_t {
  kMissingEvent,    // a sequence between the first and the last is not there
  kDamagedEvent,    // a record does not decode, or is not the one its key says
  kBrokenChain,     // a record does not follow the one before it
  kRepeatedEvent,   // the same (source, id) again inside its window
  kUnreadable,      // the database reports a damaged block or file; what is behind it was not checked
  kHighWater,       // the high-water record is missing, damaged, or promises more than there is
  kDamagedValue,    // a position, retry, dead letter, conflict or index row does not decode
  kDanglingEntry,   // one of these refers to an event that is not there
  kPositionAhead,   // a sink has settled events past the end of the log
  kUnindexedEvent,  // dedupe would not recognise this event, though its window has not passed
  kDamagedTable,    // a table is missing, cut, another one's copy, or has an index that cannot be read
  kCopiesDiffer,    // what is kept twice is not the same twice
  kLedgerMissing,   // an acknowledged id is not in the log
  kCount
};
std::string_view FindingName(FindingKind kind);  // "missing_event"

struct Finding {
  FindingKind kind;
  Sequence sequence;  // kNoSequence where it is about none
  std::string detail;
};

struct AuditReport {
  Sequence first = kNoSequence;
  Sequence last = kNoSequence;
  std::uint64_t events = 0;
  std::uint64_t event_bytes = 0;
  std::uint64_t malformed = 0;
  std::uint64_t sinks = 0;
  std::uint64_t retries = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t dedupe_runs = 0;
  std::uint64_t dedupe_entries = 0;  // sealed
  std::uint64_t accepted_losses = 0;
  std::uint64_t holes = 0;           // stretches of the log that went with them
  std::uint64_t lost_sequences = 0;  // in the holes; not all of them need have been events
  std::uint64_t ledger_ids = 0;      // distinct
  std::uint64_t ledger_found = 0;

  std::vector<Finding> findings;  // the first kFindingsMax
  std::uint64_t findings_total = 0;
  bool sound() const { return findings_total == 0; }
};
inline constexpr std::size_t kFindingsMax = 1000;

struct AuditRequest {
  std::filesystem::path directory;
  std::shared_ptr<Disk> disk = MachineDisk();
  // One acknowledged id a line, or source TAB id. Ids may repeat: a duplicate is acknowledged as well. That
  // none of them is stored twice is what kRepeatedEvent stands for, ledger or not.
  std::optional<std::filesystem::path> ledger;
  std::function<void(std::uint64_t checked, std::uint64_t total)> progress;  // may be empty; now and then
};

// An error only where there is nothing to audit: no store, a locked one, a database that does not open at
// all.
StoreResult<AuditReport> Audit(const AuditRequest& request);

}  // namespace weir::storage
