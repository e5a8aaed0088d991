#include "storage/log_end.h"

#include <rocksdb/write_batch.h>

#include <optional>
#include <string>
#include <string_view>

#include "storage/event_codec.h"
#include "storage/keys.h"
#include "storage/log_files.h"
#include "storage/log_record.h"
#include "storage/rocks.h"

namespace weir::storage {
namespace {

// The events of a batch: rows that are one under the key they say, whatever the number of their family.
class EventsOf final : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    const auto sequence = ParseSequenceKey(ToView(key));
    const auto event = sequence ? Decode(ToView(value)) : std::unexpected(CodecError::kTruncated);
    if (!event || event->sequence != *sequence) return rocksdb::Status::OK();
    if (first == kNoSequence) first = *sequence;
    last = *sequence;
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }
  rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice&) override {}

  Sequence first = kNoSequence;
  Sequence last = kNoSequence;
};

class Reader {
 public:
  void Read(Disk& disk, const std::filesystem::path& log);
  const std::optional<UnsyncedEnd>& damage() const { return damage_; }
  // Something that was synced is damaged.
  bool proven() const {
    const bool follows = newest_ && first_behind_ == *newest_ + 1;
    return commits_behind_ > 1 || (commits_behind_ == 1 && !follows);
  }

 private:
  // `at`: where in the log the block begins.
  void ReadBlock(std::uint64_t at, std::string_view block, std::string_view behind);
  void Take(const LogRecord& record, std::uint64_t at);
  void TakeBatch(const std::string& batch, std::uint64_t at);
  void Damage(std::uint64_t offset) {
    if (!damage_) damage_ = {.log = log_, .offset = offset};
    batch_.reset();
  }

  std::optional<std::string> batch_;  // so far, of one in several records
  std::filesystem::path log_;
  std::optional<UnsyncedEnd> damage_;
  std::optional<Sequence> newest_;  // in front of the damage
  unsigned commits_behind_ = 0;
  Sequence first_behind_ = kNoSequence;
};

void Reader::Read(Disk& disk, const std::filesystem::path& log) {
  log_ = log;
  const auto bytes = ReadWhole(disk, log);
  if (!bytes) return Damage(0);
  for (std::uint64_t at = 0; at < bytes->size() && !(damage_ && proven()); at += kLogBlockBytes) {
    const std::string_view rest = std::string_view(*bytes).substr(at);
    const std::string_view block = rest.substr(0, kLogBlockBytes);
    ReadBlock(at, block, rest.substr(block.size()));
  }
  if (batch_) Damage(bytes->size());
}

void Reader::ReadBlock(std::uint64_t at, std::string_view block, std::string_view behind) {
  const auto is_blank = [](std::string_view text) {
    return text.find_first_not_of('\0') == std::string_view::npos;
  };
  while (block.size() >= kLogRecordHeadBytes) {
    const auto record = ReadLogRecord(block);
    if (record) {
      Take(*record, at);
    } else if (is_blank(block) && is_blank(behind)) {
      return;  // reserved, and never written
    } else {
      Damage(at);  // from here on no length is to be believed
    }
    const std::size_t step = record ? record->bytes() : 1;
    block.remove_prefix(step);
    at += step;
  }
}

void Reader::Take(const LogRecord& record, std::uint64_t at) {
  using Type = LogRecord::Type;
  const bool begins = record.type == Type::kWhole || record.type == Type::kFirst;
  if (begins == batch_.has_value()) {
    if (begins || !damage_) Damage(at);
    if (!begins) return;
  }
  if (begins) batch_.emplace();
  batch_->append(record.payload);
  if (record.type != Type::kWhole && record.type != Type::kLast) return;
  const std::string batch = *std::move(batch_);
  batch_.reset();
  TakeBatch(batch, at);
}

void Reader::TakeBatch(const std::string& batch, std::uint64_t at) {
  EventsOf events;
  if (!rocksdb::WriteBatch(batch).Iterate(&events).ok()) return Damage(at);
  if (events.first == kNoSequence) return;
  if (!damage_) {
    newest_ = events.last;
  } else if (++commits_behind_ == 1) {
    first_behind_ = events.first;
  }
}

}  // namespace

std::optional<UnsyncedEnd> FindUnsyncedEnd(Disk& disk, const std::filesystem::path& database) {
  Reader reader;
  for (const auto& log : LogsInOrder(disk, database)) reader.Read(disk, log);
  return reader.proven() ? std::nullopt : reader.damage();
}

DiskResult<void> DropUnsyncedEnd(Disk& disk, const UnsyncedEnd& end) {
  const std::filesystem::path database = end.log.parent_path();
  auto whole = ReadWhole(disk, end.log);
  if (!whole) return std::unexpected(whole.error());
  const std::filesystem::path cut = end.log.string() + ".cut";
  {
    const auto file = disk.Open(cut, Disk::Access::kReplace);
    if (!file) return std::unexpected(file.error());
    auto written = (*file)->WriteAt(0, std::string_view(*whole).substr(0, end.offset));
    if (written) written = (*file)->Sync();
    if (!written) return written;
  }
  const auto logs = LogsInOrder(disk, database);
  for (auto later = logs.rbegin(); later != logs.rend() && *later != end.log; ++later) {
    if (auto removed = disk.Remove(*later); !removed) return removed;
  }
  if (auto renamed = disk.Rename(cut, end.log); !renamed) return renamed;
  return disk.SyncDirectory(database);
}

}  // namespace weir::storage
