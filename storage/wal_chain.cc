#include "storage/wal_chain.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "storage/check.h"
#include "storage/limits.h"
#include "storage/log_record.h"
#include "storage/wal_frame.h"
#include "storage/wal_name.h"

namespace weir::storage {
namespace {

namespace fs = std::filesystem;

// A segment that is read, with its frames' heads.
class Segment {
 public:
  static DiskResult<Segment> Open(Disk& disk, const fs::path& path);
  static Segment Missing(fs::path path) { return {std::move(path), nullptr, 0}; }

  const fs::path& path() const { return path_; }
  const std::optional<WalLife>& life() const { return life_; }
  bool Ends(std::uint64_t at) const { return at + kWalFrameHeadBytes > bytes_; }

  DiskResult<std::optional<WalFrame>> HeadAt(std::uint64_t at);
  // Whether the bytes behind the head at `at` are those that were written.
  DiskResult<bool> IsWhole(std::uint64_t at, const WalFrame& frame);

 private:
  Segment(fs::path path, std::unique_ptr<DiskFile> file, std::uint64_t bytes)
      : path_(std::move(path)), file_(std::move(file)), bytes_(bytes) {}
  // Of the file, through a window that moves forward.
  DiskResult<std::string_view> Bytes(std::uint64_t at, std::uint64_t bytes);

  fs::path path_;
  std::unique_ptr<DiskFile> file_;
  std::uint64_t bytes_;
  std::optional<WalLife> life_;
  std::string window_;
  std::uint64_t window_at_ = 0;
};

DiskResult<Segment> Segment::Open(Disk& disk, const fs::path& path) {
  auto file = disk.Open(path, Disk::Access::kRead);
  if (!file) return std::unexpected(file.error());
  const auto bytes = (*file)->Size();
  if (!bytes) return std::unexpected(bytes.error());
  Segment segment(path, *std::move(file), *bytes);
  const auto header = segment.Bytes(0, kWalFramesAt);
  if (!header) return std::unexpected(header.error());
  segment.life_ = DecodeWalHeader(*header);
  return segment;
}

DiskResult<std::string_view> Segment::Bytes(std::uint64_t at, std::uint64_t bytes) {
  if (at < window_at_ || at + bytes > window_at_ + window_.size()) {
    window_.resize(std::max<std::uint64_t>(bytes, limits::kWalReadBytes));
    const auto got = file_->ReadAt(at, window_);
    if (!got) return std::unexpected(got.error());
    window_.resize(*got);
    window_at_ = at;
  }
  const std::string_view window(window_);
  return window.substr(std::min<std::uint64_t>(at - window_at_, window.size()), bytes);
}

DiskResult<std::optional<WalFrame>> Segment::HeadAt(std::uint64_t at) {
  if (!life_) return std::nullopt;
  const auto head = Bytes(at, kWalFrameHeadBytes);
  if (!head) return std::unexpected(head.error());
  return DecodeWalFrame(*life_, *head);
}

DiskResult<bool> Segment::IsWhole(std::uint64_t at, const WalFrame& frame) {
  if (frame.bytes > bytes_ || at + kWalFrameHeadBytes > bytes_ - frame.bytes) return false;
  const auto content = Bytes(at + kWalFrameHeadBytes, frame.bytes);
  if (!content) return std::unexpected(content.error());
  return content->size() == frame.bytes && WalCheck(*life_, *content) == frame.content;
}

// What the log behind says of this one.
struct Proof {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

DiskResult<Proof> ProofOfNextLog(Disk& disk, const fs::path& log, std::uint64_t number) {
  std::map<std::uint64_t, fs::path> later;
  for (const fs::path& file : FilesEndingIn(disk, log.parent_path(), ".log")) {
    if (IsWal(file) && WalNumber(file) > number) later.emplace(WalNumber(file), file);
  }
  if (later.empty()) return Proof{};
  auto segment = Segment::Open(disk, later.begin()->second);
  if (!segment) return std::unexpected(segment.error());
  for (std::uint64_t at = kWalFramesAt; !segment->Ends(at); at += kWalBlockBytes) {
    const auto head = segment->HeadAt(at);
    if (!head) return std::unexpected(head.error());
    if (!*head) continue;
    if ((*head)->previous_log != number) return Proof{};
    return Proof{.frames = (*head)->previous_frames, .bytes = (*head)->previous_bytes};
  }
  return Proof{};
}

class Walk {
 public:
  Walk(Disk& disk, const fs::path& log, std::vector<Segment> segments)
      : disk_(disk), log_(log), segments_(std::move(segments)) {}

