// The database's files as they were found, kept while it is being opened. Opening is not a reading act:
// RocksDB replays and deletes its write-ahead log, and deletes every table its MANIFEST does not name, which
// after a cut MANIFEST is all of them. If the audit then refuses the store, what was found is put back, so
// that a refused open changes nothing and a backup, an older build or --accept-data-loss still has everything
// to work with.
//
// The copy is hard links, so it costs a few microseconds a file and no space; nothing writes into a file once
// it is linked. A file system without hard links gets no copy.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "storage/disk.h"

namespace weir::storage {

class FoundCopy {
 public:
  // Links `folder` to `folder`.found, after putting back what an open that never finished left there. Nothing is
  // committed before an open has its verdict, so what it left goes with the high-water record as it still is; what goes
  // with another one is of another time, is not put back, and is set aside.
  static std::expected<FoundCopy, std::string> Make(const std::shared_ptr<Disk>& disk,
                                                    const std::filesystem::path& folder);

  // Where a copy of another time is kept; empty: there was none.
  const std::filesystem::path& set_aside() const { return set_aside_; }

  // The store is sound: what was found is no longer needed. Until this has succeeded nothing may be
  // committed: the next open would take the copy for the newest state.
  std::expected<void, std::string> Discard();
  // Another way to open is to be tried: `folder` becomes what it was, and the copy stays. False: there is no copy.
  // The database must be closed.
  std::expected<bool, std::string> StartAgain();
  // The store was refused: `folder` becomes what it was. The database must be closed.
  std::expected<void, std::string> Restore();
  // The store is used although it lost something: what was found stays, under the name returned; empty if
  // there is no copy. As binding as Discard.
  std::expected<std::filesystem::path, std::string> Keep();

 private:
  FoundCopy(std::shared_ptr<Disk> disk, std::filesystem::path folder, bool made)
      : disk_(std::move(disk)), folder_(std::move(folder)), made_(made) {}
  std::shared_ptr<Disk> disk_;
  std::filesystem::path folder_;
  bool made_;
  std::filesystem::path set_aside_;
};

}  // namespace weir::storage
