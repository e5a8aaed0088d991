// What is in a data directory is for its owner's eyes: directories 0700, files 0600, whatever the umask.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weir::storage {

// Takes from others what they may do with `directory` and with everything weir keeps in it (other files are not
// weir's). Returns a sentence for each that stays open to them: not ours, or on a file system without modes.
std::vector<std::string> NarrowToOwner(const std::filesystem::path& directory);

}  // namespace weir::storage
