// RocksDB's files, opened with patience: an open that fails because the process or the machine is out of descriptors or
// memory has written nothing, and RocksDB would take it for a disk that failed, which ends the store. So it is tried
// again until there is one. A writer that waits for it is a commit under way for too long, and answered as such.
//
// Internal to storage/.
#pragma once

#include <rocksdb/env.h>

#include <atomic>
#include <memory>

namespace weir::storage {

class PatientFiles {
 public:
  PatientFiles();
  ~PatientFiles();

  rocksdb::Env* env() const { return env_.get(); }
  // Any thread. An open that cannot be had fails at first, while the database is opened: a start that lacks
  // something is refused. Then it waits, until it gives up because the database is closed.
  void BePatient() { giving_up_->store(false, std::memory_order_relaxed); }
  void GiveUp() { giving_up_->store(true, std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> giving_up_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace weir::storage
