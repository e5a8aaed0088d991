// The store's directory before anything is opened in it: it is there and this process may use it, or the reason is
// a sentence that names the cause.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "storage/disk.h"

namespace weir::storage {

// Makes the directory and its parents if `create`. The error says which part of the path is in the way, and why.
std::expected<void, std::string> EnterDirectory(Disk& disk, const std::filesystem::path& directory,
                                                bool create);

// Whether EnterDirectory would make or find it, found out without making anything: the part of its path that is there.
// The error is the same sentence.
std::expected<std::filesystem::path, std::string> MayEnterDirectory(const Disk& disk,
                                                                    const std::filesystem::path& directory);

// One process a data directory: a lock on a file in it, held while the store is open and released by the kernel when
// the process ends, however it ends. Shared: several offline readers. RocksDB has a lock of its own, but takes it too
// late: what is done in front of opening the database needs it as well.
std::filesystem::path LockFileOf(const std::filesystem::path& directory);
// nullptr: somebody else holds it. An error: the file cannot be made.
std::expected<std::unique_ptr<DiskLock>, std::string> TakeDirectory(Disk& disk,
                                                                    const std::filesystem::path& directory,
                                                                    Disk::LockMode mode);

// Whether a store has ever been made here, sound or not.
bool HoldsTraceOfStore(Disk& disk, const std::filesystem::path& directory);

// "it belongs to weir (uid 998), this process runs as nobody (uid 65534)"; empty when it cannot be looked at.
std::string WhoseIs(const std::filesystem::path& path);

// "process 4711 (weir)": whoever has locked this file (flock); "another process" where the kernel does not say, as
// across containers.
std::string HolderOf(const std::filesystem::path& file);

}  // namespace weir::storage
