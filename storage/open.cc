// Opening a store: refuse rather than serve less than was promised.
//
// RocksDB reports "OK" after losing data: a write-ahead log that was deleted or emptied, a MANIFEST cut
// short, leave a smaller database that is whole in itself. So the log is audited before it is served: its
// tables cover every sequence, its tail decodes and chains, it holds what the high-water record promises, and
// no sink is ahead of it (audit_at_open.cc). A refused open puts the files back as they were found. What an open does
// when it is told to accept a loss stands in accept_loss.cc and database_repair.cc.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

#include "storage/data_directory.h"
#include "storage/database_damage.h"
#include "storage/database_repair.h"
#include "storage/event_store_parts.h"
#include "storage/found_copy.h"
#include "storage/log_files.h"
#include "storage/owner_only.h"
#include "storage/second_copy.h"
#include "storage/table_check.h"
#include "storage/timeline_rows.h"

namespace weir::storage {
namespace {

std::filesystem::path DatabaseFolder(const StoreOptions& options) {
  return options.directory / "store";
}
std::filesystem::path HighWaterFile(const StoreOptions& options) {
  return options.directory / "high-water";
}

std::unexpected<StoreError> Fail(StoreErrorCode code, std::string message) {
  return std::unexpected(StoreError{code, std::move(message)});
}

std::string OlderFormat(const std::filesystem::path& directory) {
  return directory.string() +
         " was made by an older build of weir, and this one does not read its store: export it with the "
         "build that "
         "made it, and begin with an empty directory";
}

// Whether there is anything RocksDB would call a database; an empty folder is none.
bool HoldsDatabase(const Disk& disk, const std::filesystem::path& folder) {
  return Exists(disk, folder / "CURRENT");
}
bool HoldsTables(const Disk& disk, const std::filesystem::path& folder) {
  return !FilesEndingIn(disk, folder, ".sst").empty();
}

// Tables that were found and that the open database does not know, as after a cut MANIFEST.
bool LeavesTablesOut(Rocks& rocks, const std::vector<std::string>& found) {
  std::vector<rocksdb::LiveFileMetaData> live;
  rocks.db().GetLiveFilesMetaData(&live);
  return std::ranges::any_of(found, [&](const std::string& table) {
    return std::ranges::none_of(live, [&](const auto& file) { return file.name.ends_with(table); });
  });
}

// Opening writes the log into tables before it lets go of it.
StoreResult<void> CheckRoom(const Disk& disk, const std::filesystem::path& directory,
                            const std::filesystem::path& folder) {
  constexpr std::uint64_t kMiB = 1u << 20;
  constexpr std::uint64_t kBesidesTheLog = 8 * kMiB;
  std::uint64_t needed = kBesidesTheLog;
  for (const auto& file : FilesEndingIn(disk, folder, ".log")) needed += BytesOf(disk, file);
  const auto available = disk.FreeBytes(directory);
  if (!available || *available >= needed) return {};
  return Fail(StoreErrorCode::kIo,
              "the disk of " + directory.string() + " is full: opening the store needs " +
                  std::to_string(needed / kMiB) + " MiB to write out its log, " +
                  std::to_string(*available / kMiB) +
                  " MiB are free. Make room on that disk and start weir again; nothing was changed");
}

// The older format is told by what its logs begin with: a database that was closed well has one.
StoreResult<void> RefuseOlderLogs(Disk& disk, const StoreOptions& options) {
  for (const auto& log : FilesEndingIn(disk, DatabaseFolder(options), ".log")) {
    if (IsPlainWal(disk, log)) return Fail(StoreErrorCode::kFormat, OlderFormat(options.directory));
  }
  return {};
}

LogDamage ToleranceOf(Mending mending, bool lacks_log) {
  if (mending < Mending::kLog) return LogDamage::kRefuse;
  return lacks_log ? LogDamage::kSkipAll : LogDamage::kSkip;
}

std::vector<std::string> TableNames(const Disk& disk, const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& file : FilesEndingIn(disk, folder, ".sst")) names.push_back(file.filename().string());
  return names;
}

}  // namespace

