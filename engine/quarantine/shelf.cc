#include "engine/quarantine/shelf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "storage/bytes.h"

namespace weir::quarantine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "WEIRQTN1";
constexpr char kKept = 'k';
constexpr char kGone = 'g';
constexpr std::size_t kStateAt = sizeof(std::uint32_t);
constexpr std::size_t kFrameHeadBytes = kStateAt + 1;
constexpr std::int64_t kMicros = 1'000'000;
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOwnerOnlyDirectory = 0700;

std::string Complaint(const fs::path& path, const char* doing) {
  return path.string() + ": cannot " + doing + ": " + std::system_category().message(errno);
}

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::optional<std::uint32_t> NumberOf(const fs::path& path) {
  const std::string name = path.filename().string();
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// A frame as far as its head can be believed.
struct Frame {
  std::uint64_t offset = 0;
  char state = kGone;
  std::string_view value;
};

// Calls `visit` for every frame until it returns false. Returns where the frames end; bytes after that are no
// frame.
template <typename Visit>
std::size_t EachFrame(std::string_view segment, const Visit& visit) {
  if (!segment.starts_with(kMagic)) return 0;
  std::size_t at = kMagic.size();
  while (segment.size() - at >= kFrameHeadBytes) {
    const char* head = segment.data() + at;
    const auto bytes = storage::LoadLittle<std::uint32_t>(head);
    if (bytes > segment.size() - at - kFrameHeadBytes) break;
    const Frame frame{
        .offset = at, .state = head[kStateAt], .value = segment.substr(at + kFrameHeadBytes, bytes)};
    at += kFrameHeadBytes + bytes;
    if (!visit(frame)) break;
  }
  return at;
}

std::uint64_t KeptFrames(std::string_view segment) {
  std::uint64_t kept = 0;
  EachFrame(segment, [&kept](const Frame& frame) {
    if (frame.state == kKept) ++kept;
    return true;
  });
  return kept;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Shelf::~Shelf() {
  for (auto& [source, stack] : stacks_) Close(stack);
}

fs::path Shelf::PathOf(const std::string& source, std::uint32_t segment) const {
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "%010u", segment);
  return directory_ / source / name.data();
}

Shelf::Stack& Shelf::StackOf(const std::string& source) {
  const auto [place, added] = stacks_.try_emplace(source);
  Stack& stack = place->second;
  if (!added) return stack;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(directory_ / source, error)) {
    const auto number = NumberOf(file.path());
    const std::uint64_t bytes = number ? fs::file_size(file.path(), error) : 0;
    if (!number || error) continue;
    stack.segments.emplace(*number, bytes);
    stack.bytes += bytes;
    stack.last_number = std::max(stack.last_number, *number);
  }
  return stack;
}

void Shelf::Close(Stack& stack) {
  if (stack.fd >= 0) ::close(stack.fd);
  stack.fd = -1;
}

Shelf::Result<void> Shelf::StartSegment(Stack& stack, const Entry& entry) {
  Close(stack);
  for (const fs::path& directory : {directory_, directory_ / entry.source}) {
    if (::mkdir(directory.c_str(), kOwnerOnlyDirectory) != 0 && errno != EEXIST) {
      return std::unexpected(Complaint(directory, "be made"));
    }
  }
  const auto second = static_cast<std::uint32_t>(entry.received_at_us / kMicros);
  const std::uint32_t number = std::max(second, stack.last_number + 1);
  const fs::path path = PathOf(entry.source, number);
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (fd < 0) return std::unexpected(Complaint(path, "be made"));
  if (!WriteAll(fd, kMagic)) {
    ::close(fd);
    return std::unexpected(Complaint(path, "be written"));
  }
  stack.fd = fd;
  stack.last_number = number;
  stack.segments.emplace(number, kMagic.size());
  stack.bytes += kMagic.size();
  return {};
}

std::uint64_t Shelf::DropOldest(Stack& stack, const std::string& source) {
  const auto oldest = stack.segments.begin();
  if (oldest->first == stack.last_number) Close(stack);
  const fs::path path = PathOf(source, oldest->first);
  const std::uint64_t kept = KeptFrames(ReadFile(path));
  ::unlink(path.c_str());
  stack.bytes -= oldest->second;
  stack.segments.erase(oldest);
  return kept;
}

Shelf::Result<Shelf::Added> Shelf::Add(const Entry& entry, std::uint64_t bound_bytes) {
  const std::scoped_lock lock(mutex_);
  constexpr std::uint64_t kOverheadBytes = 256;  // of magic, frame, lengths and check; more than they take
  const std::uint64_t needed = entry.bytes() + kOverheadBytes;
  if (needed > bound_bytes) return Added{};
  Stack& stack = StackOf(entry.source);
  Added added{.kept = true, .evicted = 0};
  while (!stack.segments.empty() && stack.bytes + needed > bound_bytes) {
    added.evicted += DropOldest(stack, entry.source);
  }
  const std::uint64_t segment_bytes = std::min(kSegmentBytesMax, bound_bytes / kSegmentsPerBound);
  const bool full = stack.fd >= 0 && stack.segments[stack.last_number] + needed > segment_bytes;
  if (stack.fd < 0 || full) {
    if (auto started = StartSegment(stack, entry); !started) return std::unexpected(started.error());
  }
  std::uint64_t& used = stack.segments[stack.last_number];
  const Place place{
      .source = entry.source, .segment = stack.last_number, .offset = static_cast<std::uint32_t>(used)};
  const std::string value = Encode(entry, place);
  std::string frame;
  frame.reserve(kFrameHeadBytes + value.size());
  storage::AppendLittle(frame, static_cast<std::uint32_t>(value.size()));
  frame.push_back(kKept);
  frame += value;
  if (!WriteAll(stack.fd, frame)) {
    const std::string complaint = Complaint(PathOf(entry.source, stack.last_number), "be written");
    // What cannot be cut off again is torn bytes; either way the next entry begins a segment.
    if (::ftruncate(stack.fd, static_cast<off_t>(used)) != 0) stack.bytes += frame.size();
    Close(stack);
    return std::unexpected(complaint);
  }
  used += frame.size();
  stack.bytes += frame.size();
  return added;
}

