// RocksDB's files on a Disk: what RocksDB calls an environment, every file of the database through it.
//
// Two things RocksDB cannot live with are kept from it:
//
// A shortage of descriptors or memory: it waits for an end of it (patience.h).
//
// A failure of a file it goes on using, its log or its list of tables. As Debian builds it, RocksDB asserts that nobody
// writes to a file after an error, and its own threads do: the process would abort in the middle of everything. So the
// first such failure is told to whoever owns the store, and from there on the disk is frozen: nothing more is written,
// synced, renamed or deleted, and RocksDB is told that all is well until the process ends. What is on the disk stays
// what it was when it failed, as after a power cut. Whoever has written something must ask `frozen` before it is
// believed.
//
// Internal to storage/.
#pragma once

#include <rocksdb/env.h>

#include <atomic>
#include <functional>
#include <memory>

#include "storage/disk.h"

namespace weir::storage {

class Trash;

// While one lives, what its thread writes to the log is synced before anybody believes it. RocksDB has the log flushed in
// front of each sync as well, by the thread that asked for the write; what is synced at once need not be kept first.
class SyncFollows {
 public:
  explicit SyncFollows(bool follows);
  ~SyncFollows();
  SyncFollows(const SyncFollows&) = delete;
  SyncFollows& operator=(const SyncFollows&) = delete;

 private:
  const bool before_;
};

class DiskEnv {
 public:
  // Called once, on the thread that met the failure, before RocksDB goes on; may be empty.
  using OnFailure = std::function<void(const DiskError&)>;

  // `trash` outlives every file of RocksDB's, and takes those that it deletes; may be nullptr. `logs`: how its write-ahead
  // log is read, kRead or kOverDamage.
  DiskEnv(std::shared_ptr<Disk> disk, OnFailure on_failure, Trash* trash, Disk::Access logs);
  ~DiskEnv();
  DiskEnv(const DiskEnv&) = delete;
  DiskEnv& operator=(const DiskEnv&) = delete;

  rocksdb::Env* env() const { return env_.get(); }

  // Any thread. While the database is opened, and once it is closed, an open that cannot be had fails.
  void BePatient();
  void GiveUp();

  // A file that RocksDB goes on using has failed: nothing written since, and perhaps what was being written then, is
  // on the disk. For good.
  bool frozen() const;

  struct State;  // shared with the files

 private:
  std::shared_ptr<State> state_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace weir::storage
