// What is checked of the log whenever a store is opened: in time that does not grow with the log, except for
// the part that is read back into the dedupe index anyway. `weir verify` reads everything (audit.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "storage/event_store.h"
#include "storage/holes.h"
#include "storage/rocks.h"

namespace weir::storage {

struct LogEnds {
  Sequence first = kNoSequence;
  Sequence last = kNoSequence;
  std::uint64_t last_check = 0;  // the newest record's checksum
};

// Called for each stretch of the log that is missing or unreadable and in no hole. Passes `refusal` on, or goes on
// without the stretch, which is then in `holes`.
using OnLoss = std::function<StoreResult<void>(Hole lost, StoreError refusal)>;

// Every sequence from `trimmed_before` to the newest table's last is in a table or in a hole, by the tables' own
// counts. `last` is one less than `first` when there is no such table.
StoreResult<LogEnds> CheckTables(Rocks& rocks, Sequence trimmed_before, const Holes& holes,
                                 const OnLoss& on_loss);

// The newest event there is, tables or not; kNoSequence for an empty log.
StoreResult<Sequence> FindNewest(Rocks& rocks);

// Decodes everything after `after` (at least the newest record), checks sequences and chain, and shows each
// record to `visit`. Completes `ends`, whose `last` is then the newest event there is; both are kNoSequence when
// there is none.
using VisitRecord = std::function<StoreResult<void>(const Event& event, std::string_view record)>;
StoreResult<void> CheckTail(Rocks& rocks, Sequence after, const Holes& holes, LogEnds& ends,
                            const OnLoss& on_loss, const VisitRecord& visit);

}  // namespace weir::storage
