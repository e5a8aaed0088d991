// Opening a store: refuse rather than serve less than was promised.
//
// RocksDB reports "OK" after losing data: a write-ahead log that was deleted or emptied, a MANIFEST cut
// short, leave a smaller database that is whole in itself. So the log is audited before it is served: its
// tables cover every sequence, its tail decodes and chains, it holds what the high-water record promises, and
// no sink is ahead of it. A refused open puts the files back as they were found. What an open does when it is told
// to accept a loss stands in accept_loss.cc and database_repair.cc.
#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "storage/data_directory.h"
#include "storage/database_repair.h"
#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/found_copy.h"
#include "storage/log_audit.h"
#include "storage/log_files.h"
#include "storage/log_scan.h"
#include "storage/owner_only.h"
#include "storage/retention.h"
#include "storage/timeline_rows.h"
#include "storage/value_codec.h"

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

// Whether there is anything RocksDB would call a database; an empty folder is none.
bool HoldsDatabase(const Disk& disk, const std::filesystem::path& folder) {
  return Exists(disk, folder / "CURRENT");
}
bool HoldsTables(const Disk& disk, const std::filesystem::path& folder) {
  return !FilesEndingIn(disk, folder, ".sst").empty();
}

// What is given up where the log may be whole.
constexpr std::string_view kNothingKnown =
    "the knowledge of how far the log had come: events it may have lost at its end are not missed";

bool FilesAreMissing(const StoreError& error) {
  return error.message.find("No such file or directory") != std::string::npos;
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

std::vector<std::string> TableNames(const Disk& disk, const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& file : FilesEndingIn(disk, folder, ".sst")) names.push_back(file.filename().string());
  return names;
}

}  // namespace

EventStore::EventStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

