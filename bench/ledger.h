// The ids that were acknowledged, one a line, in a file: what `weir verify --ledger` holds the server to.
// Each client thread has its own buffer; whole lines reach the file in one write each time, so threads may
// share it. What is buffered is written at least every kFlushEvery_ns, so only a crash of weir-bench itself,
// not one of the server, could lose lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace weir::bench {

class LedgerFile {
 public:
  // Appends to an existing file, so that one ledger can span several runs.
  static std::expected<std::shared_ptr<LedgerFile>, std::string> Open(const std::string& path);
  explicit LedgerFile(int fd) : fd_(fd) {}
  ~LedgerFile();
  LedgerFile(const LedgerFile&) = delete;
  LedgerFile& operator=(const LedgerFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

class LedgerWriter {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;
  static constexpr std::int64_t kFlushEvery_ns = 100'000'000;

  explicit LedgerWriter(std::shared_ptr<LedgerFile> file) : file_(std::move(file)) {}
  ~LedgerWriter() { static_cast<void>(Flush()); }

  void Add(std::string_view id) {
    buffer_.append(id).push_back('\n');
    if (buffer_.size() >= kBufferBytes) static_cast<void>(Flush());
  }
  void FlushIfDue(std::int64_t now_ns);
  // False once any write has failed: the ledger is then incomplete, and the run says so.
  bool Flush();

 private:
  std::shared_ptr<LedgerFile> file_;
  std::string buffer_;
  std::int64_t flushed_ns_ = 0;
  bool failed_ = false;
};

}  // namespace weir::bench
