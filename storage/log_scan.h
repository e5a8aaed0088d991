// The log's records one after another, over damage: what the database cannot give is looked for in the tables' files
// (salvage.h), and what is not there either is said to be unreadable.
#pragma once

#include <rocksdb/iterator.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/event_store.h"
#include "storage/holes.h"
#include "storage/rocks.h"
#include "storage/salvage.h"

namespace weir::storage {

struct ScannedRecord {
  enum class State : std::uint8_t {
    kWhole,
    kAltered,     // the database gives it out, and it is not a record, or another's
    kHeader,      // salvaged: its header is proven, something behind it has changed
    kUnreadable,  // `record` is empty
  };
  Sequence sequence;
  std::string_view record;  // until the next call
  State state;
};

class LogScan {
 public:
  // From `first` on, over `holes`, which outlives the scan. `last_in_tables`: what is behind it is in memory.
  LogScan(Rocks& rocks, Salvage& salvage, const Holes& holes, Sequence first, Sequence last_in_tables);

  // nullopt at the end of the log. An error: a sequence is missing, or the disk does not answer.
  StoreResult<std::optional<ScannedRecord>> Next();
  // After kDataLoss at `missing`: the next event there is, which the next call gives; kNoSequence for none.
  Sequence GoOnBehind(Sequence missing);

 private:
  bool AtNext() const;
  StoreResult<std::optional<ScannedRecord>> Take(std::string_view record);
  StoreResult<std::optional<ScannedRecord>> FindNext();
  ScannedRecord Salvaged();
  StoreError Missing() const;

  Rocks& rocks_;
  Salvage& salvage_;
  const Holes& holes_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  Sequence next_;
  const Sequence last_in_tables_;
  bool stepped_ = false;  // rows_ stands at next_ - 1, which it gave
  std::string held_;
};

// What no table has yet, of which no damage of tables takes anything: the first event from `from` on, and the newest;
// kNoSequence for none.
Sequence FindInMemory(Rocks& rocks, Sequence from);
Sequence NewestInMemory(Rocks& rocks);

}  // namespace weir::storage
