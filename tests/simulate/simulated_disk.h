// A disk in memory that knows what of it a power cut leaves. What was written is pending until its file is synced, and a
// name until its directory is (storage/disk.h); a Moment holds both, and makes the disks that a power cut at that moment
// could leave behind: what is durable, and of the pending any choice.
//
// Pending units, each kept or lost by itself: a piece of a write, of at most 4 KiB and inside one block of that size, whole
// or cut behind one of its sectors of 512 bytes; a shortening; the growth of a file; a change of a directory (a name made,
// linked or removed, a rename as one).
//
// Any thread may use a disk. A Moment is immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/disk.h"

namespace weir::tests {

class SimulatedDisk;

// Which pending units a power cut keeps.
class Survivors {
 public:
  static Survivors All() { return Survivors(Rule::kAll, 0); }
  static Survivors None() { return Survivors(Rule::kNone, 0); }
  static Survivors AllBut(std::size_t unit) { return Survivors(Rule::kAllBut, unit); }
  static Survivors Only(std::size_t unit) { return Survivors(Rule::kOnly, unit); }
  // Each by a coin; of the pieces that stay some are cut.
  static Survivors BySeed(std::uint64_t seed) { return Survivors(Rule::kBySeed, seed); }

  bool Keeps(std::size_t unit) const;
  // How many bytes of a kept piece are there.
  std::size_t BytesOf(std::size_t unit, std::size_t piece_bytes) const;
  std::string Name() const;  // "all but 17"

 private:
  enum class Rule : std::uint8_t { kAll, kNone, kAllBut, kOnly, kBySeed };
  Survivors(Rule rule, std::uint64_t number) : rule_(rule), number_(number) {}
  Rule rule_;
  std::uint64_t number_;
};

class Moment {
 public:
  std::size_t units() const;
  std::unique_ptr<SimulatedDisk> After(const Survivors& survivors) const;

 private:
  friend class SimulatedDisk;
  struct Files;
  explicit Moment(std::shared_ptr<const Files> files) : files_(std::move(files)) {}
  std::shared_ptr<const Files> files_;
};

class SimulatedDisk final : public storage::Disk {
 public:
  enum class Operation : std::uint8_t { kWrite, kSync, kNames, kSyncNames };
  // Called before each change, on the thread that makes it, with what makes a Moment of that instant. No call back into
  // the disk.
  using Watch = std::function<void(Operation, const std::function<Moment()>&)>;

  SimulatedDisk();
  ~SimulatedDisk() override;

  void WatchWith(Watch watch);
  // Says of syncs of files whose names hold this that they are done, and does nothing: what a test of this disk's tests needs.
  void LieAbout(const std::string& part);

  storage::DiskResult<std::unique_ptr<storage::DiskFile>> Open(const std::filesystem::path& file,
                                                               Access access) override;
  storage::DiskResult<void> MakeDirectory(const std::filesystem::path& directory) override;
  storage::DiskResult<std::optional<Facts>> Look(const std::filesystem::path& path) const override;
  storage::DiskResult<void> MayUse(const std::filesystem::path& directory, bool write) const override;
  storage::DiskResult<std::vector<std::string>> List(const std::filesystem::path& directory) const override;
  storage::DiskResult<void> Remove(const std::filesystem::path& file) override;
  storage::DiskResult<void> RemoveDirectory(const std::filesystem::path& directory) override;
  storage::DiskResult<void> Rename(const std::filesystem::path& from,
                                   const std::filesystem::path& to) override;
  storage::DiskResult<void> Link(const std::filesystem::path& file,
                                 const std::filesystem::path& name) override;
  storage::DiskResult<void> SyncDirectory(const std::filesystem::path& directory) override;
  storage::DiskResult<std::uint64_t> FreeBytes(const std::filesystem::path& path) const override;
  storage::DiskResult<std::unique_ptr<storage::DiskLock>> Lock(const std::filesystem::path& file,
                                                               LockMode mode) override;

 private:
  friend class Moment;
  friend class SimulatedFile;
  class HeldLock;
  struct Node;
  struct NameChange;
  using NodeId = std::uint64_t;
  struct Place {
    NodeId directory;
    std::string name;
  };

  // All under mutex_.
  void Tell(Operation operation) const;
  std::optional<NodeId> Find(const std::filesystem::path& path) const;
  std::optional<Place> PlaceOf(const std::filesystem::path& path) const;
  NodeId Make(bool directory);
  void Change(NameChange change);
  std::uint64_t LinksTo(NodeId node) const;

  mutable std::recursive_mutex mutex_;
  std::unique_ptr<Moment::Files> files_;
  std::map<std::string, int> locks_;  // -1: exclusive
  std::set<std::string> lies_;
  Watch watch_;
};

}  // namespace weir::tests
