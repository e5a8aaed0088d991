// The bytes of a file that RocksDB's write-ahead log is kept in. docs/format.md shows them.
//
// A log is a chain of segments, files of one size whose blocks were written before they are needed, so that a commit is one
// write over blocks that are there and no change of the file system's own. What RocksDB appended between two syncs is one
// frame. A block that was synced is never written again: a frame begins on a block of its own.
//
// A segment is used again, and what an earlier life left behind the last frame looks like frames. So each life has a random
// name of its own, known to nobody outside, and every check is seeded with it: neither an older frame, nor one that was
// written elsewhere, nor bytes that a sender put into a body pass for one.
//
// Pure: no I/O. Internal to storage/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::storage {

inline constexpr std::size_t kWalBlockBytes = 4u << 10;

using WalLife = std::array<char, 16>;

// The header stands in two blocks, so that the loss of one of them is not that of the segment.
inline constexpr std::size_t kWalHeaderBlocks = 2;
inline constexpr std::size_t kWalFramesAt = kWalHeaderBlocks * kWalBlockBytes;

// kWalFramesAt bytes.
std::string EncodeWalHeader(const WalLife& life);
// From the first kWalFramesAt bytes of a segment, or as many as there are; nullopt where neither block holds a header.
std::optional<WalLife> DecodeWalHeader(std::string_view bytes);

// What stands in front of the bytes of a frame.
struct WalFrame {
  std::uint64_t log = 0;     // RocksDB's number of the log, as in its name
  std::uint64_t place = 0;   // of the segment in the chain, from 0
  std::uint64_t number = 0;  // of the frame in the log, from 0
  std::uint64_t offset = 0;  // of its first byte in the log
  std::uint64_t bytes = 0;   // behind the head
  // How many frames of this log were durable when this one was written, and how many the log before it has, with their
  // bytes: all of them were durable. The log before it is 0 for the first that a process writes.
  std::uint64_t synced = 0;
  std::uint64_t previous_log = 0;
  std::uint64_t previous_frames = 0;
  std::uint64_t previous_bytes = 0;
  std::uint64_t content = 0;  // WalCheck of the bytes
  bool operator==(const WalFrame&) const = default;
};
inline constexpr std::size_t kWalFrameHeadBytes = 96;

// Whole blocks that the frame takes.
std::uint64_t WalFrameBlocksBytes(std::uint64_t bytes);

std::uint64_t WalCheck(const WalLife& life, std::string_view bytes);
// Writes kWalFrameHeadBytes bytes.
void EncodeWalFrame(const WalLife& life, const WalFrame& frame, char* out);
// nullopt: no head of this life begins here. Says nothing about the bytes behind it.
std::optional<WalFrame> DecodeWalFrame(const WalLife& life, std::string_view head);

// What was appended to a log and is in no frame yet stands in its tail, which is never synced: pieces back to back, each
//   "WEIRTAIL" offset:u64 bytes:u64 synced:u64 content:u64 check:u64 bytes
inline constexpr std::size_t kWalPieceHeadBytes = 48;
struct WalPiece {
  std::uint64_t offset = 0;  // in the log
  std::uint64_t bytes = 0;
  std::uint64_t synced = 0;  // frames, as WalFrame has it
  std::uint64_t content = 0;
};
void EncodeWalPiece(const WalLife& life, const WalPiece& piece, char* out);
std::optional<WalPiece> DecodeWalPiece(const WalLife& life, std::string_view head);

}  // namespace weir::storage
