// Version 1 but for positions and retries (value_codec.h has the frame):
//
//   position     offset:u64 ranges:u32 { first:u64 count:u32 }    settled above the offset: ascending, not touching
//                began:u64                                     version 2; 1 ends before it
//   retry        attempts:u32 last_outcome:text scheduled_at_us:i64    version 2; 1 ends before scheduled_at_us
//   dead letter  died_at_us:i64 attempts:u32 reason:text last_answer:text
//   repeats      count:u64 attempt:u32 last_at_us:i64
#include "storage/delivery_values.h"

#include <cstddef>
#include <utility>

#include "storage/check.h"
#include "storage/keys.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kPositionVersion = 2;
constexpr std::uint8_t kRetryVersion = 2;

struct Range {
  Sequence first;
  std::uint32_t count;
};

std::vector<Range> RangesOf(const std::vector<Sequence>& above) {
  std::vector<Range> ranges;
  for (const Sequence sequence : above) {
    WEIR_CHECK(ranges.empty() || sequence >= ranges.back().first + ranges.back().count);
    if (!ranges.empty() && sequence == ranges.back().first + ranges.back().count) {
      ++ranges.back().count;
    } else {
      ranges.push_back({.first = sequence, .count = 1});
    }
  }
  return ranges;
}

std::optional<ValueReader> OpenVersion1(std::string_view key, std::string_view value) {
  auto reader = ValueReader::Open(key, value);
  if (reader && reader->version() != kVersion) return std::nullopt;
  return reader;
}

}  // namespace

std::string EncodePosition(std::string_view key, const SinkPosition& position) {
  const std::vector<Range> ranges = RangesOf(position.above);
  ValueWriter writer(kPositionVersion);
  writer.U64(position.offset).U32(static_cast<std::uint32_t>(ranges.size()));
  for (const Range& range : ranges) writer.U64(range.first).U32(range.count);
  writer.U64(position.began);
  return std::move(writer).Finish(key);
}

std::optional<SinkPosition> DecodePosition(std::string_view key, std::string_view value) {
  auto reader = ValueReader::Open(key, value);
  if (!reader || reader->version() == 0 || reader->version() > kPositionVersion) return std::nullopt;
  SinkPosition position;
  position.offset = reader->U64();
  const std::uint32_t ranges = reader->U32();
  for (std::uint32_t i = 0; i < ranges; ++i) {
    const Sequence first = reader->U64();
    const std::uint32_t count = reader->U32();
    if (count == 0) return std::nullopt;
    for (std::uint32_t j = 0; j < count; ++j) position.above.push_back(first + j);
  }
  if (reader->version() >= 2) position.began = reader->U64();
  if (!reader->Complete()) return std::nullopt;
  return position;
}

std::string EncodeRetry(std::string_view key, const RetryEntry& retry) {
  ValueWriter writer(kRetryVersion);
  writer.U32(retry.attempts).Text(retry.last_outcome).I64(retry.scheduled_at_us);
  return std::move(writer).Finish(key);
}

std::optional<RetryEntry> DecodeRetry(std::string_view key, std::string_view value) {
  const auto parts = ParseRetryKey(key);
  auto reader = ValueReader::Open(key, value);
  if (!parts || !reader || reader->version() == 0 || reader->version() > kRetryVersion) return std::nullopt;
  RetryEntry retry{
      .sequence = parts->sequence, .due_us = parts->due_us, .attempts = reader->U32(), .last_outcome = {}};
  retry.last_outcome = reader->Text();
  if (reader->version() >= 2) retry.scheduled_at_us = reader->I64();
  if (!reader->Complete()) return std::nullopt;
  return retry;
}

std::string EncodeDeadLetter(std::string_view key, const DeadLetter& letter) {
  ValueWriter writer(kVersion);
  writer.I64(letter.died_at_us).U32(letter.attempts).Text(letter.reason).Text(letter.last_answer);
  return std::move(writer).Finish(key);
}

std::optional<DeadLetter> DecodeDeadLetter(std::string_view key, std::string_view value) {
  const auto parts = ParseDeadKey(key);
  auto reader = OpenVersion1(key, value);
  if (!parts || !reader) return std::nullopt;
  DeadLetter letter;
  letter.sink = parts->first;
  letter.sequence = parts->second;
  letter.died_at_us = reader->I64();
  letter.attempts = reader->U32();
  letter.reason = reader->Text();
  letter.last_answer = reader->Text();
  if (!reader->Complete()) return std::nullopt;
  return letter;
}

std::string EncodeRepeats(std::string_view key, const Repeats& repeats) {
  ValueWriter writer(kVersion);
  writer.U64(repeats.count).U32(repeats.attempt).I64(repeats.last_at_us);
  return std::move(writer).Finish(key);
}

std::optional<Repeats> DecodeRepeats(std::string_view key, std::string_view value) {
  auto reader = OpenVersion1(key, value);
  if (!reader) return std::nullopt;
  Repeats repeats;
  repeats.count = reader->U64();
  repeats.attempt = reader->U32();
  repeats.last_at_us = reader->I64();
  if (!reader->Complete()) return std::nullopt;
  return repeats;
}

}  // namespace weir::storage
