// What an open store is made of; shared by the files that implement EventStore and by nobody else.
#pragma once

#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/dedupe_index.h"
#include "storage/directory_lock.h"
#include "storage/event_store.h"
#include "storage/format_record.h"
#include "storage/high_water.h"
#include "storage/rocks.h"

namespace weir::storage {

struct EventStore::Parts {
  StoreOptions options;
  std::optional<DirectoryLock> lock;  // first in, last out: members are destroyed in reverse
  std::unique_ptr<Rocks> rocks;
  std::unique_ptr<DedupeIndex> index;
  std::unique_ptr<HighWaterWriter> high_water;  // none when read only

  // Constant once open.
  FormatRecord format;
  std::vector<std::string> notes;

  std::atomic<Sequence> first{kNoSequence};    // oldest event kept; kNoSequence while the log is empty
  std::atomic<Sequence> durable{kNoSequence};  // newest; written by the committer
  std::atomic<bool> failed{false};             // a commit failed for good: nothing is committed any more

  // The committer's own; the vectors only save their memory from group to group.
  std::uint64_t last_check = 0;
  std::int64_t newest_received_us = INT64_MIN;
  rocksdb::WriteBatch batch;
  std::vector<Fingerprint> fingerprints;
  std::vector<Sequence> candidates;
  std::vector<std::size_t> stored;    // indices of the group's new records, in sequence order
  std::vector<std::size_t> inserted;  // their slots in the dedupe table

  std::mutex dead_mutex;  // held across batches that change dead letters
  std::map<std::string, std::uint64_t, std::less<>> dead_counts;  // under dead_mutex

  std::atomic<std::uint64_t> conflicts{0};       // kept; written by the committer
  std::atomic<std::uint64_t> conflict_bytes{0};  // likewise

  std::mutex trim_mutex;  // one cut of the log at a time

  // The steps of Open, in order.
  StoreResult<void> Open();
  StoreResult<void> OpenDatabase(const std::optional<HighWaterRecord>& promised);
  StoreResult<void> LoadFormat();
  StoreResult<void> AuditLog();
  StoreResult<void> AuditPromise(const std::optional<HighWaterRecord>& promised);
  StoreResult<void> AuditPositions();
  StoreResult<void> CountDead();
  StoreResult<void> CountConflicts();
  StoreResult<void> StartHighWater();
  // Under accept_data_loss: notes it and goes on. Otherwise: the error that names the way out.
  StoreResult<void> Lost(std::string what);
  // Removes what refers to events past the log's end, and records the loss.
  StoreResult<void> RecordLosses();

  StoreResult<Sequence> OldestNeeded(Sequence limit, std::span<const std::string> sinks) const;
  StoreResult<std::int64_t> ReceivedAt(Sequence sequence) const;
  StoreResult<void> WriteCut(Sequence first_kept);
  Fingerprint FingerprintFor(std::string_view identity) const;
  StoreResult<void> Write(rocksdb::WriteBatch& updates, bool sync, std::string_view doing) const;
  // Calls `visit(key, value)` for every row whose key starts with `prefix`, in key order, until it returns
  // false.
  using VisitRow = std::function<StoreResult<bool>(std::string_view key, std::string_view value)>;
  StoreResult<void> VisitPrefix(Family family, std::string_view prefix, const VisitRow& visit,
                                const rocksdb::Snapshot* as_of = nullptr) const;
};

}  // namespace weir::storage