EventStore::EventStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

StoreResult<std::unique_ptr<EventStore>> EventStore::Open(const StoreOptions& given) {
  const std::shared_ptr<WalDisk> wal = OnWalDisk(given);
  StoreOptions options = given;
  options.disk = wal;
  auto parts = std::make_unique<Parts>(options, wal);
  const bool may_create = !options.read_only && options.create_if_missing;
  if (auto entered = EnterDirectory(*options.disk, options.directory, may_create); !entered) {
    return Fail(StoreErrorCode::kFormat, entered.error());
  }
  // Before the lock, which is a file: a directory that is no store keeps no trace of having been asked.
  if (!may_create && !HoldsTraceOfStore(*options.disk, options.directory)) {
    return Fail(StoreErrorCode::kFormat, "there is no store in " + options.directory.string());
  }
  auto taken = TakeDirectory(*options.disk, options.directory,
                             options.read_only ? Disk::LockMode::kShared : Disk::LockMode::kExclusive);
  if (!taken) return Fail(StoreErrorCode::kIo, taken.error());
  if (!*taken) {
    return Fail(StoreErrorCode::kLocked, HolderOf(LockFileOf(options.directory)) + " holds the store in " +
                                             options.directory.string());
  }
  parts->lock = std::move(*taken);
  if (auto current = RefuseOlderLogs(*wal->below(), options); !current)
    return std::unexpected(current.error());
  if (options.read_only) {
    if (auto opened = parts->Open(Mending::kNone); !opened) return std::unexpected(opened.error());
    std::ranges::move(wal->TakeNotes(), std::back_inserter(parts->notes));
    parts->disk_watch = std::make_unique<DiskWatch>(wal->below(), options.directory);
    return std::unique_ptr<EventStore>(new EventStore(std::move(parts)));
  }

  for (const std::string& open : NarrowToOwner(options.directory))
    parts->health.Report(StoreTrouble::Part::kAccess, open);
  if (auto room = CheckRoom(*options.disk, options.directory, DatabaseFolder(options)); !room)
    return std::unexpected(room.error());
  auto found = FoundCopy::Make(options.disk, DatabaseFolder(options));
  if (!found) return Fail(StoreErrorCode::kIo, found.error());
  if (!found->set_aside().empty()) {
    parts->health.Report(StoreTrouble::Part::kDamage,
                         "store.found was left by an open of an older state of this store; it is kept as " +
                             found->set_aside().string());
  }
  const std::vector<std::string> tables = TableNames(*options.disk, DatabaseFolder(options));
  StoreResult<void> opened;
  for (Mending mending = Mending::kNone;;) {
    opened = parts->Open(mending);
    std::optional<Mending> next = parts->next;
    if (opened && parts->lost_something && LeavesTablesOut(*parts->rocks, tables)) next = Mending::kTables;
    if (!next || *next <= mending) break;
    mending = *next;
    std::unique_ptr<DiskLock> lock = std::move(parts->lock);
    std::set<Family> broken = std::move(parts->broken);
    std::optional<Parts::Accepted> accepted = std::move(parts->accepted);
    parts = std::make_unique<Parts>(options, wal);
    parts->lock = std::move(lock);
    parts->broken = std::move(broken);
    parts->accepted = std::move(accepted);
    if (auto again = found->StartAgain(); !again) return Fail(StoreErrorCode::kIo, again.error());
  }
  if (!opened) {
    parts->index.reset();
    parts->rocks.reset();
    if (auto restored = found->Restore(); !restored) return Fail(StoreErrorCode::kIo, restored.error());
    return std::unexpected(opened.error());
  }
  if (!parts->lost_something) {
    if (auto discarded = found->Discard(); !discarded) return Fail(StoreErrorCode::kIo, discarded.error());
  } else {
    const auto kept = found->Keep();
    if (!kept) return Fail(StoreErrorCode::kIo, kept.error());
    if (!kept->empty()) parts->notes.push_back("the database as it was found is kept in " + kept->string());
  }
  if (auto started = parts->StartHighWater(); !started) return std::unexpected(started.error());
  if (auto sealing = parts->index->StartSealing(); !sealing)
    return Fail(StoreErrorCode::kIo, sealing.error());
  wal->pool().patience().Begin();
  if (auto ready = wal->pool().Start(DatabaseFolder(options), &parts->health); !ready)
    return Fail(StoreErrorCode::kIo, ready.error());
  std::ranges::move(wal->TakeNotes(), std::back_inserter(parts->notes));
  parts->disk_watch = std::make_unique<DiskWatch>(wal->below(), options.directory);
  if (auto watching = parts->disk_watch->Start(); !watching)
    return Fail(StoreErrorCode::kIo, watching.error());
  return std::unique_ptr<EventStore>(new EventStore(std::move(parts)));
}

