// A stored event, version 1 or 2. Integers are little endian, nothing is padded or aligned.
//
//   record  := header extension? source id type malformed headers body
//   header  := version:u8 source_bytes:u8 id_bytes:u16 type_bytes:u16 malformed_bytes:u16
//              headers_bytes:u32 body_bytes:u32
//              sequence:u64 received_at_us:i64 dedupe_window_us:i64
//              previous:u64 content:u64 check:u64                                            (64 bytes)
//   extension := substance:u64 attempt:u32 flags:u32      (16 bytes, version 2 only; flags: 1 test, 2 untyped)
//   content := XXH3-64 of everything after the header
//   check   := XXH3-64 of the header's first 56 bytes, so it covers `content` and `previous`
//   previous := `check` of the record with sequence - 1; 0 for sequence 1
//
// Two hashes instead of one because two threads write a record: the shard hashes what it has just copied, the
// committer seals 56 bytes a record and never touches the body again before RocksDB copies it. The chain runs
// over headers alone, yet no byte of the log can change without breaking it.
//
// Version 2 is written for the events that need it: most senders say nothing that stands in the extension.
//
// The version byte comes first and stays first: it is what a later format is recognised by.
#include "storage/event_codec.h"

#include <xxhash.h>

#include <charconv>
#include <cstring>

#include "storage/bytes.h"
#include "storage/check.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kPlain = 1;
constexpr std::uint8_t kExtended = 2;

constexpr std::size_t kSourceBytesAt = 1;
constexpr std::size_t kIdBytesAt = 2;
constexpr std::size_t kTypeBytesAt = 4;
constexpr std::size_t kMalformedBytesAt = 6;
constexpr std::size_t kHeadersBytesAt = 8;
constexpr std::size_t kBodyBytesAt = 12;
constexpr std::size_t kSequenceAt = 16;
constexpr std::size_t kReceivedAt = 24;
constexpr std::size_t kDedupeWindowAt = 32;
constexpr std::size_t kPreviousAt = 40;
constexpr std::size_t kContentAt = 48;
constexpr std::size_t kCheckAt = 56;
constexpr std::size_t kHeaderBytes = kRecordHeaderBytes;
static_assert(kCheckAt + sizeof(std::uint64_t) == kHeaderBytes);

constexpr std::size_t kSubstanceAt = kHeaderBytes;
constexpr std::size_t kAttemptAt = kSubstanceAt + 8;
constexpr std::size_t kFlagsAt = kAttemptAt + 4;
constexpr std::size_t kExtensionBytes = 16;
static_assert(kFlagsAt + sizeof(std::uint32_t) == kHeaderBytes + kExtensionBytes);

constexpr std::uint32_t kTestFlag = 1;
constexpr std::uint32_t kUntypedFlag = 2;

bool NeedsExtension(const Event& event) {
  return event.substance != 0 || event.attempt != 0 || event.test || event.untyped;
}

// The header is the same in both.
bool IsKnown(char version) {
  return static_cast<std::uint8_t>(version) == kPlain || static_cast<std::uint8_t>(version) == kExtended;
}

// Where the texts begin.
std::size_t TextsAt(char version) {
  return static_cast<std::uint8_t>(version) == kExtended ? kHeaderBytes + kExtensionBytes : kHeaderBytes;
}

std::uint64_t HashOf(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}
std::uint64_t Hash(const char* bytes, std::size_t size) {
  return HashOf({bytes, size});
}

