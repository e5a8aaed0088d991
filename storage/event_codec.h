// Event <-> bytes. The grammar of a stored record stands at the top of event_codec.cc; docs/format.md shows
// one in hex. Pure: no I/O, no clock. A record is written by the shard that received the event and sealed by
// the committer, which alone knows its sequence; both happen in the same buffer so that the body is copied
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/event.h"

namespace weir::storage {

enum class CodecError : std::uint8_t {
  kTruncated,  // shorter than its own lengths say
  kVersion,    // written by a format this build does not read
  kChecksum,   // bytes changed since they were sealed
};
std::string_view CodecErrorName(CodecError error);

// What a record can hold; larger fields are a mistake of the caller (limits.h is far below).
inline constexpr std::size_t kRecordSourceBytesMax = 0xFF;
inline constexpr std::size_t kRecordNameBytesMax = 0xFFFF;  // id, type, malformed: each
inline constexpr std::size_t kRecordBytesMax = 0x7FFF'FFFF;

// Bytes Encode writes for `event`.
std::size_t EncodedSize(const Event& event);

// Writes EncodedSize(event) bytes to `out`: everything but what Seal fills in. The bytes after the record's
// header are hashed here, on the shard, while they are in its cache; the committer only hashes headers.
void Encode(const Event& event, char* out);

// Fills in what only the committer knows. `previous_check` is the checksum of the record with sequence-1 (0
// for the first): the chain makes a missing or swapped record visible. Returns this record's checksum. May be
// called again.
std::uint64_t Seal(char* record, std::size_t size, Sequence sequence, std::uint64_t previous_check,
                   std::int64_t dedupe_window_us = 0);

inline constexpr std::size_t kRecordHeaderBytes = 64;
// The sequence of the record whose header these kRecordHeaderBytes are; nullopt: they are none that was sealed. Says
// nothing about what is behind the header.
std::optional<Sequence> SealedSequence(std::string_view header);

// The size of the record that starts here, as its own lengths say. For bytes this process wrote itself.
std::size_t RecordSize(const char* record);

// Views of an unsealed or sealed record without verifying its checksum, for bytes this process wrote itself.
Event Peek(const char* record, std::size_t size);

// Verifies version, lengths and checksum. The views point into `record`.
std::expected<Event, CodecError> Decode(std::string_view record);

// The two links of the chain, for the audit. `record` must have passed Decode.
std::uint64_t CheckOf(std::string_view record);
std::uint64_t PreviousCheckOf(std::string_view record);
// The window the event was accepted under: an earlier one with the same id must be older than this.
std::int64_t DedupeWindowOf(std::string_view record);

// Source and id, back to back as stored: what a dedupe fingerprint is taken over.
std::string_view IdentityOf(std::string_view record);

// What tells the conflicts with one stored event apart.
std::uint64_t ConflictHashOf(const Event& newcomer);

// How operators name a kept conflict: "12:9f86d081884c7d65", the stored event's sequence and the hash.
std::string ConflictAddress(Sequence stored, std::uint64_t hash);
std::optional<std::pair<Sequence, std::uint64_t>> ParseConflictAddress(std::string_view text);

}  // namespace weir::storage