EventStore::~EventStore() {
  if (parts_) parts_->wal->pool().patience().GiveUp();
  if (!parts_ || parts_->options.read_only) return;
  if (parts_->health.failed()) return;
  if (parts_->timeline.Now()) std::ignore = MarkTime();
  parts_->index->Close();
  const std::uint64_t closed_at = parts_->rocks->db().GetLatestSequenceNumber();
  if (const auto synced = parts_->rocks->SyncLog("to sync the log at its end"); !synced) {
    parts_->health.Report(StoreTrouble::Part::kHighWater, synced.error().message);
  } else if (const auto closed =
                 parts_->high_water->Close(parts_->durable, closed_at, parts_->rocks->TableList());
             !closed) {
    parts_->health.Report(StoreTrouble::Part::kHighWater, closed.error());
  }
}

StoreResult<void> EventStore::Parts::Open(Mending mending) {
  auto read = ReadHighWater(*options.disk, HighWaterFile(options));
  std::optional<HighWaterRecord> promised;
  if (read) {
    promised = *read;
  } else if (auto lost = Lost(read.error(), kEndUnknown); !lost) {
    return lost;
  }
  if (auto opened = OpenDatabase(promised, mending); !opened) return opened;
  auto audited = AuditDatabase(promised, mending);
  // What RocksDB opens and cannot read may be readable without its index, or be kept twice.
  const bool unreadable = !audited && audited.error().code == StoreErrorCode::kCorruption;
  if (unreadable && mending != Mending::kTables && !options.read_only) next = Mending::kTables;
  return audited;
}

StoreResult<void> EventStore::Parts::AuditDatabase(const std::optional<HighWaterRecord>& promised,
                                                   Mending mending) {
  if (auto same = MakeCopiesTheSame(); !same) return same;
  if (auto loaded = LoadFormat(promised, mending); !loaded) return loaded;
  const auto stored_holes = LoadHoles(*rocks);
  if (!stored_holes) return std::unexpected(stored_holes.error());
  holes = *stored_holes;
  if (auto loaded = LoadTime(); !loaded) return loaded;
  if (auto audited = AuditLog(mending); !audited) return audited;
  if (auto audited = AuditPromise(promised); !audited) return audited;
  if (auto audited = AuditRowsAtEnd(promised, mending); !audited) return audited;
  if (auto audited = AuditPositions(); !audited) return audited;
  if (lost_something && !options.read_only) {
    if (auto gone_on = GoOnBehindLoss(promised, *stored_holes); !gone_on) return gone_on;
  }
  if (auto counted = CountDead(); !counted) return counted;
  return CountConflicts();
}

