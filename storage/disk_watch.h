// How much room the store's disk has, looked at by a thread of its own: on a disk that does not answer even that
// question hangs, and neither the loop that takes signals nor whoever answers an operator may wait for it.
//
// Internal to storage/.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "storage/disk.h"
#include "storage/event_store.h"

namespace weir::storage {

class DiskWatch {
 public:
  // Looks once, on the caller's thread. `directory` is the data directory.
  DiskWatch(std::shared_ptr<Disk> disk, const std::filesystem::path& directory);
  // Ends the watch without waiting for it: the thread may hang in a question to the disk, and ends after it.
  ~DiskWatch();
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

  // Looks every limits::kDiskLookEvery from here on. The error is a sentence.
  std::expected<void, std::string> Start();

  // Any thread; never waits for the disk.
  DiskReading Last() const;

 private:
  struct State;  // shared with the thread
  std::shared_ptr<State> state_;
};

}  // namespace weir::storage