StoreResult<std::unique_ptr<EventStore>> EventStore::Open(const StoreOptions& options) {
  auto parts = std::make_unique<Parts>(options);
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
  if (options.read_only) {
    if (auto opened = parts->Open(Mending::kNone); !opened) return std::unexpected(opened.error());
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
    parts = std::make_unique<Parts>(options);
    parts->lock = std::move(lock);
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
  return std::unique_ptr<EventStore>(new EventStore(std::move(parts)));
}

EventStore::~EventStore() {
  if (!parts_ || parts_->options.read_only) return;
  if (parts_->health.failed()) return;
  if (parts_->timeline.Now()) std::ignore = MarkTime();
  parts_->index->Close();
  if (const auto synced = parts_->rocks->SyncLog("to sync the log at its end"); !synced) {
    parts_->health.Report(StoreTrouble::Part::kHighWater, synced.error().message);
  } else if (const auto closed = parts_->high_water->Close(parts_->durable); !closed) {
    parts_->health.Report(StoreTrouble::Part::kHighWater, closed.error());
  }
}

StoreResult<void> EventStore::Parts::Open(Mending mending) {
  auto read = ReadHighWater(*options.disk, HighWaterFile(options));
  std::optional<HighWaterRecord> promised;
  if (read) {
    promised = *read;
  } else if (auto lost = Lost(read.error(), kNothingKnown); !lost) {
    return lost;
  }
  if (auto opened = OpenDatabase(promised, mending); !opened) return opened;
  if (auto loaded = LoadFormat(promised, mending); !loaded) return loaded;
  const auto stored_holes = LoadHoles(*rocks);
  if (!stored_holes) return std::unexpected(stored_holes.error());
  holes = *stored_holes;
  if (auto loaded = LoadTime(); !loaded) return loaded;
  if (auto audited = AuditLog(mending); !audited) return audited;
  if (auto audited = AuditPromise(promised); !audited) return audited;
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
  if (mending == Mending::kTables) {
    if (auto repaired = RepairDatabase(folder, options); !repaired) return repaired;
  }
  if (const auto ordered = CheckLogOrder(*options.disk, folder); !ordered)
    return Fail(StoreErrorCode::kCorruption, ordered.error());
  auto opened = Rocks::Open(folder, options, !exists && !HoldsTables(*options.disk, folder),
                            mending == Mending::kNone ? LogDamage::kRefuse : LogDamage::kSkip, &health);
  if (opened) {
    rocks = *std::move(opened);
    salvage = std::make_unique<Salvage>(*rocks);
    return {};
  }
  // An error of the disk, or somebody else's lock, says nothing about what is stored.
  const StoreErrorCode code = opened.error().code;
  if (code == StoreErrorCode::kLocked || (code == StoreErrorCode::kIo && !FilesAreMissing(opened.error())))
    return std::unexpected(opened.error());
  const DatabaseDamage damage = ExamineDatabase(folder, options, opened.error());
  const StoreError refusal{StoreErrorCode::kCorruption, Refused(damage.what, damage.gives_up).message};
  if (mending == Mending::kTables || options.read_only) return std::unexpected(refusal);
  if (damage.derived_only) {
    next = Mending::kTables;
  } else if (options.accept_data_loss) {
    next = mending == Mending::kNone && damage.log_only ? Mending::kLog : Mending::kTables;
  }
  return std::unexpected(refusal);
}

StoreResult<void> EventStore::Parts::LoadFormat(const std::optional<HighWaterRecord>& promised,
                                                Mending mending) {
  const auto loaded = LoadFormatRecord(*rocks);
  if (!loaded) return std::unexpected(loaded.error());
  if (*loaded) {
    format = **loaded;
    return {};
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

// The tables, the tail, and from the tail the dedupe index's head.
StoreResult<void> EventStore::Parts::AuditLog(Mending mending) {
  const auto trimmed_before = LoadTrimmedBefore(*rocks);
  if (!trimmed_before) return std::unexpected(trimmed_before.error());
  const auto on_loss = [this](Hole hole, const StoreError& refusal) -> StoreResult<void> {
    if (auto lost =
            Lost(refusal.message, "events " + std::to_string(hole.first) + ".." + std::to_string(hole.last));
        !lost) {
      return std::unexpected(StoreError{refusal.code, lost.error().message});
    }
    holes.Add(hole);
    return {};
  };
  const auto damaged = [this](const std::string& what) {
    health.Report(StoreTrouble::Part::kDamage,
                  what + " is damaged; what of it can still be read is read, weir verify says what cannot");
  };
  auto ends = CheckTables(*rocks, *trimmed_before, holes, on_loss, damaged);
  if (!ends) return std::unexpected(ends.error());

  const auto read_log = [this](Sequence from, Sequence to, const auto& visit) {
    return VisitIdentities(from, to, visit);
  };
  auto opened = DedupeIndex::Open(*rocks, {.head_events = options.dedupe_head_events,
                                           .read_only = options.read_only,
                                           .health = &health,
                                           .read_log = read_log});
  if (!opened) return std::unexpected(opened.error());
  index = *std::move(opened);
  if (index->lost() && options.read_only) index->DoWithout(ends->last);
  const auto newest = FindNewest(*rocks, *ends);
  if (!newest) return std::unexpected(newest.error());
  const Sequence log_end = std::max({*newest, ends->last, holes.last()});
  if (index->sealed_through() > log_end && !options.read_only) {
    auto lost =
        Lost("the dedupe index covers " + std::to_string(index->sealed_through()) +
                 " events, the log ends at " + std::to_string(log_end),
             "events " + std::to_string(log_end + 1) + ".." + std::to_string(index->sealed_through()));
    if (!lost) return lost;
  }
  named = std::max(named, index->sealed_through());
  // Part of the runs may be among what is lost: nothing but the log says which.
  const bool rebuild =
      !options.read_only && (mending != Mending::kNone || lost_something || index->RunsAreMissing() ||
                             index->lost() || options.rebuild_dedupe);
  if (rebuild) {
    if (auto forgotten = index->ForgetRuns(); !forgotten) return forgotten;
    notes.push_back("the dedupe index is made again from the log");
  }
  const Sequence through = index->sealed_through();
  const std::uint64_t in_holes = holes.CountWithin(through + 1, *newest);
  index->ExpectTail(rebuild || *newest <= through ? 0 : *newest - through - in_holes);
  const auto remember = [&](const Event& event, std::string_view record) -> StoreResult<void> {
    if (rebuild) {
      if (auto sealed = index->SealWhenFull(); !sealed) return sealed;
    }
    index->Insert(FingerprintFor(IdentityOf(record)), event.sequence);
    ReceivedSpan received;
    received.Add(timeline.ReceivedAt(event.sequence, event.received_at_us).latest_us);
    index->Keep(event.sequence, received, DedupeWindowOf(record));
    return {};
  };
  if (auto checked = CheckTail(*rocks, *salvage, through, holes, *ends, on_loss, remember, damaged); !checked)
    return checked;
  durable = std::max(ends->last, holes.last());
  // With nothing left of the log it begins where it goes on.
  first = ends->last == kNoSequence && durable != kNoSequence ? durable + 1 : ends->first;
  last_check = ends->last_check;
  return {};
}

StoreResult<void> EventStore::Parts::VisitIdentities(
    Sequence from, Sequence to,
    const std::function<StoreResult<void>(const DedupeIndex::Indexed&)>& visit) const {
  from = std::max(from, first.load(std::memory_order_acquire));
  if (from > to) return {};
  LogScan scan(*rocks, *salvage, holes, from, to);
  while (true) {
    const auto scanned = scan.Next();
    if (!scanned) return std::unexpected(scanned.error());
    if (!*scanned || (*scanned)->sequence > to) return {};
    const auto& [sequence, record, state] = **scanned;
    if (state == ScannedRecord::State::kUnreadable || state == ScannedRecord::State::kAltered) continue;
    const Event event = Peek(record.data(), record.size());
    if (auto visited = visit({.fingerprint = FingerprintFor(IdentityOf(record)),
                              .sequence = sequence,
                              .received_at_us = event.received_at_us,
                              .window_us = DedupeWindowOf(record)});
        !visited) {
      return visited;
    }
  }
}

StoreResult<void> EventStore::Parts::AuditPromise(const std::optional<HighWaterRecord>& promised) {
  const std::string found = std::to_string(durable);
  if (!promised) {
    if (durable == kNoSequence || lost_something) return {};
    return Lost("the high-water record beside a log of " + found + " events is missing", kNothingKnown);
  }
  if (promised->store_id != format.store_id)
    return Lost("the high-water record belongs to another store", kNothingKnown);
  named = std::max(named, promised->durable);
  if (promised->durable > durable) {
    return Lost("the log ends at event " + found + ", but " + std::to_string(promised->durable) +
                    " were acknowledged",
                "events " + std::to_string(durable + 1) + ".." + std::to_string(promised->durable) +
                    ", but for those that are in tables which the database does not list");
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
                       auto lost =
                           Lost("sink " + sink + " has settled event " + std::to_string(newest) +
                                    ", but the log ends at " + std::to_string(durable),
                                "events " + std::to_string(durable + 1) + ".." + std::to_string(newest));
                       if (!lost) return std::unexpected(lost.error());
                       return true;
                     });
}

StoreError EventStore::Parts::Refused(std::string_view what, std::string_view gives_up) const {
  return {StoreErrorCode::kDataLoss,
          "refusing to open " + options.directory.string() + ": " + std::string(what) +
              ". Restore the directory from a backup, or start once with `weir serve --accept-data-loss`. It "
              "gives up " +
              std::string(gives_up) +
              "; what was found is kept beside the store, and what is gone is logged"};
}

StoreResult<void> EventStore::Parts::Lost(std::string what, std::string_view gives_up) {
  if (!options.accept_data_loss) return std::unexpected(Refused(what, gives_up));
  lost_something = true;
  notes.push_back("accepted a loss: " + std::move(what));
  return {};
}

StoreResult<void> EventStore::Parts::StartHighWater() {
  auto started = HighWaterWriter::Start(
      *options.disk, HighWaterFile(options),
      {.store_id = format.store_id, .durable = durable, .closed_cleanly = false},
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
