// What is checked of the log whenever a store is opened: in time that does not grow with the log, except for
// the part that is read back into the dedupe index anyway. `weir verify` reads everything (audit.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "storage/event_store.h"
#include "storage/holes.h"
#include "storage/rocks.h"
#include "storage/salvage.h"

namespace weir::storage {

struct LogEnds {
  Sequence first = kNoSequence;
  Sequence last = kNoSequence;
  std::uint64_t last_check = 0;  // the newest record's checksum
};

// Called for each stretch of the log that is missing or unreadable and in no hole. Passes `refusal` on, or goes on
// without the stretch, which is then in `holes`.
using OnLoss = std::function<StoreResult<void>(Hole lost, StoreError refusal)>;
// Called for what is damaged and is no reason to refuse.
using TellDamage = std::function<void(const std::string& what)>;

// Every sequence from `trimmed_before` to the newest table's last is in a table or in a hole, by the tables' own
// counts; of a table whose counts cannot be read, by the MANIFEST's. `last` is one less than `first` when there is no
// such table.
StoreResult<LogEnds> CheckTables(Rocks& rocks, Sequence trimmed_before, const Holes& holes,
                                 const OnLoss& on_loss, const TellDamage& damaged);

// The oldest event there is and the newest in a table, cut off or not; both kNoSequence for an empty log. Without a look
// at what is in the tables.
LogEnds FindEnds(Rocks& rocks);

// The newest event there is, tables or not; kNoSequence for an empty log.
StoreResult<Sequence> FindNewest(Rocks& rocks, const LogEnds& tables);

// Decodes everything after `after` (at least the newest record), checks sequences and chain, and shows each
// record to `visit`. Completes `ends`, whose `last` is then the newest event there is; both are kNoSequence when
// there is none.
//
// Damage of a table is no loss: a record that is salvaged by its header alone is shown as it is, one that cannot be
// read at all has no chain to its neighbours, and both are told to `damaged`.
using VisitRecord = std::function<StoreResult<void>(const Event& event, std::string_view record)>;
StoreResult<void> CheckTail(Rocks& rocks, Salvage& salvage, Sequence after, const Holes& holes, LogEnds& ends,
                            const OnLoss& on_loss, const VisitRecord& visit, const TellDamage& damaged);

}  // namespace weir::storage
