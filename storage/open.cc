// Opening a store: refuse rather than serve less than was promised.
//
// RocksDB reports "OK" after losing data: a write-ahead log that was deleted or emptied, a MANIFEST cut
// short, leave a smaller database that is whole in itself. So the log is audited before it is served: its
// tables cover every sequence, its tail decodes and chains, it holds what the high-water record promises, and
// no sink is ahead of it. A refused open puts the files back as they were found.
#include <algorithm>
#include <chrono>
#include <system_error>
#include <tuple>
#include <utility>

#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/found_copy.h"
#include "storage/log_audit.h"
#include "storage/retention.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kLossVersion = 1;

std::filesystem::path DatabaseFolder(const StoreOptions& options) {
  return options.directory / "store";
}
std::filesystem::path HighWaterFile(const StoreOptions& options) {
  return options.directory / "high-water";
}

std::unexpected<StoreError> Fail(StoreErrorCode code, std::string message) {
  return std::unexpected(StoreError{code, std::move(message)});
}

std::int64_t UnixTimeUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Whether there is anything RocksDB would call a database; an empty folder is none.
bool HoldsDatabase(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "CURRENT", error);
}
bool HoldsTables(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() == ".sst") return true;
  }
  return false;
}

}  // namespace

EventStore::EventStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

StoreResult<std::unique_ptr<EventStore>> EventStore::Open(const StoreOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  std::error_code error;
  if (!options.read_only && options.create_if_missing)
    std::filesystem::create_directories(options.directory, error);
  if (error || !std::filesystem::is_directory(options.directory, error)) {
    return Fail(StoreErrorCode::kFormat, "there is no data directory " + options.directory.string());
  }
  auto taken = DirectoryLock::Take(
      options.directory, options.read_only ? DirectoryLock::Mode::kShared : DirectoryLock::Mode::kExclusive);
  if (!taken) return Fail(StoreErrorCode::kIo, taken.error());
  if (!*taken) {
    return Fail(StoreErrorCode::kLocked,
                "another process has the store in " + options.directory.string() + " open");
  }
  parts->lock = std::move(*taken);
  if (options.read_only) {
    if (auto opened = parts->Open(); !opened) return std::unexpected(opened.error());
    return std::unique_ptr<EventStore>(new EventStore(std::move(parts)));
  }

  auto found = FoundCopy::Make(DatabaseFolder(options));
  if (!found) return Fail(StoreErrorCode::kIo, found.error());
  if (auto opened = parts->Open(); !opened) {
    parts->index.reset();
    parts->rocks.reset();
    if (auto restored = found->Restore(); !restored) return Fail(StoreErrorCode::kIo, restored.error());
    return std::unexpected(opened.error());
  }
  if (parts->notes.empty()) {
    if (auto discarded = found->Discard(); !discarded) return Fail(StoreErrorCode::kIo, discarded.error());
  } else {
    const auto kept = found->Keep();
    if (!kept) return Fail(StoreErrorCode::kIo, kept.error());
    if (!kept->empty()) parts->notes.push_back("the database as it was found is kept in " + kept->string());
  }
  if (auto started = parts->StartHighWater(); !started) return std::unexpected(started.error());
  parts->index->StartSealing();
  return std::unique_ptr<EventStore>(new EventStore(std::move(parts)));
}

EventStore::~EventStore() {
  if (!parts_ || parts_->options.read_only) return;
  if (parts_->failed) return;
  parts_->index->Close();
  if (parts_->rocks->db().SyncWAL().ok()) {
    // What cannot be written now is missing from nothing: the record then promises less than there is.
    std::ignore = parts_->high_water->Close(parts_->durable);
  }
}

StoreResult<void> EventStore::Parts::Open() {
  auto read = ReadHighWater(HighWaterFile(options));
  std::optional<HighWaterRecord> promised;
  if (read) {
    promised = *read;
  } else if (auto lost = Lost(read.error()); !lost) {
    return lost;
  }
  if (auto opened = OpenDatabase(promised); !opened) return opened;
  if (auto loaded = LoadFormat(); !loaded) return loaded;
  if (auto audited = AuditLog(); !audited) return audited;
  if (auto audited = AuditPromise(promised); !audited) return audited;
  if (auto audited = AuditPositions(); !audited) return audited;
  if (!notes.empty() && !options.read_only) {
    if (auto recorded = RecordLosses(); !recorded) return recorded;
  }
  if (auto counted = CountDead(); !counted) return counted;
  return CountConflicts();
}

