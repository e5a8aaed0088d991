// The store's fixed bounds, with units. (engine/limits.h has the engine's; storage/ includes nothing from
// there.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::storage::limits {

// Dedupe. Memory an event costs while it is inside a dedupe window: 32 bytes in the head (and as much while
// that is being sealed), 1.5 bytes in a sealed run.

// Events before the head is sealed: 8 MiB of table.
inline constexpr std::size_t kDedupeHeadEvents = 256u << 10;
// Heads waiting to be sealed; past it commits stall.
inline constexpr std::size_t kDedupeFrozenHeadsMax = 4;
// Filters of sealed runs; a run past it is read at every lookup instead.
inline constexpr std::size_t kDedupeFilterBytesMax = 256u << 20;
inline constexpr std::size_t kDedupeRunsPerMerge = 8;
// Between attempts to seal, merge or rebuild a run.
inline constexpr std::chrono::seconds kDedupeRetryEvery{1};
// Events worth a run of their own when a store is closed; fewer are read back from the log at open.
inline constexpr std::size_t kDedupeSealAtCloseMin = 4096;

// Sequences passed over after an accepted loss when nothing says exactly how many had been given out: more than the
// high-water record can lag behind.
inline constexpr std::uint64_t kUnknownSequencesMax = 1u << 20;

// Ticks of the store's time (timeline.h), 24 bytes of memory each; past it older ones are thinned out.
inline constexpr std::size_t kTicksMax = 4096;
// By how much the clock may differ from what was seen to pass before it counts as set.
inline constexpr std::int64_t kClockStepUs = 5'000'000;

// Between two looks at the room on the disk, and between two counts of what the store's own files take of it.
inline constexpr std::chrono::milliseconds kDiskLookEvery{100};
inline constexpr std::chrono::milliseconds kStoreBytesEvery{1'000};

// Conflicts (same id, other bytes) kept for the operator; further ones are counted only.
inline constexpr std::uint64_t kConflictsMax = 10'000;
inline constexpr std::uint64_t kConflictBytesMax = 64u << 20;

// RocksDB. A family has one memtable that is written to and the others on their way to disk.
inline constexpr int kMemtablesPerFamily = 3;
inline constexpr std::size_t kDedupeMemtableBytes = 16u << 20;
inline constexpr std::size_t kSmallFamilyMemtableBytes = 4u << 20;
// Of the first sorted level of a small family, in its memtables.
inline constexpr std::size_t kMemtablesPerSmallLevel = 2;
// Files of a small family that wait to be merged; past it commits stall.
inline constexpr int kUnmergedFilesMax = 1000;
// A deleted file is given back in such pieces with such pauses between them: 64 MiB in a third of a second. Past so many
// files that wait, one is deleted at once: the disk's room comes before the commits' time.
inline constexpr std::uint64_t kTrashPieceBytes = 1u << 20;
inline constexpr std::chrono::milliseconds kTrashPause{4};
inline constexpr std::size_t kTrashFilesMax = 64;

// The write-ahead log's files (wal_frame.h). A segment is a quarter of a memtable of events and at most this; so is what is
// made at once of one, with a pause behind it, so that a commit's sync never waits for more.
inline constexpr std::uint64_t kWalSegmentBytesMin = 64u << 10;
inline constexpr std::uint64_t kWalSegmentBytesMax = 16u << 20;
inline constexpr std::size_t kWalSegmentsPerMemtable = 4;
inline constexpr std::uint64_t kWalFillBytes = 256u << 10;
inline constexpr std::chrono::milliseconds kWalFillPause{4};
// Segments that wait to be used again; further ones are given back. New ones are made until so many are ready, and while so
// many more would find room on the disk.
inline constexpr std::size_t kWalSegmentsKept = 8;
inline constexpr std::size_t kWalSegmentsReady = 2;
inline constexpr std::uint64_t kWalFillRoomSegments = 16;
// Between attempts after one has failed.
inline constexpr std::chrono::seconds kWalRetryEvery{1};
// Of a log's first segment, before another one is made ahead of need: a store that takes little takes little room.
inline constexpr std::uint64_t kWalSegmentShareIdle = 16;
// What one write takes at most, and what may wait in a log's tail for the next one.
inline constexpr std::size_t kWalFrameBytesMax = 1u << 20;
inline constexpr std::size_t kWalTailBytesMax = 256u << 10;
inline constexpr std::size_t kWalReadBytes = 256u << 10;
// Segments missing in the middle of a log, past which what is behind them is not looked at.
inline constexpr std::uint64_t kWalSegmentsMissing = 1024;

inline constexpr std::size_t kBlockCacheBytes = 32u << 20;

}  // namespace weir::storage::limits
