#include "storage/wal_appender.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/check.h"
#include "storage/limits.h"
#include "storage/wal_name.h"
#include "storage/wal_pool.h"

namespace weir::storage {
namespace {

// So that a frame of that size fits into a segment of its own.
std::size_t FrameBytesMax(std::uint64_t segment_bytes) {
  return std::min<std::uint64_t>(limits::kWalFrameBytesMax, segment_bytes - kWalFramesAt) -
         kWalFrameHeadBytes;
}

}  // namespace

WalAppender::WalAppender(std::shared_ptr<Disk> disk, WalPool& pool, std::filesystem::path log,
                         std::shared_ptr<WalAppender> previous)
    : disk_(std::move(disk)),
      pool_(pool),
      log_(std::move(log)),
      frame_bytes_max_(FrameBytesMax(pool.segment_bytes())),
      previous_(std::move(previous)),
      buffer_(static_cast<char*>(
          std::aligned_alloc(kWalBlockBytes, WalFrameBlocksBytes(FrameBytesMax(pool.segment_bytes()))))) {
  WEIR_CHECK(buffer_ != nullptr);
}

DiskResult<std::shared_ptr<WalAppender>> WalAppender::Start(std::shared_ptr<Disk> disk, WalPool& pool,
                                                            std::filesystem::path log,
                                                            std::shared_ptr<WalAppender> previous) {
  std::shared_ptr<WalAppender> appender(
      new WalAppender(std::move(disk), pool, std::move(log), std::move(previous)));
  auto segment = pool.Take(appender->log_);
  if (!segment) return std::unexpected(segment.error());
  appender->segment_ = *std::move(segment);
  appender->first_life_ = appender->segment_.life;
  return appender;
}

DiskResult<void> WalAppender::Believed(DiskResult<void> done) {
  if (!done) failed_ = done.error();
  return done;
}

DiskResult<void> WalAppender::Append(std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  if (failed_) return std::unexpected(*failed_);
  if (auto begun = Begin(); !begun) return begun;
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), frame_bytes_max_ - staged_);
    std::memcpy(buffer_.get() + kWalFrameHeadBytes + staged_, bytes.data(), taken);
    staged_ += taken;
    bytes_.store(bytes_.load(std::memory_order_relaxed) + taken, std::memory_order_release);
    bytes.remove_prefix(taken);
    if (staged_ < frame_bytes_max_) continue;
    if (auto written = WriteFrame(); !written) return written;
  }
  return {};
}

DiskResult<void> WalAppender::Begin() {
  if (!previous_) return {};
  auto end = previous_->Finish();
  if (!end) return Believed(std::unexpected(end.error()));
  before_ = *end;
  WEIR_CHECK_LT(before_.log, WalNumber(log_));
  previous_.reset();
  return {};
}

DiskResult<WalAppender::End> WalAppender::Finish() {
  if (auto synced = Sync(); !synced) return std::unexpected(synced.error());
  const std::scoped_lock lock(mutex_);
  WEIR_CHECK_EQ(staged_, 0u);
  return End{.log = WalNumber(log_), .frames = frames_, .bytes = bytes()};
}

DiskResult<void> WalAppender::WriteFrame() {
  WEIR_CHECK_GT(staged_, 0u);
  WEIR_CHECK_LE(staged_, frame_bytes_max_);
  WEIR_CHECK_LE(in_tail_, staged_);
  WEIR_CHECK_LE(synced_, frames_);
  const std::uint64_t blocks = WalFrameBlocksBytes(staged_);
  const bool full = at_ + blocks > segment_.bytes;
  if (full || (!segment_.prewritten && wants_.load(std::memory_order_relaxed))) {
    if (auto gone_on = GoOnInNextSegment(); !gone_on) return gone_on;
  }
  WEIR_CHECK_LE(at_ + blocks, segment_.bytes);
  WEIR_CHECK_GE(at_, kWalFramesAt);
  WEIR_CHECK_EQ(at_ % kWalBlockBytes, 0u);
  char* const frame = buffer_.get();
  char* const content = frame + kWalFrameHeadBytes;
  EncodeWalFrame(segment_.life,
                 {.log = WalNumber(log_),
                  .place = place_,
                  .number = frames_,
                  .offset = bytes() - staged_,
                  .bytes = staged_,
                  .synced = synced_,
                  .previous_log = before_.log,
                  .previous_frames = before_.frames,
                  .previous_bytes = before_.bytes,
                  .content = WalCheck(segment_.life, {content, staged_})},
                 frame);
  std::memset(content + staged_, 0, blocks - kWalFrameHeadBytes - staged_);
  if (auto written = Believed(segment_.file->WriteAt(at_, {frame, blocks})); !written) return written;
  if (unsynced_.empty() || unsynced_.back() != segment_.file) unsynced_.push_back(segment_.file);
  at_ += blocks;
  ++frames_;
  staged_ = 0;
  in_tail_ = 0;
  tail_at_ = 0;
  pool_.Logged(blocks);
  const bool wants = !segment_.prewritten || at_ > segment_.bytes / 2;
  if (wants && !wants_.exchange(true, std::memory_order_relaxed)) pool_.Wake();
  return {};
}

