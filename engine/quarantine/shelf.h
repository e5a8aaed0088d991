// The quarantine's files: one directory a source, in it segments that are appended to and dropped as a whole,
// the oldest first.
//
//   DIR/quarantine/SOURCE/SEGMENT     SEGMENT: Unix second of its first entry, ten digits
//   segment := "WEIRQTN1" frame…      frame := bytes:u32 state:u8 value      state := 'k' kept | 'g' gone
//
// An entry is taken out by one byte written in place. Nothing is synced: what a process wrote survives its
// death, not a power cut, and a frame that is not whole is passed over and reported. Sources bring their own
// bound; entries of a source that has none any more stay until an operator drops them.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/quarantine/entry.h"

namespace weir::quarantine {

inline constexpr const char* kDirectoryName = "quarantine";  // in the data directory
// A source's bound is kept by dropping segments, so they are small beside it; and one is read at a time.
inline constexpr std::uint64_t kSegmentsPerBound = 8;
inline constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{8} << 20;  // passed by at most one entry

// Bytes that are no entry.
struct Torn {
  std::string source;
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

class Shelf {
 public:
  template <typename T>
  using Result = std::expected<T, std::string>;  // the error names the file and says what the disk said

  explicit Shelf(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~Shelf();
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  // All functions: any thread.

  struct Added {
    bool kept = false;          // false: larger than the bound
    std::uint64_t evicted = 0;  // older entries that made room
  };
  Result<Added> Add(const Entry& entry, std::uint64_t bound_bytes);

  // Kept entries in the order of their places, after `after`, of one source or, with an empty name, of all;
  // until `visit` returns false. `visit` must not call back. Adds to `torn` what it passed over.
  using Visitor = std::function<bool(const Place&, const Entry&)>;
  Result<void> Visit(const std::string& source, const std::optional<Place>& after, std::vector<Torn>& torn,
                     const Visitor& visit);

  std::optional<Entry> Find(const Place& place);
  // Where the entry is whose answer bore this X-Request-Id. Reads everything that is kept.
  Result<std::optional<Place>> FindByRequestId(std::string_view request_id);
  // False when there is no such entry (any more).
  Result<bool> Remove(const Place& place);

  std::uint64_t bytes();  // of all files

 private:
  struct Stack {
    std::map<std::uint32_t, std::uint64_t> segments;  // number -> bytes
    std::uint64_t bytes = 0;
    std::uint32_t last_number = 0;
    int fd = -1;  // of the last segment, while it is appended to
  };

  std::filesystem::path PathOf(const std::string& source, std::uint32_t segment) const;
  Stack& StackOf(const std::string& source);
  void Close(Stack& stack);
  Result<void> StartSegment(Stack& stack, const Entry& entry);
  std::uint64_t DropOldest(Stack& stack, const std::string& source);
  void DropIfEmpty(Stack& stack, const Place& place);
  bool VisitSegment(const std::string& source, std::uint32_t segment, const std::optional<Place>& after,
                    std::vector<Torn>& torn, const Visitor& visit);
  std::vector<std::string> Sources() const;

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::map<std::string, Stack> stacks_;  // read from disk when first asked for
};

}  // namespace weir::quarantine