std::vector<std::string> Shelf::Sources() const {
  std::vector<std::string> sources;
  std::error_code error;
  for (const auto& directory : fs::directory_iterator(directory_, error)) {
    if (directory.is_directory(error)) sources.push_back(directory.path().filename().string());
  }
  std::ranges::sort(sources);
  return sources;
}

bool Shelf::VisitSegment(const std::string& source, std::uint32_t segment, const std::optional<Place>& after,
                         std::vector<Torn>& torn, const Visitor& visit) {
  const std::string bytes = ReadFile(PathOf(source, segment));
  bool go_on = true;
  const std::size_t end = EachFrame(bytes, [&](const Frame& frame) {
    const Place place{
        .source = source, .segment = segment, .offset = static_cast<std::uint32_t>(frame.offset)};
    if (frame.state == kGone || (after && place <= *after)) return true;
    const auto entry = Decode(frame.value, place);
    if (entry) {
      go_on = visit(place, *entry);
    } else {
      torn.push_back({.source = source,
                      .segment = segment,
                      .offset = frame.offset,
                      .bytes = kFrameHeadBytes + frame.value.size()});
    }
    return go_on;
  });
  if (go_on && end < bytes.size()) {
    torn.push_back({.source = source, .segment = segment, .offset = end, .bytes = bytes.size() - end});
  }
  return go_on;
}

Shelf::Result<void> Shelf::Visit(const std::string& source, const std::optional<Place>& after,
                                 std::vector<Torn>& torn, const Visitor& visit) {
  const std::vector<std::string> sources = source.empty() ? Sources() : std::vector<std::string>{source};
  for (const std::string& name : sources) {
    if (after && name < after->source) continue;
    std::vector<std::uint32_t> numbers;
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& [number, bytes] : StackOf(name).segments) numbers.push_back(number);
    }
    for (const std::uint32_t number : numbers) {
      if (after && name == after->source && number < after->segment) continue;
      // One segment at a time, so that the writer waits for one read at most.
      const std::scoped_lock lock(mutex_);
      if (!StackOf(name).segments.contains(number)) continue;
      if (!VisitSegment(name, number, after, torn, visit)) return {};
    }
  }
  return {};
}

Shelf::Result<std::optional<Place>> Shelf::FindByRequestId(std::string_view request_id) {
  std::optional<Place> found;
  std::vector<Torn> torn;
  const auto visited = Visit({}, std::nullopt, torn, [&](const Place& place, const Entry& entry) {
    if (entry.request_id == request_id) found = place;
    return !found;
  });
  if (!visited) return std::unexpected(visited.error());
  return found;
}

std::optional<Entry> Shelf::Find(const Place& place) {
  const std::scoped_lock lock(mutex_);
  const std::string bytes = ReadFile(PathOf(place.source, place.segment));
  std::optional<Entry> entry;
  EachFrame(bytes, [&](const Frame& frame) {
    if (frame.offset != place.offset) return true;
    if (frame.state == kKept) entry = Decode(frame.value, place);
    return false;
  });
  return entry;
}

void Shelf::DropIfEmpty(Stack& stack, const Place& place) {
  const auto segment = stack.segments.find(place.segment);
  if (segment == stack.segments.end()) return;
  const fs::path path = PathOf(place.source, place.segment);
  if (KeptFrames(ReadFile(path)) != 0) return;
  if (place.segment == stack.last_number) Close(stack);
  ::unlink(path.c_str());
  stack.bytes -= segment->second;
  stack.segments.erase(segment);
}

Shelf::Result<bool> Shelf::Remove(const Place& place) {
  if (!Find(place)) return false;
  const std::scoped_lock lock(mutex_);
  Stack& stack = StackOf(place.source);
  const fs::path path = PathOf(place.source, place.segment);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;  // its segment made room for others
  const bool written = ::pwrite(fd, &kGone, 1, static_cast<off_t>(place.offset + kStateAt)) == 1;
  const std::string complaint = written ? "" : Complaint(path, "be written");
  ::close(fd);
  if (!written) return std::unexpected(complaint);
  DropIfEmpty(stack, place);
  return true;
}

std::uint64_t Shelf::bytes() {
  std::uint64_t total = 0;
  const std::vector<std::string> sources = Sources();
  const std::scoped_lock lock(mutex_);
  for (const std::string& source : sources) total += StackOf(source).bytes;
  return total;
}

}  // namespace weir::quarantine