StoreResult<void> EventStore::Parts::OpenDatabase(const std::optional<HighWaterRecord>& promised,
                                                  Mending mending) {
  const std::filesystem::path folder = DatabaseFolder(options);
  const bool exists = HoldsDatabase(*options.disk, folder);
  if (!exists && !HoldsTables(*options.disk, folder)) {
    if (promised && promised->durable != kNoSequence) {
      auto lost = Lost(
          "the database of " + std::to_string(promised->durable) + " events is gone from " + folder.string(),
          "all of them");
      if (!lost) return lost;
    }
    if (options.read_only || !options.create_if_missing) {
      return Fail(StoreErrorCode::kFormat, "there is no store in " + options.directory.string());
    }
  }
  if (accepted) {
    lost_something = true;
    log_end_known = accepted->log_sound;
    notes.push_back("accepted a loss: " + accepted->what);
  }
  if (auto ordered = OrderLogs(mending); !ordered) return ordered;
  if (mending == Mending::kTables) {
    if (auto made = MakeTableListAnew(); !made) return made;
  }
  if (exists && mending < Mending::kLog && promised) {
    if (auto whole = AuditTableList(promised->tables); !whole) return whole;
  }
  auto opened = Rocks::Open(folder, options, !exists && !HoldsTables(*options.disk, folder),
                            ToleranceOf(mending, accepted && accepted->lacks_log), &health);
  StoreResult<void> sound;
  if (!opened) {
    sound = std::unexpected(opened.error());
  } else {
    rocks = *std::move(opened);
    found_at = rocks->db().GetLatestSequenceNumber();
    if (mending != Mending::kTables && !options.read_only) sound = CheckSmallTables();
    if (sound) {
      salvage = std::make_unique<Salvage>(*rocks);
      return GoBackToWithheldPositions();
    }
    rocks.reset();
  }
  const StoreError& error = sound.error();
  if (!IsDamage(error)) return std::unexpected(error);
  const DatabaseDamage damage = ExamineDatabase(folder, options, error);
  if (options.read_only) return Fail(StoreErrorCode::kCorruption, damage.what + ". " + WayOut(damage));
  const StoreError refusal{StoreErrorCode::kCorruption, Refused(damage.what, damage.gives_up).message};
  if (mending == Mending::kTables) return std::unexpected(refusal);
  broken = damage.families;
  if (damage.recoverable) {
    next = Mending::kTables;
  } else if (options.accept_data_loss) {
    accepted = {.what = damage.what, .log_sound = damage.log_sound, .lacks_log = damage.lacks_log};
    next = mending < Mending::kLog && damage.log_only ? Mending::kLog : Mending::kTables;
  }
  return std::unexpected(refusal);
}

StoreResult<void> EventStore::Parts::OrderLogs(Mending mending) {
  const auto ordered = CheckLogOrder(*options.disk, DatabaseFolder(options));
  if (ordered) return {};
  if (mending < Mending::kLog) {
    if (options.accept_data_loss) {
      accepted = {.what = ordered.error(), .log_sound = true};
      next = Mending::kLog;
    }
    return std::unexpected(Refused(ordered.error(), kPriceOfLogOrder));
  }
  if (const auto done = PutLogsInOrder(*options.disk, DatabaseFolder(options)); !done)
    return Fail(StoreErrorCode::kIo, done.error().message);
  return {};
}

StoreResult<void> EventStore::Parts::MakeTableListAnew() {
  auto incomplete = RepairDatabase(DatabaseFolder(options), options, broken);
  if (!incomplete) return std::unexpected(incomplete.error());
  const bool known = accepted || !KeepsOneCopy(broken);
  broken = *std::move(incomplete);
  if (known || KeepsOneCopy(broken)) return {};
  const bool end_known = log_end_known;
  auto lost = Lost("both copies of what the store keeps twice are damaged", kPriceOfBothCopies);
  log_end_known = end_known;
  return lost;
}

// Those of the log are checked by its audit. Tables are merged meanwhile, and one that is gone because of that is no longer
// listed afterwards.
StoreResult<void> EventStore::Parts::CheckSmallTables() const {
  std::vector<rocksdb::LiveFileMetaData> tables;
  rocks->db().GetLiveFilesMetaData(&tables);
  auto found = FindBrokenTables(*options.disk, DatabaseFolder(options), rocks->db().GetEnv(), tables,
                                [](Family family) { return family != Family::kEvents; });
  if (found.empty()) return {};
  tables.clear();
  rocks->db().GetLiveFilesMetaData(&tables);
  std::erase_if(found, [&](const BrokenTable& table) {
    return std::ranges::none_of(tables, [&](const auto& live) { return live.name.ends_with(table.name); });
  });
  if (found.empty()) return {};
  return Fail(StoreErrorCode::kCorruption, "table " + Describe(found.front()));
}

