#include "engine/sink/ndjson_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>
#include <utility>

#include "engine/io/system_error.h"
#include "engine/limits.h"
#include "engine/sink/cloud_event.h"
#include "engine/sink/json_text.h"

namespace weir::sink {

namespace {

using Failure = std::unexpected<std::string>;

// The sequence stands within the attributes at the start of a line, which are bounded (limits::kEventIdBytesMax …).
constexpr std::size_t kAttributesBytesMax = 16 * limits::kKiB;
// The longest body in base64, and its attributes.
constexpr std::uint64_t kLineBytesMax = 2 * limits::kBodyBytesCeiling;

Failure Fail(std::string_view call, const std::filesystem::path& path, int error) {
  return Failure(io::DescribeError(std::string(call) + " " + path.string(), error));
}

std::filesystem::path DirectoryOf(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// A name is durable when its directory is.
std::expected<void, std::string> SyncDirectory(const std::filesystem::path& directory) {
  const io::Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return Fail("open", directory, errno);
  if (::fsync(fd.get()) != 0) return Fail("fsync", directory, errno);
  return {};
}

// Up to `size` bytes from `offset`; shorter at the end of the file or on an error.
std::string ReadAt(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(fd, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

// File systems that do not record a file's birth let its age begin now.
std::int64_t BirthOf(int fd) {
  struct statx status{};
  const bool known =
      ::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) == 0 && (status.stx_mask & STATX_BTIME) != 0;
  return known ? status.stx_btime.tv_sec : std::time(nullptr);
}

std::string Digits(storage::Sequence sequence) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%020llu", static_cast<unsigned long long>(sequence));
  return text.data();
}

}  // namespace

std::expected<NdjsonFile, std::string> NdjsonFile::Open(Options options) {
  NdjsonFile file(std::move(options));
  if (auto begun = file.Begin(); !begun) return std::unexpected(begun.error());
  return file;
}

std::expected<void, std::string> NdjsonFile::Begin() {
  auto begun = OpenAndMend();
  unopened_ = !begun;
  return begun;
}

std::expected<void, std::string> NdjsonFile::OpenAndMend() {
  const std::filesystem::path& path = options_.path;
  io::Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!fd.valid()) return Fail("open", path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Failure(path.string() + " is in use by another sink or process");
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return Fail("stat", path, errno);
  if (!S_ISREG(status.st_mode)) return Failure(path.string() + " is not a regular file");
  file_ = std::move(fd);
  size_ = static_cast<std::uint64_t>(status.st_size);
  begun_at_unix_s_ = BirthOf(file_.get());
  first_ = last_ = storage::kNoSequence;

  std::expected<void, std::string> ready;
  if (size_ > 0) ready = MendEnd();
  if (ready && size_ > 0) ready = ReadEnds();
  if (ready) ready = SyncDirectory(DirectoryOf(path));
  if (!ready) file_.Reset();
  return ready;
}

// Everything up to the last sync is whole lines, and one batch is at most this long: damage is in this last stretch or
// nowhere. File systems that grow a file before its bytes arrive leave NULs, which no line of ours contains.
std::expected<void, std::string> NdjsonFile::MendEnd() {
  std::uint64_t from = 0;
  std::string tail;
  std::size_t line_end = std::string::npos;
  for (std::uint64_t stretch = limits::kFileSinkBatchBytes;; stretch *= 4) {
    from = size_ > stretch ? size_ - stretch : 0;
    tail = ReadAt(file_.get(), from, static_cast<std::size_t>(size_ - from));
    if (tail.size() != size_ - from) return Failure("cannot read the end of " + options_.path.string());
    line_end = std::string_view(tail).substr(0, tail.find('\0')).rfind('\n');
    // A line may be longer than the stretch, but none of ours is longer than the longest event.
    if (line_end != std::string::npos || from == 0 || stretch > kLineBytesMax) break;
  }
  const std::size_t whole = line_end == std::string::npos ? 0 : line_end + 1;
  if (whole == tail.size()) return {};

  const std::string_view rest = std::string_view(tail).substr(whole);
  const std::string_view text = rest.substr(0, rest.find('\0'));
  const bool has_nul = text.size() != rest.size();
  bool ours = SequenceOfLine(text) != storage::kNoSequence;
  if (!ours && from + whole > 0) {
    const auto before = SequenceOfLineBefore(from + whole);
    if (!before) return std::unexpected(before.error());
    ours = *before != storage::kNoSequence;
  }
  const std::size_t compared = std::min(text.size(), kLineOpening.size());
  ours = ours && text.substr(0, compared) == kLineOpening.substr(0, compared);
  if (ours && (has_nul || !IsJson(text))) return CutTo(from + whole);
  if (has_nul) {
    return Failure(
        options_.path.string() +
        " holds NUL bytes that weir did not write: it is no file of lines; move it away or name another");
  }
  if (auto ended = Write("\n"); !ended) return ended;
  if (::fsync(file_.get()) != 0) return Fail("fsync", options_.path, errno);
  ++size_;
  return {};
}

std::expected<void, std::string> NdjsonFile::CutTo(std::uint64_t size) {
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return Fail("ftruncate", options_.path, errno);
  if (::fsync(file_.get()) != 0) return Fail("fsync", options_.path, errno);
  size_ = size;
  return {};
}

// Of the line whose line break is the byte before `end`.
std::expected<storage::Sequence, std::string> NdjsonFile::SequenceOfLineBefore(std::uint64_t end) const {
  std::uint64_t line_start = end - 1;
  while (line_start > 0) {
    const std::uint64_t from = line_start > limits::kMiB ? line_start - limits::kMiB : 0;
    const std::string piece = ReadAt(file_.get(), from, static_cast<std::size_t>(line_start - from));
    if (piece.size() != line_start - from) return Failure("cannot read " + options_.path.string());
    const std::size_t newline = piece.rfind('\n');
    line_start = newline == std::string::npos ? from : from + newline + 1;
    if (newline != std::string::npos) break;
  }
  const std::uint64_t size = std::min<std::uint64_t>(kAttributesBytesMax, end - line_start);
  return SequenceOfLine(ReadAt(file_.get(), line_start, static_cast<std::size_t>(size)));
}

std::expected<void, std::string> NdjsonFile::ReadEnds() {
  first_ = SequenceOfLine(ReadAt(file_.get(), 0, kAttributesBytesMax));
  const auto last = SequenceOfLineBefore(size_);
  if (!last) return std::unexpected(last.error());
  last_ = *last;
  return {};
}

std::expected<void, std::string> NdjsonFile::Append(const Batch& batch, std::int64_t now_unix_s) {
  if (!file_.valid() || !IsAsLeft()) {
    file_.Reset();
    if (auto begun = Begin(); !begun) return begun;
  }
  if (RotationDue(now_unix_s)) {
    if (auto rotated = Rotate(); !rotated) return rotated;
  }
  if (auto written = Write(batch.lines); !written) {
    if (!TakeBack(batch.lines.size())) SetAside();
    return written;
  }
  if (::fdatasync(file_.get()) != 0) {
    const int error = errno;
    // What the kernel could not write it may since have dropped and now call clean: a second sync would prove
    // nothing.
    TakeBack(batch.lines.size());
    SetAside();
    return Fail("fdatasync", options_.path, error);
  }
  size_ += batch.lines.size();
  if (first_ == storage::kNoSequence) first_ = batch.first;
  last_ = batch.last;
  return {};
}

// Somebody may have moved or deleted the file to rotate it their way; what goes into it then is found by nobody. Or
// they cut it, or wrote to it: what is known of its end is then not so.
bool NdjsonFile::IsAsLeft() const {
  struct stat ours{};
  struct stat there{};
  return ::fstat(file_.get(), &ours) == 0 && ::stat(options_.path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino &&
         static_cast<std::uint64_t>(ours.st_size) == size_;
}

std::expected<void, std::string> NdjsonFile::Write(std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t written = ::write(file_.get(), lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Fail("write", options_.path, written < 0 ? errno : ENOSPC);
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

bool NdjsonFile::RotationDue(std::int64_t now_unix_s) const {
  if (size_ == 0) return false;
  if (options_.rotate_bytes > 0 && size_ >= options_.rotate_bytes) return true;
  return options_.rotate_age_s > 0 && now_unix_s - begun_at_unix_s_ >= options_.rotate_age_s;
}

// A crash between the rename and the new file leaves no file under the configured name, which Begin then
// creates.
std::expected<void, std::string> NdjsonFile::Rotate() {
  std::error_code unresolved;
  std::filesystem::path path = std::filesystem::canonical(options_.path, unresolved);
  if (unresolved) path = options_.path;
  const std::string stem = path.stem().string() + "-" + Digits(first_) + "-" + Digits(last_);
  for (int copy = 0;; ++copy) {
    // After a crash the same events can be written again, and make a piece of the same name.
    const std::string suffix = copy == 0 ? "" : "-" + std::to_string(copy);
    const std::filesystem::path target = DirectoryOf(path) / (stem + suffix + path.extension().string());
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) break;
    if (errno != EEXIST) return Fail("rename", path, errno);
  }
  file_.Reset();
  return Begin();
}

// Cuts off what was written of the last batch. False if bytes that may be somebody else's stand there too: then nothing
// is cut.
bool NdjsonFile::TakeBack(std::size_t bytes_at_most) {
  struct stat status{};
  // O_APPEND leaves the position behind the last byte that was written.
  const off_t end = ::lseek(file_.get(), 0, SEEK_CUR);
  if (::fstat(file_.get(), &status) != 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == size_) return true;
  const bool only_ours = size > size_ && size - size_ <= bytes_at_most && end == status.st_size;
  return only_ours && ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0;
}

void NdjsonFile::SetAside() {
  struct stat status{};
  if (::fstat(file_.get(), &status) == 0 && status.st_size > 0) {
    [[maybe_unused]] const auto rotated = Rotate();  // an error shows again at the next Begin
  }
  file_.Reset();
}

}  // namespace weir::sink
