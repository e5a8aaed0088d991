// RocksDB's files on a Disk: what RocksDB calls an environment, every file of the database through it.
//
// Two things RocksDB cannot live with are kept from it:
//
// A shortage. An open that fails because the process or the machine is out of descriptors or memory has written nothing,
// and RocksDB would take it for a disk that failed, which ends the store. So it is tried again until there is one. A
// writer that waits for it is a commit under way for too long, and answered as such.
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

class DiskEnv {
 public:
  // Called once, on the thread that met the failure, before RocksDB goes on; may be empty.
  using OnFailure = std::function<void(const DiskError&)>;

  // `trash` outlives every file of RocksDB's, and takes those that it deletes; may be nullptr.
  DiskEnv(std::shared_ptr<Disk> disk, OnFailure on_failure, Trash* trash);
  ~DiskEnv();
  DiskEnv(const DiskEnv&) = delete;
  DiskEnv& operator=(const DiskEnv&) = delete;

  rocksdb::Env* env() const { return env_.get(); }

  // Any thread. An open that cannot be had fails at first, while the database is opened: a start that lacks something
  // is refused. Then it waits, until it gives up because the database is closed.
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