  DiskResult<WalChain> Read();

 private:
  struct Place {
    std::size_t segment;
    std::uint64_t at;
    WalFrame frame;
  };
  // What stands behind the frame that does not fit.
  struct Behind {
    std::optional<Place> next;  // the first head with a later number
    std::uint64_t synced = 0;   // the most that one of them says was durable
    std::uint64_t heads = 0;    // how many there are
  };

  // A log that was renamed is still one: its first frame says which.
  bool IsOfThisLog(const WalFrame& frame) const { return !of_log_ || frame.log == *of_log_; }
  bool Fits(const WalFrame& frame, std::size_t segment) const {
    return IsOfThisLog(frame) && frame.number == next_ && frame.place == segment &&
           frame.offset == chain_.bytes;
  }
  DiskResult<void> TakeFrames();
  // Whether the log goes on in the next segment.
  DiskResult<bool> GoesOnBehind();
  DiskResult<Behind> LookBehind();
  DiskResult<bool> PassOverDamage();
  struct TailPiece {
    WalPiece piece;
    std::uint64_t at;  // of its bytes in the tail
  };
  DiskResult<void> ReadTail();
  Proof ProofOfTail() const;
  void TakeTail();
  void Take(WalExtent extent) {
    WEIR_CHECK_EQ(extent.offset, chain_.bytes);
    chain_.bytes += extent.bytes;
    chain_.extents.push_back(std::move(extent));
  }
  void TakeFrame(const WalFrame& frame, WalExtent::State state);
  void Damage(const Segment& segment, std::uint64_t at) {
    if (chain_.damage) return;
    chain_.damage = "the write-ahead log " + log_.string() + " is damaged at byte " + std::to_string(at) +
                    " of " + segment.path().filename().string();
  }

