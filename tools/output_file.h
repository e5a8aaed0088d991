// Where an export goes. A file comes in two kinds:
//
//   Replace   written beside its name and renamed when it is complete and on disk: a reader sees the old file
//   or the whole new
//             one, never a part
//   Append    grows in place; after Sync everything written is on disk. Held by one export at a time (flock)
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace weir::tools {

class OutputFile {
 public:
  template <typename T>
  using Result = std::expected<T, std::string>;  // the error names the file and says what the disk said

  static Result<OutputFile> Replace(const std::filesystem::path& path);
  static Result<OutputFile> Append(const std::filesystem::path& path);
  static OutputFile Stdout();

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();  // a Replace that was not committed leaves no trace

  // Append only: the file's identity and length, and cutting it back to `bytes`.
  std::uint64_t inode() const { return inode_; }
  std::uint64_t bytes() const { return bytes_; }
  Result<void> CutBack(std::uint64_t bytes);

  Result<void> Write(std::string_view text);
  // What was written is on disk; for stdout: handed over.
  Result<void> Sync();
  // Sync, and a Replace gets its name.
  Result<void> Commit();

 private:
  OutputFile() = default;
  std::string Complaint(std::string_view doing) const;

  int descriptor_ = -1;
  bool is_stdout_ = false;
  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty unless Replace
  std::uint64_t inode_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace weir::tools
