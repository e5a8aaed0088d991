#include "storage/wal_pool.h"

#include <sys/random.h>

#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/limits.h"
#include "storage/start_thread.h"
#include "storage/store_health.h"
#include "storage/trash.h"
#include "storage/wal_name.h"

namespace weir::storage {

namespace fs = std::filesystem;

namespace {

// A block of zeros may be one that the file system never wrote.
constexpr char kFill = '\x5A';

}  // namespace

WalLife RandomWalLife() {
  WalLife life;
  WEIR_CHECK_EQ(getrandom(life.data(), life.size(), 0), static_cast<ssize_t>(life.size()));
  return life;
}

WalPool::WalPool(std::shared_ptr<Disk> disk, WalPoolOptions options)
    : disk_(std::move(disk)), options_(std::move(options)) {
  WEIR_CHECK_EQ(options_.segment_bytes % kWalBlockBytes, 0u);
  WEIR_CHECK_GE(options_.segment_bytes, limits::kWalSegmentBytesMin);
}

WalPool::~WalPool() {
  Stop();
}

void WalPool::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::expected<void, std::string> WalPool::Start(const fs::path& store, StoreHealth* health) {
  health_ = health;
  CollectLeft(store);
  auto started = StartThread("wal-pool", [this](const std::stop_token& stop) { Run(stop); });
  if (!started) return std::unexpected(started.error());
  thread_ = *std::move(started);
  return {};
}

// What a power cut has left of a log that was being given back.
void WalPool::CollectLeft(const fs::path& store) {
  for (const fs::path& file : FilesEndingIn(*disk_, store, "")) {
    if (!IsWalPiece(file) || Exists(*disk_, WalOf(file))) continue;
    std::ignore = file == WalTail(WalOf(file)) ? disk_->Remove(file) : Return(file);
  }
  for (fs::path& file : FilesEndingIn(*disk_, options_.folder, "")) {
    const std::scoped_lock lock(mutex_);
    // Somebody else's is left alone.
    if (file.filename().native().find_first_not_of("0123456789") != std::string::npos) continue;
    const auto is_file = [&](const auto& segment) { return segment.file == file; };
    if (std::ranges::any_of(ready_, is_file) || std::ranges::any_of(returned_, is_file)) continue;
    returned_.push_back({.file = std::move(file), .from = {}});
  }
}

DiskResult<fs::path> WalPool::FreeName() {
  const std::scoped_lock lock(mutex_);
  if (!Exists(*disk_, options_.folder)) {
    if (auto made = disk_->MakeDirectory(options_.folder); !made) return std::unexpected(made.error());
    if (auto synced = disk_->SyncDirectory(options_.folder.parent_path()); !synced)
      return std::unexpected(synced.error());
  }
  fs::path name;
  do {
    name = options_.folder / std::to_string(++named_);
  } while (Exists(*disk_, name));
  return name;
}

DiskResult<void> WalPool::RenameDurably(const fs::path& from, const fs::path& to) {
  auto done = disk_->Rename(from, to);
  if (done) done = disk_->SyncDirectory(to.parent_path());
  if (done) done = disk_->SyncDirectory(from.parent_path());
  return done;
}

std::optional<WalPool::Ready> WalPool::PopReady() {
  const std::scoped_lock lock(mutex_);
  if (ready_.empty()) return std::nullopt;
  Ready ready = std::move(ready_.front());
  ready_.pop_front();
  return ready;
}

DiskResult<WalSegmentFile> WalPool::Open(const Ready& ready, const fs::path& name) {
  if (auto renamed = RenameDurably(ready.file, name); !renamed) return std::unexpected(renamed.error());
  auto file = disk_->Open(name, options_.synced ? Disk::Access::kDirect : Disk::Access::kUpdate);
  if (!file) return std::unexpected(file.error());
  const std::scoped_lock lock(mutex_);
  ++figures_.prewritten;
  return WalSegmentFile{
      .file = *std::move(file), .life = ready.life, .bytes = options_.segment_bytes, .prewritten = true};
}

DiskResult<WalSegmentFile> WalPool::Grow(const fs::path& name) {
  const auto making = FreeName();
  if (!making) return std::unexpected(making.error());
  const WalLife life = options_.new_life();
  {
    const auto file = disk_->Open(*making, Disk::Access::kReplace);
    if (!file) return std::unexpected(file.error());
    auto done = (*file)->WriteAt(0, EncodeWalHeader(life));
    if (done) done = (*file)->Sync();
    if (done) done = RenameDurably(*making, name);
    if (!done) return std::unexpected(done.error());
  }
  auto file = disk_->Open(name, Disk::Access::kUpdate);
  if (!file) return std::unexpected(file.error());
  const std::scoped_lock lock(mutex_);
  ++figures_.grown;
  return WalSegmentFile{
      .file = *std::move(file), .life = life, .bytes = options_.segment_bytes, .prewritten = false};
}

DiskResult<WalSegmentFile> WalPool::Take(const fs::path& name) {
  return patience_([&] {
    const auto ready = PopReady();
    return ready ? Open(*ready, name) : Grow(name);
  });
}

DiskResult<void> WalPool::Return(const fs::path& segment) {
  const auto facts = disk_->Look(segment);
  if (!facts) return std::unexpected(facts.error());
  if (!*facts || (*facts)->links != 1) return disk_->Remove(segment);
  auto name = FreeName();
  if (!name) return std::unexpected(name.error());
  if (auto renamed = disk_->Rename(segment, *name); !renamed) return renamed;
  {
    const std::scoped_lock lock(mutex_);
    returned_.push_back({.file = *std::move(name), .from = segment.parent_path()});
  }
  Wake();
  return {};
}

void WalPool::Serve(std::weak_ptr<WalAppender> appender) {
  const std::scoped_lock lock(mutex_);
  served_ = std::move(appender);
}

void WalPool::Logged(std::uint64_t bytes) {
  const std::uint64_t enough = options_.segment_bytes / limits::kWalSegmentShareIdle;
  const std::uint64_t before = logged_.fetch_add(bytes, std::memory_order_relaxed);
  if (before < enough && before + bytes >= enough) Wake();
}

void WalPool::Wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

LogSegments WalPool::Figures() const {
  const std::scoped_lock lock(mutex_);
  LogSegments figures = figures_;
  figures.ready = ready_.size();
  return figures;
}

DiskResult<bool> WalPool::OfferToLog() {
  std::shared_ptr<WalAppender> appender;
  {
    const std::scoped_lock lock(mutex_);
    appender = served_.lock();
    if (ready_.empty()) return false;
  }
  if (!appender || !appender->WantsSegment()) return false;
  auto offered = appender->Offer([this](const fs::path& name) -> DiskResult<std::optional<WalSegmentFile>> {
    const auto ready = PopReady();
    if (!ready) return std::nullopt;
    return Open(*ready, name);
  });
  if (!offered) return std::unexpected(offered.error());
  return true;
}

// A power cut must not bring a name back to a file that has been written over.
DiskResult<void> WalPool::Settle(const Returned& segment) {
  if (auto synced = disk_->SyncDirectory(options_.folder); !synced) return synced;
  return segment.from.empty() || !Exists(*disk_, segment.from) ? DiskResult<void>{}
                                                               : disk_->SyncDirectory(segment.from);
}

DiskResult<void> WalPool::MakeReady(const fs::path& segment) {
  const WalLife life = options_.new_life();
  const auto file = disk_->Open(segment, Disk::Access::kUpdate);
  if (!file) return std::unexpected(file.error());
  if (auto written = (*file)->WriteAt(0, EncodeWalHeader(life)); !written) return written;
  if (auto synced = (*file)->Sync(); !synced) return synced;
  const std::scoped_lock lock(mutex_);
  ready_.push_back({.file = segment, .life = life});
  return {};
}

// A file that was copied sparsely, or is shared with a copy, has to be written again before it may be relied upon.
DiskResult<void> WalPool::Refresh(const fs::path& segment) {
  auto file = disk_->Open(segment, Disk::Access::kUpdate);
  if (!file) return std::unexpected(file.error());
  const auto allocated = (*file)->IsAllocated();
  if (!allocated) return std::unexpected(allocated.error());
  if (*allocated || !Figures().room_is_taken || filling_) return MakeReady(segment);
  filling_ = Filling{.name = segment, .file = *std::move(file), .bytes = 0};
  return {};
}

DiskResult<bool> WalPool::MakeReturnedReady() {
  Returned segment;
  bool kept = false;
  {
    const std::scoped_lock lock(mutex_);
    if (returned_.empty()) return false;
    segment = returned_.front();
    kept = ready_.size() < limits::kWalSegmentsKept;
  }
  const auto facts = disk_->Look(segment.file);
  if (!facts) return std::unexpected(facts.error());
  bool done = !facts->has_value();
  if (!done) {
    if (auto settled = Settle(segment); !settled) return std::unexpected(settled.error());
    const bool usable =
        kept && (*facts)->links == 1 && (*facts)->bytes == options_.segment_bytes && !(*facts)->directory;
    if (usable) {
      if (auto made = Refresh(segment.file); !made) return std::unexpected(made.error());
      done = true;
    } else {
      auto gone = ShortenAway(*disk_, segment.file);
      if (!gone) return gone;
      done = *gone;
    }
  }
  const std::scoped_lock lock(mutex_);
  if (done) {
    returned_.pop_front();
  } else {
    returned_.front().from.clear();  // settled
  }
  return true;
}

bool WalPool::WantsNew() {
  if (logged_.load(std::memory_order_relaxed) < options_.segment_bytes / limits::kWalSegmentShareIdle)
    return false;
  {
    const std::scoped_lock lock(mutex_);
    if (ready_.size() >= limits::kWalSegmentsReady) return false;
  }
  const auto free = disk_->FreeBytes(options_.folder.parent_path());
  return free && *free >= limits::kWalFillRoomSegments * options_.segment_bytes;
}

DiskResult<bool> WalPool::FillFurther() {
  if (!filling_) {
    if (!WantsNew()) return false;
    auto name = FreeName();
    if (!name) return std::unexpected(name.error());
    auto file = disk_->Open(*name, Disk::Access::kReplace);
    if (!file) return std::unexpected(file.error());
    filling_ = Filling{.name = *std::move(name), .file = *std::move(file), .bytes = 0};
  }
  const std::string piece(std::min(limits::kWalFillBytes, options_.segment_bytes - filling_->bytes), kFill);
  auto done = filling_->file->WriteAt(filling_->bytes, piece);
  if (done) done = filling_->file->Sync();
  if (done) filling_->bytes += piece.size();
  if (done && filling_->bytes < options_.segment_bytes) return true;
  const fs::path name = filling_->name;
  const bool allocated = done && filling_->file->IsAllocated().value_or(false);
  filling_.reset();
  {
    const std::scoped_lock lock(mutex_);
    figures_.room_is_taken = allocated || !done;
  }
  if (done) done = disk_->SyncDirectory(options_.folder);
  if (done) done = MakeReady(name);
  if (done) return true;
  std::ignore = disk_->Remove(name);
  return std::unexpected(done.error());
}

DiskResult<bool> WalPool::StepOrFail() {
  for (auto what : {&WalPool::OfferToLog, &WalPool::MakeReturnedReady, &WalPool::FillFurther}) {
    auto done = (this->*what)();
    if (!done || *done) return done;
  }
  return false;
}

WalPool::Did WalPool::Step() {
  const auto more = StepOrFail();
  if (health_ != nullptr && !more) {
    health_->Report(
        StoreTrouble::Part::kLog,
        "the write-ahead log's files cannot be made ready ahead of need, and commits take longer: " +
            more.error().message);
  }
  if (!more) return Did::kFail;
  if (health_ != nullptr && *more) health_->Over(StoreTrouble::Part::kLog);
  return *more ? Did::kSomething : Did::kNothing;
}

void WalPool::Run(const std::stop_token& stop) {
  while (!stop.stop_requested() && (health_ == nullptr || !health_->failed())) {
    const Did did = Step();
    std::unique_lock lock(mutex_);
    if (did == Did::kNothing) {
      wake_.wait(lock, stop, [this] { return woken_; });
      woken_ = false;
    } else {
      const std::chrono::milliseconds pause =
          did == Did::kSomething ? limits::kWalFillPause : limits::kWalRetryEvery;
      wake_.wait_for(lock, stop, pause, [] { return false; });
    }
  }
}

}  // namespace weir::storage