// The segment that was made ready is taken also before a growing one is full, but not waited for then: whoever offers it is
// at its rename, and a commit would wait for the directories' syncs.
DiskResult<void> WalAppender::GoOnInNextSegment() {
  const bool full = at_ + WalFrameBlocksBytes(staged_) > segment_.bytes;
  std::unique_lock lock(offer_mutex_, std::defer_lock);
  if (full) {
    lock.lock();
  } else if (!lock.try_lock() || !next_) {
    return {};
  }
  if (next_) {
    segment_ = *std::exchange(next_, std::nullopt);
  } else {
    auto taken = pool_.Take(WalSegment(log_, place_ + 1));
    if (!taken) return Believed(std::unexpected(taken.error()));
    segment_ = *std::move(taken);
  }
  ++place_;
  at_ = kWalFramesAt;
  wants_.store(false, std::memory_order_relaxed);
  return {};
}

DiskResult<void> WalAppender::Keep() {
  const std::scoped_lock lock(mutex_);
  if (failed_) return std::unexpected(*failed_);
  if (staged_ == in_tail_) return {};
  const std::string_view bytes(buffer_.get() + kWalFrameHeadBytes + in_tail_, staged_ - in_tail_);
  if (!pool_.keeps_tails() || tail_at_ + kWalPieceHeadBytes + bytes.size() > limits::kWalTailBytesMax)
    return WriteFrame();
  return WritePiece(bytes);
}

DiskResult<void> WalAppender::WritePiece(std::string_view bytes) {
  if (!tail_) {
    auto opened = pool_.patience()([this] { return disk_->Open(WalTail(log_), Disk::Access::kReplace); });
    if (!opened) return Believed(std::unexpected(opened.error()));
    tail_ = *std::move(opened);
  }
  piece_.resize(kWalPieceHeadBytes);
  EncodeWalPiece(first_life_,
                 {.offset = bytes_.load(std::memory_order_relaxed) - bytes.size(),
                  .bytes = bytes.size(),
                  .synced = synced_,
                  .content = WalCheck(first_life_, bytes)},
                 piece_.data());
  piece_.append(bytes);
  if (auto written = Believed(tail_->WriteAt(tail_at_, piece_)); !written) return written;
  tail_at_ += piece_.size();
  in_tail_ = staged_;
  return {};
}

DiskResult<void> WalAppender::Sync() {
  const std::scoped_lock one_at_a_time(sync_mutex_);
  std::vector<std::shared_ptr<DiskFile>> files;
  std::uint64_t frames = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (failed_) return std::unexpected(*failed_);
    if (staged_ != 0) {
      if (auto written = WriteFrame(); !written) return written;
    }
    files = std::exchange(unsynced_, {});
    frames = frames_;
  }
  for (const auto& file : files) {
    if (auto synced = file->Sync(); !synced) {
      const std::scoped_lock lock(mutex_);
      return Believed(std::move(synced));
    }
  }
  const std::scoped_lock lock(mutex_);
  WEIR_CHECK_LE(synced_, frames);
  synced_ = frames;
  return {};
}

void WalAppender::Close() {
  const std::scoped_lock lock(offer_mutex_);
  closed_ = true;
}

bool WalAppender::WantsSegment() const {
  if (!wants_.load(std::memory_order_relaxed)) return false;
  const std::scoped_lock lock(offer_mutex_);
  return !closed_ && !next_;
}

DiskResult<void> WalAppender::Offer(const Give& give) {
  const std::scoped_lock lock(offer_mutex_);
  if (closed_ || next_) return {};
  auto given = give(WalSegment(log_, place_ + 1));
  if (!given) return std::unexpected(given.error());
  next_ = *std::move(given);
  return {};
}

}  // namespace weir::storage
