// What an open store is made of; shared by the files that implement EventStore and by nobody else.
#pragma once

#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/dedupe_table.h"
#include "storage/directory_lock.h"
#include "storage/event_store.h"
#include "storage/fingerprint.h"
#include "storage/high_water.h"
#include "storage/rocks.h"

namespace weir::storage {

struct EventStore::Parts {
  StoreOptions options;
  std::optional<DirectoryLock> lock;  // outlives the database: members are destroyed in reverse
  std::unique_ptr<Rocks> rocks;
  std::unique_ptr<HighWaterWriter> high_water;  // none when read only

  // Constant once open.
  std::uint64_t store_id = 0;
  FingerprintSecret secret{};

  std::atomic<Sequence> first{kNoSequence};    // oldest event kept; kNoSequence while the log is empty
  std::atomic<Sequence> durable{kNoSequence};  // newest; written by the committer
  std::atomic<bool> failed{false};             // a commit failed for good: nothing is committed any more

  // The committer's own.
  std::uint64_t last_check = 0;
  rocksdb::WriteBatch batch;
  std::vector<Fingerprint> fingerprints;
  std::vector<std::size_t> inserted;
  std::vector<Sequence> candidates;

  std::mutex dedupe_mutex;
  std::unique_ptr<DedupeTable> head;  // under dedupe_mutex

  std::mutex dead_mutex;  // held across batches that change dead letters
  std::map<std::string, std::uint64_t, std::less<>> dead_counts;  // under dead_mutex

  // The steps of Open, in order.
  StoreResult<void> OpenDatabase();
  StoreResult<void> LoadFormat(bool created);
  StoreResult<void> AuditLog();
  StoreResult<void> LoadDeadCounts();
  StoreResult<void> StartHighWater();

  StoreResult<void> Write(rocksdb::WriteBatch& updates, bool sync, std::string_view doing);
};

}  // namespace weir::storage
