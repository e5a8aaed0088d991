// Where a path leads once every link is followed, however it is spelt.
#pragma once

#include <filesystem>

namespace weir::config {

// Absolute and without links. What does not exist is placed where it would be made, also behind a link that leads to
// nothing yet.
std::filesystem::path PlaceOf(const std::filesystem::path& path);

// Whether both would be the same file, be it by another spelling, a link or a hard link.
bool IsSameFile(const std::filesystem::path& a, const std::filesystem::path& b);

// Whether `file` is `directory`, is or would be made somewhere in it, or is a hard link to a file in it.
bool LiesWithin(const std::filesystem::path& file, const std::filesystem::path& directory);

}  // namespace weir::config