StoreResult<void> EventStore::Parts::GoBackToWithheldPositions() {
  if (rocks->withheld_positions().empty()) return {};
  rocksdb::WriteBatch beginnings;
  for (const auto& [key, value] : rocks->withheld_positions()) {
    const auto position = rocks->Get(Family::kDeliveries, key);
    if (!position) return std::unexpected(position.error());
    if (!*position) beginnings.Put(rocks->family(Family::kDeliveries), key, value);
  }
  notes.emplace_back(
      "sinks go on from where they were before the damage of the log: what they had settled behind it is "
      "delivered again");
  return rocks->Write({}, beginnings, "to go back to where sinks were");
}

StoreResult<void> EventStore::Parts::MakeCopiesTheSame() {
  if (options.read_only) return {};
  auto made = ReconcileCopies(*rocks, broken);
  if (!made) return std::unexpected(made.error());
  std::ranges::move(*made, std::back_inserter(notes));
  return {};
}

StoreResult<void> EventStore::Parts::LoadFormat(const std::optional<HighWaterRecord>& promised,
                                                Mending mending) {
  const auto loaded = LoadFormatRecord(*rocks);
  if (!loaded) return std::unexpected(loaded.error());
  if (*loaded) {
    format = **loaded;
    return {};
  }
  if (const auto older = rocks->Get(Family::kDefault, kFormatKey); older && *older) {
    return Fail(StoreErrorCode::kFormat, OlderFormat(options.directory));
  }
  const bool was_lost =
      options.accept_data_loss && promised && (mending == Mending::kTables || lost_something);
  // New, or never finished being made. A database with something in it but no format is somebody else's.
  if (!was_lost && (options.read_only || rocks->db().GetLatestSequenceNumber() != 0)) {
    return Fail(StoreErrorCode::kFormat, options.directory.string() + " does not hold a weir store");
  }
  const auto created =
      CreateFormatRecord(*rocks, was_lost ? std::optional(promised->store_id) : std::nullopt);
  if (!created) return std::unexpected(created.error());
  format = *created;
  return {};
}

StoreResult<void> EventStore::Parts::LoadTime() {
  auto rows = LoadTimeline(*rocks);
  if (!rows) return std::unexpected(rows.error());
  timeline.GoOn(std::move(rows->ticks), rows->left, options.uptime);
  return {};
}

StoreError EventStore::Parts::Refused(std::string_view what, std::string_view gives_up) const {
  return {StoreErrorCode::kDataLoss, "refusing to open " + options.directory.string() + ": " +
                                         std::string(what) + ". " + WayOut(gives_up)};
}

StoreResult<void> EventStore::Parts::Lost(std::string what, std::string_view gives_up) {
  if (!options.accept_data_loss) return std::unexpected(Refused(what, gives_up));
  lost_something = true;
  log_end_known = false;
  notes.push_back("accepted a loss: " + std::move(what));
  return {};
}

StoreResult<void> EventStore::Parts::StartHighWater() {
  auto started = HighWaterWriter::Start(
      *options.disk, HighWaterFile(options),
      {.store_id = format.store_id, .durable = durable, .closed_at = 0, .tables = rocks->TableList()},
      [this]() -> std::optional<Sequence> {
        const Sequence reached = durable.load(std::memory_order_acquire);
        if (options.sync) return reached;
        const auto synced = rocks->SyncLog("to sync the log");
        if (synced) return reached;
        health.Fail(synced.error());
        return std::nullopt;
      },
      [this](const std::string& trouble) {
        if (trouble.empty()) return health.Over(StoreTrouble::Part::kHighWater);
        health.Report(StoreTrouble::Part::kHighWater,
                      trouble + "; events are answered 503 until it is written again");
      });
  if (!started) return Fail(StoreErrorCode::kIo, started.error());
  high_water = *std::move(started);
  return {};
}

}  // namespace weir::storage