StoreResult<void> EventStore::Parts::OpenDatabase(const std::optional<HighWaterRecord>& promised) {
  const std::filesystem::path folder = DatabaseFolder(options);
  const bool exists = HoldsDatabase(folder);
  if (!exists && promised && promised->durable != kNoSequence) {
    if (auto lost = Lost("the database of " + std::to_string(promised->durable) + " events is gone from " +
                         folder.string());
        !lost) {
      return lost;
    }
  }
  if (!exists && HoldsTables(folder)) {
    return Fail(StoreErrorCode::kCorruption,
                folder.string() + " holds tables but no CURRENT file; restore it");
  }
  if (!exists && (options.read_only || !options.create_if_missing)) {
    return Fail(StoreErrorCode::kFormat, "there is no store in " + options.directory.string());
  }
  auto opened = Rocks::Open(folder, options, !exists, LogDamage::kRefuse);
  for (const LogDamage damage : {LogDamage::kCutThere, LogDamage::kSkip}) {
    if (opened || options.read_only || opened.error().code != StoreErrorCode::kCorruption) break;
    if (auto lost = Lost(opened.error().message); !lost)
      return Fail(StoreErrorCode::kCorruption, lost.error().message);
    opened = Rocks::Open(folder, options, false, damage);
  }
  if (!opened) return std::unexpected(opened.error());
  rocks = *std::move(opened);
  return {};
}

StoreResult<void> EventStore::Parts::LoadFormat() {
  const auto loaded = LoadFormatRecord(*rocks);
  if (!loaded) return std::unexpected(loaded.error());
  if (*loaded) {
    format = **loaded;
    return {};
  }
  // New, or never finished being made. A database with something in it but no format is somebody else's.
  if (options.read_only || rocks->db().GetLatestSequenceNumber() != 0) {
    return Fail(StoreErrorCode::kFormat, options.directory.string() + " does not hold a weir store");
  }
  const auto created = CreateFormatRecord(*rocks);
  if (!created) return std::unexpected(created.error());
  format = *created;
  return {};
}

// The tables, the tail, and from the tail the dedupe index's head.
StoreResult<void> EventStore::Parts::AuditLog() {
  const auto trimmed_before = LoadTrimmedBefore(*rocks);
  if (!trimmed_before) return std::unexpected(trimmed_before.error());
  auto ends = CheckTables(*rocks, *trimmed_before);
  if (!ends) return std::unexpected(ends.error());

  auto opened =
      DedupeIndex::Open(*rocks, {.head_events = options.dedupe_head_events, .read_only = options.read_only});
  if (!opened) return std::unexpected(opened.error());
  index = *std::move(opened);
  const Sequence through = index->sealed_through();
  if (through > ends->last && !options.read_only) {
    if (auto lost = Lost("the dedupe index covers " + std::to_string(through) + " events, the log has " +
                         std::to_string(ends->last));
        !lost) {
      return lost;
    }
  }
  const auto newest = FindNewest(*rocks);
  if (!newest) return std::unexpected(newest.error());
  index->ExpectTail(*newest > through ? *newest - through : 0);
  const auto remember = [this](const Event& event, std::string_view record) {
    index->Insert(FingerprintFor(IdentityOf(record)), event.sequence);
    ReceivedSpan received;
    received.Add(event.received_at_us);
    index->Keep(event.sequence, received, DedupeWindowOf(record));
  };
  if (auto checked = CheckTail(*rocks, through, *ends, remember); !checked) return checked;
  first = ends->first;
  durable = ends->last;
  last_check = ends->last_check;
  return {};
}

