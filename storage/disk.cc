#include "storage/disk.h"

#include <algorithm>
#include <cerrno>

namespace weir::storage {

DiskResult<std::string> ReadWhole(Disk& disk, const std::filesystem::path& file) {
  const auto opened = disk.Open(file, Disk::Access::kRead);
  if (!opened) return std::unexpected(opened.error());
  const auto size = (*opened)->Size();
  if (!size) return std::unexpected(size.error());
  std::string bytes(static_cast<std::size_t>(*size), '\0');
  const auto read = (*opened)->ReadAt(0, bytes);
  if (!read) return std::unexpected(read.error());
  bytes.resize(*read);
  return bytes;
}

// Tried as a file first: what a symbolic link points to is somebody else's.
DiskResult<void> RemoveTree(Disk& disk, const std::filesystem::path& directory) {
  const auto removed = disk.Remove(directory);
  if (removed || removed.error().code == ENOENT) return {};
  if (removed.error().code != EISDIR) return removed;
  const auto names = disk.List(directory);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (auto gone = RemoveTree(disk, directory / name); !gone) return gone;
  }
  return disk.RemoveDirectory(directory);
}

std::uint64_t BytesOf(const Disk& disk, const std::filesystem::path& file) {
  const auto found = disk.Look(file);
  return found && *found ? (*found)->bytes : 0;
}

std::vector<std::filesystem::path> FilesEndingIn(const Disk& disk, const std::filesystem::path& directory,
                                                 std::string_view ending) {
  std::vector<std::filesystem::path> files;
  const auto names = disk.List(directory);
  if (!names) return files;
  for (const std::string& name : *names) {
    if (name.ends_with(ending)) files.push_back(directory / name);
  }
  std::ranges::sort(files);
  return files;
}

bool Exists(const Disk& disk, const std::filesystem::path& path) {
  const auto found = disk.Look(path);
  return found && found->has_value();
}

}  // namespace weir::storage