  Disk& disk_;
  const fs::path& log_;
  std::vector<Segment> segments_;
  std::size_t segment_ = 0;
  std::uint64_t at_ = kWalFramesAt;
  std::uint64_t next_ = 0;  // the number of the frame that is to come
  std::optional<std::uint64_t> of_log_;
  std::vector<TailPiece> tail_;
  WalChain chain_;
};

void Walk::TakeFrame(const WalFrame& frame, WalExtent::State state) {
  WEIR_CHECK_EQ(frame.number, next_);
  WEIR_CHECK_EQ(at_ % kWalBlockBytes, 0u);
  if (!of_log_ && frame.log != WalNumber(log_)) {
    chain_.damage = "the write-ahead log " + log_.string() + " is log " + std::to_string(frame.log) +
                    ", under the name of another";
  }
  of_log_ = frame.log;
  Take({.offset = chain_.bytes,
        .bytes = frame.bytes,
        .state = state,
        .file = segments_[segment_].path(),
        .at = at_ + kWalFrameHeadBytes});
  at_ += WalFrameBlocksBytes(frame.bytes);
  ++next_;
}

DiskResult<bool> Walk::GoesOnBehind() {
  if (segment_ + 1 == segments_.size()) return false;
  const auto head = segments_[segment_ + 1].HeadAt(kWalFramesAt);
  if (!head) return std::unexpected(head.error());
  if (!*head || !Fits(**head, segment_ + 1)) return false;
  ++segment_;
  at_ = kWalFramesAt;
  return true;
}

DiskResult<void> Walk::TakeFrames() {
  while (true) {
    const auto head = segments_[segment_].HeadAt(at_);
    if (!head) return std::unexpected(head.error());
    if (*head && Fits(**head, segment_)) {
      const auto whole = segments_[segment_].IsWhole(at_, **head);
      if (!whole) return std::unexpected(whole.error());
      if (!*whole) return {};
      TakeFrame(**head, WalExtent::State::kWhole);
      continue;
    }
    const auto goes_on = GoesOnBehind();
    if (!goes_on) return std::unexpected(goes_on.error());
    if (!*goes_on) return {};
  }
}

DiskResult<Walk::Behind> Walk::LookBehind() {
  Behind behind;
  std::uint64_t at = at_;
  for (std::size_t i = segment_; i < segments_.size(); ++i, at = kWalFramesAt) {
    Segment& segment = segments_[i];
    for (; segment.life() && !segment.Ends(at); at += kWalBlockBytes) {
      const auto head = segment.HeadAt(at);
      if (!head) return std::unexpected(head.error());
      if (!*head || !IsOfThisLog(**head)) continue;
      if ((*head)->number <= next_ || (*head)->offset < chain_.bytes) continue;
      if (!behind.next) behind.next = Place{.segment = i, .at = at, .frame = **head};
      behind.synced = std::max(behind.synced, (*head)->synced);
      ++behind.heads;
    }
  }
  return behind;
}

// False: this is the end.
DiskResult<bool> Walk::PassOverDamage() {
  const auto behind = LookBehind();
  if (!behind) return std::unexpected(behind.error());
  const auto proof = ProofOfNextLog(disk_, log_, of_log_.value_or(WalNumber(log_)));
  if (!proof) return std::unexpected(proof.error());
  const auto head = segments_[segment_].HeadAt(at_);
  if (!head) return std::unexpected(head.error());
  const bool altered = *head && Fits(**head, segment_);
  const Proof by_tail = ProofOfTail();
  if (std::max({behind->synced, proof->frames, by_tail.frames}) <= next_) {
    chain_.dropped = behind->heads + (altered ? 1 : 0);
    return false;
  }
  Damage(segments_[segment_], at_);
  if (altered) {
    TakeFrame(**head, WalExtent::State::kAltered);
    return true;
  }
  const std::uint64_t goes_on_at = behind->next
                                       ? behind->next->frame.offset
                                       : std::max(proof->bytes, by_tail.frames > next_ ? by_tail.bytes : 0);
  Take({.offset = chain_.bytes,
        .bytes = std::max(goes_on_at, chain_.bytes) - chain_.bytes,
        .state = WalExtent::State::kLost,
        .file = {},
        .at = 0});
  if (!behind->next) return false;
  WEIR_CHECK_EQ(behind->next->frame.offset, chain_.bytes);
  WEIR_CHECK_GT(behind->next->frame.number, next_);
  segment_ = behind->next->segment;
  at_ = behind->next->at;
  next_ = behind->next->frame.number;
  return true;
}

DiskResult<void> Walk::ReadTail() {
  const auto& life = segments_.front().life();
  const fs::path tail = WalTail(log_);
  if (!life || !Exists(disk_, tail)) return {};
  const auto bytes = ReadWhole(disk_, tail);
  if (!bytes) return std::unexpected(bytes.error());
  std::string_view rest(*bytes);
  while (const auto piece = DecodeWalPiece(*life, rest)) {
    const std::string_view content = rest.substr(kWalPieceHeadBytes, piece->bytes);
    if (content.size() != piece->bytes || WalCheck(*life, content) != piece->content) return {};
    tail_.push_back({.piece = *piece, .at = static_cast<std::uint64_t>(content.data() - bytes->data())});
    rest.remove_prefix(kWalPieceHeadBytes + piece->bytes);
  }
  return {};
}

void Walk::TakeTail() {
  for (const TailPiece& part : tail_) {
    if (part.piece.offset != chain_.bytes) continue;
    Take({.offset = chain_.bytes,
          .bytes = part.piece.bytes,
          .state = WalExtent::State::kWhole,
          .file = WalTail(log_),
          .at = part.at});
  }
}

// A piece is written behind all frames there are.
Proof Walk::ProofOfTail() const {
  Proof proof;
  for (const TailPiece& part : tail_) {
    if (part.piece.synced <= proof.frames) continue;
    proof = {.frames = part.piece.synced, .bytes = part.piece.offset};
  }
  return proof;
}

DiskResult<WalChain> Walk::Read() {
  // A segment becomes one of a log once its header is durable.
  for (const Segment& segment : segments_) {
    if (!segment.life()) Damage(segment, 0);
  }
  if (const auto read = ReadTail(); !read) return std::unexpected(read.error());
  while (true) {
    if (const auto taken = TakeFrames(); !taken) return std::unexpected(taken.error());
    const auto more = PassOverDamage();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  TakeTail();
  return std::move(chain_);
}

class WalView final : public DiskFile {
 public:
  explicit WalView(std::shared_ptr<const WalChain> chain) : chain_(std::move(chain)) {}

  DiskResult<void> Open(Disk& disk) {
    for (const WalExtent& extent : chain_->extents) {
      if (extent.file.empty() || files_.contains(extent.file)) continue;
      auto file = disk.Open(extent.file, Disk::Access::kRead);
      if (!file) return std::unexpected(file.error());
      files_.emplace(extent.file, *std::move(file));
    }
    return {};
  }

  DiskResult<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) const override {
    std::size_t done = 0;
    auto extent = std::ranges::upper_bound(chain_->extents, offset, {}, &WalExtent::offset);
    if (extent != chain_->extents.begin()) --extent;
    for (; extent != chain_->extents.end() && done < into.size(); ++extent) {
      if (extent->offset + extent->bytes <= offset + done) continue;
      WEIR_CHECK_LE(extent->offset, offset + done);
      const std::uint64_t inside = offset + done - extent->offset;
      const auto bytes = std::min<std::uint64_t>(extent->bytes - inside, into.size() - done);
      if (auto read = Read(*extent, inside, into.subspan(done, bytes)); !read)
        return std::unexpected(read.error());
      done += bytes;
    }
    return done;
  }
  DiskResult<std::uint64_t> Size() const override { return chain_->bytes; }
  DiskResult<void> Sync() override { return {}; }
  // RocksDB cuts off, at the end of a recovery, what it believes was reserved behind the log.
  DiskResult<void> Resize(std::uint64_t bytes) override {
    return bytes >= chain_->bytes ? DiskResult<void>{} : Unchangeable();
  }
  DiskResult<void> WriteAt(std::uint64_t, std::string_view) override { return Unchangeable(); }
  void Reserve(std::uint64_t, std::uint64_t) override {}
  void StartWriting(std::uint64_t, std::uint64_t) override {}
  void WillRead(std::uint64_t, std::uint64_t) const override {}
  void WillNotRead(std::uint64_t, std::uint64_t) const override {}

 private:
  DiskResult<void> Read(const WalExtent& extent, std::uint64_t inside, std::span<char> into) const {
    if (extent.state == WalExtent::State::kLost) {
      std::ranges::fill(into, '\0');
      return {};
    }
    const auto got = files_.at(extent.file)->ReadAt(extent.at + inside, into);
    if (!got) return std::unexpected(got.error());
    // An altered frame may have been cut.
    std::ranges::fill(into.subspan(*got), '\0');
    return {};
  }
  static DiskResult<void> Unchangeable() {
    return std::unexpected(
        DiskError{.code = EPERM, .message = "a write-ahead log that was found is not written to"});
  }

  const std::shared_ptr<const WalChain> chain_;
  std::map<fs::path, std::unique_ptr<DiskFile>> files_;
};

}  // namespace

DiskResult<WalChain> ReadWalChain(Disk& disk, const fs::path& log) {
  const auto pieces = FindWalPieces(disk, log);
  if (!pieces) return std::unexpected(pieces.error());
  if (!pieces->segments.contains(0))
    return std::unexpected(DiskError{.code = ENOENT, .message = "there is no " + log.string()});
  std::vector<Segment> segments;
  for (const auto& [place, path] : pieces->segments) {
    if (place > segments.size() + limits::kWalSegmentsMissing) break;
    while (segments.size() < place) segments.push_back(Segment::Missing(WalSegment(log, segments.size())));
    auto segment = Segment::Open(disk, path);
    if (!segment) return std::unexpected(segment.error());
    segments.push_back(*std::move(segment));
  }
  return Walk(disk, log, std::move(segments)).Read();
}

bool IsPlainWal(Disk& disk, const fs::path& log) {
  const auto file = disk.Open(log, Disk::Access::kRead);
  if (!file) return false;
  std::string block(kLogBlockBytes, '\0');
  const auto read = (*file)->ReadAt(0, block);
  return read && ReadLogRecord(std::string_view(block).substr(0, *read)).has_value();
}

DiskResult<std::unique_ptr<DiskFile>> OpenWalChain(Disk& disk, std::shared_ptr<const WalChain> chain) {
  auto view = std::make_unique<WalView>(std::move(chain));
  if (const auto opened = view->Open(disk); !opened) return std::unexpected(opened.error());
  return view;
}

}  // namespace weir::storage
