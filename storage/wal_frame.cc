// Integers are little endian. XXH3(life, …) is XXH3-64 with the seed XXH3-64(life).
//
//   segment := header header frame*
//   header  := "WEIRWAL1" life:16 check:u64 zeros to 4096          check := XXH3(life, the 24 bytes before it)
//   frame   := "WEIRFRM1" log:u64 place:u64 number:u64 offset:u64 bytes:u64 synced:u64
//              previous_log:u64 previous_frames:u64 previous_bytes:u64 content:u64 check:u64
//              payload zeros to the next 4096
//   content := XXH3(life, payload)
//   check   := XXH3(life, the 88 bytes before it)
#include "storage/wal_frame.h"

#include <xxhash.h>

#include <cstring>

#include "storage/bytes.h"
#include "storage/check.h"

namespace weir::storage {
namespace {

constexpr std::string_view kHeaderMagic = "WEIRWAL1";
constexpr std::string_view kFrameMagic = "WEIRFRM1";
constexpr std::string_view kPieceMagic = "WEIRTAIL";
constexpr std::size_t kLifeAt = 8;
constexpr std::size_t kHeaderCheckAt = kLifeAt + sizeof(WalLife);
constexpr std::size_t kHeaderBytes = kHeaderCheckAt + sizeof(std::uint64_t);
constexpr std::size_t kFrameFields = 10;
constexpr std::size_t kFrameCheckAt = 8 + kFrameFields * sizeof(std::uint64_t);
static_assert(kFrameCheckAt + sizeof(std::uint64_t) == kWalFrameHeadBytes);
constexpr std::size_t kPieceCheckAt = 40;
static_assert(kPieceCheckAt + sizeof(std::uint64_t) == kWalPieceHeadBytes);

std::optional<WalLife> DecodeHeaderBlock(std::string_view block) {
  if (block.size() < kHeaderBytes || !block.starts_with(kHeaderMagic)) return std::nullopt;
  WalLife life;
  std::memcpy(life.data(), block.data() + kLifeAt, life.size());
  if (LoadLittle<std::uint64_t>(block.data() + kHeaderCheckAt) !=
      WalCheck(life, block.substr(0, kHeaderCheckAt))) {
    return std::nullopt;
  }
  return life;
}

}  // namespace

std::uint64_t WalCheck(const WalLife& life, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), XXH3_64bits(life.data(), life.size()));
}

std::string EncodeWalHeader(const WalLife& life) {
  std::string bytes(kWalFramesAt, '\0');
  std::memcpy(bytes.data(), kHeaderMagic.data(), kHeaderMagic.size());
  std::memcpy(bytes.data() + kLifeAt, life.data(), life.size());
  StoreLittle(bytes.data() + kHeaderCheckAt,
              WalCheck(life, std::string_view(bytes).substr(0, kHeaderCheckAt)));
  std::memcpy(bytes.data() + kWalBlockBytes, bytes.data(), kHeaderBytes);
  return bytes;
}

std::optional<WalLife> DecodeWalHeader(std::string_view bytes) {
  const auto first = DecodeHeaderBlock(bytes.substr(0, kWalBlockBytes));
  if (first || bytes.size() < kWalBlockBytes) return first;
  return DecodeHeaderBlock(bytes.substr(kWalBlockBytes));
}

std::uint64_t WalFrameBlocksBytes(std::uint64_t bytes) {
  return (kWalFrameHeadBytes + bytes + kWalBlockBytes - 1) / kWalBlockBytes * kWalBlockBytes;
}

void EncodeWalFrame(const WalLife& life, const WalFrame& frame, char* out) {
  std::memcpy(out, kFrameMagic.data(), kFrameMagic.size());
  char* at = out + kFrameMagic.size();
  for (const std::uint64_t field :
       {frame.log, frame.place, frame.number, frame.offset, frame.bytes, frame.synced, frame.previous_log,
        frame.previous_frames, frame.previous_bytes, frame.content}) {
    StoreLittle(at, field);
    at += sizeof field;
  }
  WEIR_CHECK_EQ(at - out, static_cast<std::ptrdiff_t>(kFrameCheckAt));
  StoreLittle(at, WalCheck(life, {out, kFrameCheckAt}));
}

std::optional<WalFrame> DecodeWalFrame(const WalLife& life, std::string_view head) {
  if (head.size() < kWalFrameHeadBytes || !head.starts_with(kFrameMagic)) return std::nullopt;
  if (LoadLittle<std::uint64_t>(head.data() + kFrameCheckAt) != WalCheck(life, head.substr(0, kFrameCheckAt)))
    return std::nullopt;
  WalFrame frame;
  const char* at = head.data() + kFrameMagic.size();
  for (std::uint64_t* field :
       {&frame.log, &frame.place, &frame.number, &frame.offset, &frame.bytes, &frame.synced,
        &frame.previous_log, &frame.previous_frames, &frame.previous_bytes, &frame.content}) {
    *field = LoadLittle<std::uint64_t>(at);
    at += sizeof *field;
  }
  return frame;
}

void EncodeWalPiece(const WalLife& life, const WalPiece& piece, char* out) {
  std::memcpy(out, kPieceMagic.data(), kPieceMagic.size());
  StoreLittle(out + 8, piece.offset);
  StoreLittle(out + 16, piece.bytes);
  StoreLittle(out + 24, piece.synced);
  StoreLittle(out + 32, piece.content);
  StoreLittle(out + kPieceCheckAt, WalCheck(life, {out, kPieceCheckAt}));
}

std::optional<WalPiece> DecodeWalPiece(const WalLife& life, std::string_view head) {
  if (head.size() < kWalPieceHeadBytes || !head.starts_with(kPieceMagic)) return std::nullopt;
  if (LoadLittle<std::uint64_t>(head.data() + kPieceCheckAt) != WalCheck(life, head.substr(0, kPieceCheckAt)))
    return std::nullopt;
  return WalPiece{.offset = LoadLittle<std::uint64_t>(head.data() + 8),
                  .bytes = LoadLittle<std::uint64_t>(head.data() + 16),
                  .synced = LoadLittle<std::uint64_t>(head.data() + 24),
                  .content = LoadLittle<std::uint64_t>(head.data() + 32)};
}

}  // namespace weir::storage
