// The store's directory before anything is opened in it: it is there and this process may use it, or the reason is
// a sentence that names the cause.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>

namespace weir::storage {

// Makes the directory and its parents if `create`. The error says which part of the path is in the way, and why.
std::expected<void, std::string> EnterDirectory(const std::filesystem::path& directory, bool create);

// Whether a store has ever been made here, sound or not.
bool HoldsTraceOfStore(const std::filesystem::path& directory);

// "it belongs to weir (uid 998), this process runs as nobody (uid 65534)"; empty when it cannot be looked at.
std::string WhoseIs(const std::filesystem::path& path);

// "process 4711 (weir)": whoever has locked this file (flock); "another process" where the kernel does not say, as
// across containers.
std::string HolderOf(const std::filesystem::path& file);

}  // namespace weir::storage
