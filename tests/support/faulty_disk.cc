#include "tests/support/faulty_disk.h"

#include <cerrno>
#include <utility>

namespace weir::tests {

using storage::Disk;
using storage::DiskError;
using storage::DiskFile;
using storage::DiskResult;

class FaultyFile final : public DiskFile {
 public:
  FaultyFile(FaultyDisk& disk, std::string name, std::unique_ptr<DiskFile> file)
      : disk_(disk), name_(std::move(name)), file_(std::move(file)) {}

  DiskResult<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) const override {
    return file_->ReadAt(offset, into);
  }
  DiskResult<void> WriteAt(std::uint64_t offset, std::string_view bytes) override {
    if (disk_.IsLost(name_)) return {};
    if (disk_.Fails(name_, &FaultyDisk::Faults::writes))
      return std::unexpected(DiskError{.code = ENOSPC, .message = "cannot write " + name_ + ": no space"});
    return file_->WriteAt(offset, bytes);
  }
  DiskResult<void> Sync() override {
    if (disk_.IsLost(name_)) return {};
    if (disk_.Fails(name_, &FaultyDisk::Faults::syncs))
      return std::unexpected(
          DiskError{.code = EIO, .message = "cannot sync " + name_ + ": input/output error"});
    disk_.WaitWhileHeld(name_);
    return file_->Sync();
  }
  DiskResult<bool> IsAllocated() const override { return disk_.IsAllocated(); }
  DiskResult<std::uint64_t> Size() const override { return file_->Size(); }
  DiskResult<void> Resize(std::uint64_t bytes) override {
    return disk_.IsLost(name_) ? DiskResult<void>{} : file_->Resize(bytes);
  }
  void Reserve(std::uint64_t offset, std::uint64_t bytes) override {
    if (!disk_.IsLost(name_)) file_->Reserve(offset, bytes);
  }
  void StartWriting(std::uint64_t offset, std::uint64_t bytes) override {
    file_->StartWriting(offset, bytes);
  }
  void WillRead(std::uint64_t offset, std::uint64_t bytes) const override { file_->WillRead(offset, bytes); }
  void WillNotRead(std::uint64_t offset, std::uint64_t bytes) const override {
    file_->WillNotRead(offset, bytes);
  }

 private:
  FaultyDisk& disk_;
  const std::string name_;
  const std::unique_ptr<DiskFile> file_;
};

// A file that was begun after the end.
class LostFile final : public DiskFile {
 public:
  DiskResult<std::size_t> ReadAt(std::uint64_t, std::span<char>) const override { return 0; }
  DiskResult<void> WriteAt(std::uint64_t, std::string_view) override { return {}; }
  DiskResult<void> Sync() override { return {}; }
  DiskResult<std::uint64_t> Size() const override { return 0; }
  DiskResult<void> Resize(std::uint64_t) override { return {}; }
  void Reserve(std::uint64_t, std::uint64_t) override {}
  void StartWriting(std::uint64_t, std::uint64_t) override {}
  void WillRead(std::uint64_t, std::uint64_t) const override {}
  void WillNotRead(std::uint64_t, std::uint64_t) const override {}
};

void FaultyDisk::FailSyncs(const std::string& ending, int count) {
  const std::scoped_lock lock(mutex_);
  faults_[ending].syncs = count;
}

void FaultyDisk::FailWrites(const std::string& ending, int count) {
  const std::scoped_lock lock(mutex_);
  faults_[ending].writes = count;
}

void FaultyDisk::SayNotAllocated(int count) {
  const std::scoped_lock lock(mutex_);
  not_allocated_ = count;
}

bool FaultyDisk::IsAllocated() {
  const std::scoped_lock lock(mutex_);
  if (not_allocated_ == 0) return true;
  if (not_allocated_ != kForGood) --not_allocated_;
  return false;
}

void FaultyDisk::HoldSyncs(const std::string& ending) {
  const std::scoped_lock lock(mutex_);
  held_ = ending;
}

void FaultyDisk::ReleaseSyncs() {
  const std::scoped_lock lock(mutex_);
  held_.clear();
  released_.notify_all();
}

void FaultyDisk::Kill(const std::string& spared) {
  const std::scoped_lock lock(mutex_);
  spared_ = spared;
}

bool FaultyDisk::IsLost(std::string_view file) const {
  const std::scoped_lock lock(mutex_);
  return spared_ && !file.ends_with(*spared_);
}

bool FaultyDisk::Fails(std::string_view file, int Faults::* kind) {
  const std::scoped_lock lock(mutex_);
  for (auto& [ending, faults] : faults_) {
    int& left = faults.*kind;
    if (left == 0 || !file.ends_with(ending)) continue;
    if (left != kForGood) --left;
    return true;
  }
  return false;
}

void FaultyDisk::WaitWhileHeld(std::string_view file) {
  std::unique_lock lock(mutex_);
  released_.wait(lock, [&] { return held_.empty() || !file.ends_with(held_); });
}

DiskResult<std::unique_ptr<DiskFile>> FaultyDisk::Open(const std::filesystem::path& file, Access access) {
  if (access != Access::kRead && access != Access::kOverDamage && IsLost(file.string()))
    return std::make_unique<LostFile>();
  auto opened = machine_->Open(file, access);
  if (!opened) return opened;
  return std::make_unique<FaultyFile>(*this, file.string(), *std::move(opened));
}
DiskResult<void> FaultyDisk::MakeDirectory(const std::filesystem::path& directory) {
  return IsLost(directory.string()) ? DiskResult<void>{} : machine_->MakeDirectory(directory);
}
DiskResult<std::optional<Disk::Facts>> FaultyDisk::Look(const std::filesystem::path& path) const {
  return machine_->Look(path);
}
DiskResult<void> FaultyDisk::MayUse(const std::filesystem::path& directory, bool write) const {
  return machine_->MayUse(directory, write);
}
DiskResult<std::vector<std::string>> FaultyDisk::List(const std::filesystem::path& directory) const {
  return machine_->List(directory);
}
DiskResult<void> FaultyDisk::Remove(const std::filesystem::path& file) {
  return IsLost(file.string()) ? DiskResult<void>{} : machine_->Remove(file);
}
DiskResult<void> FaultyDisk::RemoveDirectory(const std::filesystem::path& directory) {
  return IsLost(directory.string()) ? DiskResult<void>{} : machine_->RemoveDirectory(directory);
}
DiskResult<void> FaultyDisk::Rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  return IsLost(to.string()) ? DiskResult<void>{} : machine_->Rename(from, to);
}
DiskResult<void> FaultyDisk::Link(const std::filesystem::path& file, const std::filesystem::path& name) {
  return IsLost(name.string()) ? DiskResult<void>{} : machine_->Link(file, name);
}
DiskResult<void> FaultyDisk::SyncDirectory(const std::filesystem::path& directory) {
  return IsLost(directory.string()) ? DiskResult<void>{} : machine_->SyncDirectory(directory);
}
DiskResult<std::uint64_t> FaultyDisk::FreeBytes(const std::filesystem::path& path) const {
  return machine_->FreeBytes(path);
}
DiskResult<std::unique_ptr<storage::DiskLock>> FaultyDisk::Lock(const std::filesystem::path& file,
                                                                LockMode mode) {
  return machine_->Lock(file, mode);
}

}  // namespace weir::tests