char* Append(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

std::string_view CodecErrorName(CodecError error) {
  switch (error) {
    case CodecError::kTruncated:
      return "truncated";
    case CodecError::kVersion:
      return "unknown version";
    case CodecError::kChecksum:
      return "checksum mismatch";
  }
  return "";
}

std::size_t EncodedSize(const Event& event) {
  return kHeaderBytes + (NeedsExtension(event) ? kExtensionBytes : 0) + event.source.size() +
         event.id.size() + event.type.size() + event.malformed.size() + event.headers.size() +
         event.body.size();
}

void Encode(const Event& event, char* out) {
  WEIR_CHECK_LE(event.source.size(), kRecordSourceBytesMax);
  WEIR_CHECK_LE(event.id.size(), kRecordNameBytesMax);
  WEIR_CHECK_LE(event.type.size(), kRecordNameBytesMax);
  WEIR_CHECK_LE(event.malformed.size(), kRecordNameBytesMax);
  WEIR_CHECK_LE(EncodedSize(event), kRecordBytesMax);
  out[0] = static_cast<char>(NeedsExtension(event) ? kExtended : kPlain);
  StoreLittle(out + kSourceBytesAt, static_cast<std::uint8_t>(event.source.size()));
  StoreLittle(out + kIdBytesAt, static_cast<std::uint16_t>(event.id.size()));
  StoreLittle(out + kTypeBytesAt, static_cast<std::uint16_t>(event.type.size()));
  StoreLittle(out + kMalformedBytesAt, static_cast<std::uint16_t>(event.malformed.size()));
  StoreLittle(out + kHeadersBytesAt, static_cast<std::uint32_t>(event.headers.size()));
  StoreLittle(out + kBodyBytesAt, static_cast<std::uint32_t>(event.body.size()));
  StoreLittle(out + kSequenceAt, std::uint64_t{0});
  StoreLittle(out + kReceivedAt, event.received_at_us);
  StoreLittle(out + kDedupeWindowAt, std::int64_t{0});
  StoreLittle(out + kPreviousAt, std::uint64_t{0});
  StoreLittle(out + kCheckAt, std::uint64_t{0});

  if (NeedsExtension(event)) {
    StoreLittle(out + kSubstanceAt, event.substance);
    StoreLittle(out + kAttemptAt, event.attempt);
    StoreLittle(out + kFlagsAt, (event.test ? kTestFlag : 0) | (event.untyped ? kUntypedFlag : 0));
  }
  char* const content = out + kHeaderBytes;
  char* end = Append(out + TextsAt(out[0]), event.source);
  end = Append(end, event.id);
  end = Append(end, event.type);
  end = Append(end, event.malformed);
  end = Append(end, event.headers);
  end = Append(end, event.body);
  StoreLittle(out + kContentAt, Hash(content, static_cast<std::size_t>(end - content)));
}

std::uint64_t Seal(char* record, std::size_t size, Sequence sequence, std::uint64_t previous_check,
                   std::int64_t dedupe_window_us) {
  WEIR_CHECK_GE(size, kHeaderBytes);
  StoreLittle(record + kSequenceAt, sequence);
  StoreLittle(record + kDedupeWindowAt, dedupe_window_us);
  StoreLittle(record + kPreviousAt, previous_check);
  const std::uint64_t check = Hash(record, kCheckAt);
  StoreLittle(record + kCheckAt, check);
  return check;
}

std::optional<Sequence> SealedSequence(std::string_view header) {
  WEIR_CHECK_EQ(header.size(), kHeaderBytes);
  const auto version = static_cast<std::uint8_t>(header[0]);
  if (version != kPlain && version != kExtended) return std::nullopt;
  const auto sequence = LoadLittle<std::uint64_t>(header.data() + kSequenceAt);
  if (sequence == kNoSequence || CheckOf(header) != HashOf(header.substr(0, kCheckAt))) return std::nullopt;
  return sequence;
}

std::size_t RecordSize(const char* record) {
  return TextsAt(record[0]) + LoadLittle<std::uint8_t>(record + kSourceBytesAt) +
         LoadLittle<std::uint16_t>(record + kIdBytesAt) + LoadLittle<std::uint16_t>(record + kTypeBytesAt) +
         LoadLittle<std::uint16_t>(record + kMalformedBytesAt) +
         LoadLittle<std::uint32_t>(record + kHeadersBytesAt) +
         LoadLittle<std::uint32_t>(record + kBodyBytesAt);
}

Event Peek(const char* record, std::size_t size) {
  WEIR_CHECK_GE(size, kHeaderBytes);
  WEIR_CHECK_EQ(size, RecordSize(record));
  const char* at = record + TextsAt(record[0]);
  const auto take = [&at](std::size_t bytes) {
    const std::string_view view(at, bytes);
    at += bytes;
    return view;
  };
  Event event;
  event.sequence = LoadLittle<std::uint64_t>(record + kSequenceAt);
  event.received_at_us = LoadLittle<std::int64_t>(record + kReceivedAt);
  event.source = take(LoadLittle<std::uint8_t>(record + kSourceBytesAt));
  event.id = take(LoadLittle<std::uint16_t>(record + kIdBytesAt));
  event.type = take(LoadLittle<std::uint16_t>(record + kTypeBytesAt));
  event.malformed = take(LoadLittle<std::uint16_t>(record + kMalformedBytesAt));
  event.headers = take(LoadLittle<std::uint32_t>(record + kHeadersBytesAt));
  event.body = take(LoadLittle<std::uint32_t>(record + kBodyBytesAt));
  if (static_cast<std::uint8_t>(record[0]) == kPlain) return event;
  event.substance = LoadLittle<std::uint64_t>(record + kSubstanceAt);
  event.attempt = LoadLittle<std::uint32_t>(record + kAttemptAt);
  const auto flags = LoadLittle<std::uint32_t>(record + kFlagsAt);
  event.test = (flags & kTestFlag) != 0;
  event.untyped = (flags & kUntypedFlag) != 0;
  return event;
}

std::expected<Event, CodecError> Decode(std::string_view record) {
  if (record.empty()) return std::unexpected(CodecError::kTruncated);
  if (!IsKnown(record[0])) return std::unexpected(CodecError::kVersion);
  if (record.size() < TextsAt(record[0])) return std::unexpected(CodecError::kTruncated);
  const char* const bytes = record.data();
  if (CheckOf(record) != Hash(bytes, kCheckAt)) return std::unexpected(CodecError::kChecksum);
  const std::size_t size = RecordSize(bytes);
  if (record.size() < size) return std::unexpected(CodecError::kTruncated);
  if (record.size() > size) return std::unexpected(CodecError::kChecksum);
  if (LoadLittle<std::uint64_t>(bytes + kContentAt) != Hash(bytes + kHeaderBytes, size - kHeaderBytes)) {
    return std::unexpected(CodecError::kChecksum);
  }
  return Peek(bytes, size);
}

std::uint64_t CheckOf(std::string_view record) {
  return LoadLittle<std::uint64_t>(record.data() + kCheckAt);
}
std::uint64_t PreviousCheckOf(std::string_view record) {
  return LoadLittle<std::uint64_t>(record.data() + kPreviousAt);
}
std::int64_t DedupeWindowOf(std::string_view record) {
  return LoadLittle<std::int64_t>(record.data() + kDedupeWindowAt);
}

std::string_view IdentityOf(std::string_view record) {
  return record.substr(TextsAt(record[0]),
                       std::size_t{LoadLittle<std::uint8_t>(record.data() + kSourceBytesAt)} +
                           LoadLittle<std::uint16_t>(record.data() + kIdBytesAt));
}

std::uint64_t ConflictHashOf(const Event& newcomer) {
  return newcomer.substance != 0 ? newcomer.substance : Hash(newcomer.body.data(), newcomer.body.size());
}

std::string ConflictAddress(Sequence stored, std::uint64_t hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string address = std::to_string(stored) + ':';
  for (int shift = 60; shift >= 0; shift -= 4) address.push_back(kDigits[hash >> shift & 0xF]);
  return address;
}

std::optional<std::pair<Sequence, std::uint64_t>> ParseConflictAddress(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.size() - colon != 1 + 2 * sizeof(std::uint64_t))
    return std::nullopt;
  std::pair<Sequence, std::uint64_t> address;
  const auto read = [](std::string_view digits, int base, std::uint64_t& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into, base);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (!read(text.substr(0, colon), 10, address.first)) return std::nullopt;
  if (!read(text.substr(colon + 1), 16, address.second)) return std::nullopt;
  return address;
}

}  // namespace weir::storage
