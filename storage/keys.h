// Every key of the store, per column family; the grammar stands at the top of keys.cc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/event.h"

namespace weir::storage {

// RocksDB insists on a family called "default" and on keeping it: a damaged one could not be made anew, so it is empty.
enum class Family : std::uint8_t {
  kDefault,
  kMeta,
  kEvents,
  kDedupe,
  kDeliveries,
  kDead,
  kConflicts,
  kCopies
};
inline constexpr std::size_t kFamilies = 8;
// Names on disk.
inline constexpr std::array<const char*, kFamilies> kFamilyNames = {
    "default", "meta", "events", "dedupe", "deliveries", "dead", "conflicts", "copies"};

// A key of fixed size, on the stack: the hot path makes one an event.
class SequenceKey {
 public:
  explicit SequenceKey(Sequence sequence);
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, 8> bytes_;
};
std::optional<Sequence> ParseSequenceKey(std::string_view key);

// deliveries
std::string PositionKey(std::string_view sink);
std::string_view PositionPrefix();
std::optional<std::string_view> ParsePositionKey(std::string_view key);
std::string RetryKey(std::string_view sink, std::int64_t due_us, Sequence sequence);
std::string RetryPrefix(std::string_view sink);
std::string_view AllRetriesPrefix();
struct RetryKeyParts {
  std::string_view sink;
  std::int64_t due_us;
  Sequence sequence;
};
std::optional<RetryKeyParts> ParseRetryKey(std::string_view key);

// dead
std::string DeadKey(std::string_view sink, Sequence sequence);
std::string DeadPrefix(std::string_view sink);
std::optional<std::pair<std::string_view, Sequence>> ParseDeadKey(std::string_view key);

// conflicts: what came under the id of a stored event once that was there. Both kinds of keys begin with its
// sequence. Of a newcomer with other bytes also a hash of them, so that a retried one is kept once.
struct ConflictKeyParts {
  Sequence stored;
  std::uint64_t hash;
};
std::string ConflictKey(Sequence stored, std::uint64_t hash);
std::optional<ConflictKeyParts> ParseConflictKey(std::string_view key);
std::string RepeatsKey(Sequence stored);
std::optional<Sequence> ParseRepeatsKey(std::string_view key);
// Of either.
std::optional<Sequence> ParseStoredOf(std::string_view conflicts_key);

// dedupe: one sealed run is a header, its blocks, and its filter in chunks.
std::string RunHeaderKey(std::uint64_t run);
std::string RunBlockKey(std::uint64_t run, std::uint32_t block);
std::string RunFilterKey(std::uint64_t run, std::uint32_t chunk);

// meta
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kDedupeStateKey = "dedupe";
inline constexpr std::string_view kTrimmedKey = "trimmed";
std::string_view LossPrefix();
std::string LossKey(std::int64_t at_us);
std::string_view HolePrefix();
std::string HoleKey(Sequence first);
std::optional<Sequence> ParseHoleKey(std::string_view key);
inline constexpr std::string_view kTimeKey = "time";
std::string_view TickPrefix();
std::string TickKey(Sequence through);
std::optional<Sequence> ParseTickKey(std::string_view key);
std::string NamedTextKey(std::string_view name);

}  // namespace weir::storage
