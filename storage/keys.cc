// Keys, by column family. Numbers are big endian, so bytes sort as numbers; u64/i64 are 8 bytes, i64 with its
// sign bit flipped. A sink's name holds no NUL, so `sink NUL` ends it and keeps names in their own order.
//
//   events       sequence:u64                        -> record (event_codec.cc)
//   dedupe       run:u64                             -> run header (run_store.cc)
//                run:u64 'b' block:u32               -> entries, sorted by fingerprint
//                run:u64 'f' chunk:u32               -> part of the run's filter
//   deliveries   'p' sink                            -> position (delivery_values.cc)
//                'r' sink NUL due_us:i64 sequence:u64 -> retry
//   dead         sink NUL sequence:u64               -> dead letter; sink "-": the event never became deliverable
//   conflicts    sequence:u64                        -> how often that event came again (delivery_values.cc)
//                sequence:u64 hash:u64               -> the record of a newcomer with other bytes
//   meta         "format"                            -> version, partition count, store id, fingerprint secret
//                "trimmed"                           -> oldest sequence retention may have left
//                "dedupe"                            -> what the sealed runs cover
//                "loss." at_us:i64                   -> a data loss the operator accepted
//                "hole." first:u64                   -> end of a stretch of the log that was lost
//                "time"                              -> the store's time at the end of the last run (timeline_rows.cc)
//                "tick." sequence:u64                -> the store's time when the log was that far
//                "text." name                        -> PutMeta
//   copies       family:u8 key                       -> the second copy of a row of meta, deliveries, dead or conflicts
//                                                       (second_copy.cc); the family is '1', '4', '5', '6'
#include "storage/keys.h"

#include "storage/bytes.h"
#include "storage/check.h"

namespace weir::storage {
namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
constexpr std::size_t kNumberBytes = 8;

std::uint64_t Ordered(std::int64_t value) {
  return static_cast<std::uint64_t>(value) ^ kSignBit;
}
std::int64_t Unordered(std::uint64_t value) {
  return static_cast<std::int64_t>(value ^ kSignBit);
}

std::string SinkPrefix(std::string_view family_tag, std::string_view sink) {
  WEIR_CHECK(!sink.empty() && sink.find('\0') == std::string_view::npos);
  std::string key(family_tag);
  key.append(sink);
  key.push_back('\0');
  return key;
}

std::string NumberedKey(std::string_view prefix, Sequence number) {
  std::string key(prefix);
  AppendBig64(key, number);
  return key;
}
std::optional<Sequence> ParseNumberedKey(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix)) return std::nullopt;
  return ParseSequenceKey(key.substr(prefix.size()));
}

std::string RunPart(std::uint64_t run, char tag, std::uint32_t number) {
  std::string key;
  AppendBig64(key, run);
  key.push_back(tag);
  AppendBig32(key, number);
  return key;
}

}  // namespace

SequenceKey::SequenceKey(Sequence sequence) {
  StoreBig64(bytes_.data(), sequence);
}

std::optional<Sequence> ParseSequenceKey(std::string_view key) {
  if (key.size() != kNumberBytes) return std::nullopt;
  return LoadBig64(key);
}

std::string PositionKey(std::string_view sink) {
  WEIR_CHECK(!sink.empty() && sink.find('\0') == std::string_view::npos);
  return std::string(PositionPrefix()).append(sink);
}
std::string_view PositionPrefix() {
  return "p";
}
std::optional<std::string_view> ParsePositionKey(std::string_view key) {
  if (key.size() < 2 || !key.starts_with(PositionPrefix())) return std::nullopt;
  return key.substr(1);
}

std::string RetryKey(std::string_view sink, std::int64_t due_us, Sequence sequence) {
  std::string key = RetryPrefix(sink);
  AppendBig64(key, Ordered(due_us));
  AppendBig64(key, sequence);
  return key;
}
std::string RetryPrefix(std::string_view sink) {
  return SinkPrefix(AllRetriesPrefix(), sink);
}
std::string_view AllRetriesPrefix() {
  return "r";
}
std::optional<RetryKeyParts> ParseRetryKey(std::string_view key) {
  if (!key.starts_with(AllRetriesPrefix())) return std::nullopt;
  const std::size_t end = key.find('\0');
  if (end == std::string_view::npos || key.size() != end + 1 + 2 * kNumberBytes) return std::nullopt;
  return RetryKeyParts{.sink = key.substr(1, end - 1),
                       .due_us = Unordered(LoadBig64(key.substr(end + 1))),
                       .sequence = LoadBig64(key.substr(end + 1 + kNumberBytes))};
}

std::string DeadKey(std::string_view sink, Sequence sequence) {
  std::string key = DeadPrefix(sink);
  AppendBig64(key, sequence);
  return key;
}
std::string DeadPrefix(std::string_view sink) {
  return SinkPrefix("", sink);
}
std::optional<std::pair<std::string_view, Sequence>> ParseDeadKey(std::string_view key) {
  const std::size_t end = key.find('\0');
  if (end == std::string_view::npos || key.size() != end + 1 + kNumberBytes) return std::nullopt;
  return std::pair(key.substr(0, end), LoadBig64(key.substr(end + 1)));
}

std::string ConflictKey(Sequence stored, std::uint64_t hash) {
  std::string key = RepeatsKey(stored);
  AppendBig64(key, hash);
  return key;
}
std::optional<ConflictKeyParts> ParseConflictKey(std::string_view key) {
  if (key.size() != 2 * kNumberBytes) return std::nullopt;
  return ConflictKeyParts{.stored = LoadBig64(key), .hash = LoadBig64(key.substr(kNumberBytes))};
}
std::string RepeatsKey(Sequence stored) {
  std::string key;
  AppendBig64(key, stored);
  return key;
}
std::optional<Sequence> ParseRepeatsKey(std::string_view key) {
  return ParseSequenceKey(key);
}
std::optional<Sequence> ParseStoredOf(std::string_view conflicts_key) {
  if (const auto conflict = ParseConflictKey(conflicts_key)) return conflict->stored;
  return ParseRepeatsKey(conflicts_key);
}

std::string RunHeaderKey(std::uint64_t run) {
  std::string key;
  AppendBig64(key, run);
  return key;
}
std::string RunBlockKey(std::uint64_t run, std::uint32_t block) {
  return RunPart(run, 'b', block);
}
std::string RunFilterKey(std::uint64_t run, std::uint32_t chunk) {
  return RunPart(run, 'f', chunk);
}

std::string_view LossPrefix() {
  return "loss.";
}
std::string LossKey(std::int64_t at_us) {
  std::string key(LossPrefix());
  AppendBig64(key, Ordered(at_us));
  return key;
}
std::string_view HolePrefix() {
  return "hole.";
}
std::string HoleKey(Sequence first) {
  return NumberedKey(HolePrefix(), first);
}
std::optional<Sequence> ParseHoleKey(std::string_view key) {
  return ParseNumberedKey(HolePrefix(), key);
}
std::string_view TickPrefix() {
  return "tick.";
}
std::string TickKey(Sequence through) {
  return NumberedKey(TickPrefix(), through);
}
std::optional<Sequence> ParseTickKey(std::string_view key) {
  return ParseNumberedKey(TickPrefix(), key);
}
std::string NamedTextKey(std::string_view name) {
  return std::string("text.").append(name);
}

}  // namespace weir::storage