StoreResult<void> EventStore::Parts::AuditPromise(const std::optional<HighWaterRecord>& promised) {
  const std::string found = std::to_string(durable);
  if (!promised) {
    if (durable == kNoSequence || !notes.empty()) return {};
    return Lost("the high-water record beside a log of " + found + " events is missing");
  }
  if (promised->store_id != format.store_id) return Lost("the high-water record belongs to another store");
  if (promised->durable > durable) {
    return Lost("the log ends at event " + found + ", but " + std::to_string(promised->durable) +
                " were acknowledged");
  }
  return {};
}

StoreResult<void> EventStore::Parts::AuditPositions() {
  return VisitPrefix(Family::kDeliveries, PositionPrefix(),
                     [this](std::string_view key, std::string_view value) -> StoreResult<bool> {
                       const auto position = DecodePosition(key, value);
                       if (!position)
                         return Fail(StoreErrorCode::kCorruption, "a sink's position is damaged");
                       Sequence newest = position->offset;
                       if (!position->above.empty()) newest = std::max(newest, position->above.back());
                       if (newest <= durable) return true;
                       const std::string sink(*ParsePositionKey(key));
                       auto lost = Lost("sink " + sink + " has settled event " + std::to_string(newest) +
                                        ", but the log ends at " + std::to_string(durable));
                       if (!lost) return std::unexpected(lost.error());
                       return true;
                     });
}

StoreResult<void> EventStore::Parts::Lost(std::string what) {
  if (!options.accept_data_loss) {
    return Fail(StoreErrorCode::kDataLoss, "refusing to open " + options.directory.string() + ": " + what +
                                               ". Restore the directory from a backup, or start once with "
                                               "`weir serve --accept-data-loss` to go on "
                                               "without what is missing");
  }
  notes.push_back("accepted a loss: " + std::move(what));
  return {};
}

// Sequences past the end of the log are given out again, so nothing may go on referring to the lost ones.
StoreResult<void> EventStore::Parts::RecordLosses() {
  rocksdb::WriteBatch updates;
  const auto clamp = [&](std::string_view key, std::string_view value) -> StoreResult<bool> {
    auto position = DecodePosition(key, value);
    if (!position) return Fail(StoreErrorCode::kCorruption, "a sink's position is damaged");
    position->offset = std::min<Sequence>(position->offset, durable);
    std::erase_if(position->above, [&](Sequence sequence) { return sequence > durable; });
    updates.Put(rocks->family(Family::kDeliveries), ToSlice(key), EncodePosition(key, *position));
    return true;
  };
  if (auto visited = VisitPrefix(Family::kDeliveries, PositionPrefix(), clamp); !visited) return visited;
  const auto drop_retry = [&](std::string_view key, std::string_view) -> StoreResult<bool> {
    const auto retry = ParseRetryKey(key);
    if (!retry || retry->sequence > durable) updates.Delete(rocks->family(Family::kDeliveries), ToSlice(key));
    return true;
  };
  if (auto visited = VisitPrefix(Family::kDeliveries, AllRetriesPrefix(), drop_retry); !visited)
    return visited;
  const auto drop_dead = [&](std::string_view key, std::string_view) -> StoreResult<bool> {
    const auto dead = ParseDeadKey(key);
    if (!dead || dead->second > durable) updates.Delete(rocks->family(Family::kDead), ToSlice(key));
    return true;
  };
  if (auto visited = VisitPrefix(Family::kDead, "", drop_dead); !visited) return visited;
  const std::string key = LossKey(UnixTimeUs());
  ValueWriter writer(kLossVersion);
  writer.U64(durable).U32(static_cast<std::uint32_t>(notes.size()));
  for (const std::string& note : notes) writer.Text(note);
  updates.Put(rocks->family(Family::kMeta), key, std::move(writer).Finish(key));
  return Write(updates, true, "to record the loss");
}

StoreResult<void> EventStore::Parts::StartHighWater() {
  auto started = HighWaterWriter::Start(
      HighWaterFile(options), {.store_id = format.store_id, .durable = durable, .closed_cleanly = false},
      [this]() -> std::optional<Sequence> {
        const Sequence reached = durable.load(std::memory_order_acquire);
        if (!options.sync && !rocks->db().SyncWAL().ok()) return std::nullopt;
        return reached;
      });
  if (!started) return Fail(StoreErrorCode::kIo, started.error());
  high_water = *std::move(started);
  return {};
}

}  // namespace weir::storage
