// Faults of the disk, from below every interface: this file's fdatasync stands in for the C library's in any
// test binary that links it, so the database meets a failing disk exactly as it would a real one. Nothing in
// production knows of it.
#pragma once

namespace weir::support {

// The next sync of a file whose name ends in `.log` (RocksDB's write-ahead log) fails with EIO; those after
// it succeed, which is what a kernel does that has dropped the pages it could not write.
void FailNextLogSync();

// For as long as there is one, every sync of a file whose name ends in `.ndjson` (a file sink's) fails with
// EIO.
class BrokenLineFileSyncs {
 public:
  BrokenLineFileSyncs();
  ~BrokenLineFileSyncs();
  BrokenLineFileSyncs(const BrokenLineFileSyncs&) = delete;
  BrokenLineFileSyncs& operator=(const BrokenLineFileSyncs&) = delete;
};

// The next `count` syncs of a file named `high-water` fail with EIO.
void FailHighWaterSyncs(int count);

// While held, a sync of a file whose name ends in `.sst` does not return: memtables cannot become tables.
void HoldTableSyncs();
void ReleaseTableSyncs();

}  // namespace weir::support
