#include "storage/audit.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "storage/audit_database.h"
#include "storage/audit_identities.h"
#include "storage/audit_ledger.h"
#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/fingerprint.h"
#include "storage/format_record.h"
#include "storage/high_water.h"
#include "storage/holes.h"
#include "storage/log_audit.h"
#include "storage/log_scan.h"
#include "storage/retention.h"
#include "storage/rocks.h"
#include "storage/run_store.h"
#include "storage/second_copy.h"
#include "storage/timeline_rows.h"

namespace weir::storage {
namespace {

constexpr std::uint64_t kProgressEvery = 1 << 14;  // events

class Auditor {
 public:
  Auditor(Rocks& rocks, const AuditRequest& request)
      : rocks_(rocks), request_(request), runs_(rocks), salvage_(rocks) {}

  StoreResult<AuditReport> Run();

 private:
  void Report(FindingKind kind, Sequence sequence, std::string detail);
  StoreResult<void> LoadIndex();
  void CheckFiles();
  void CheckEvents();
  void CheckFrom(Sequence first, Sequence last_in_tables, std::uint64_t total);
  void ReportForeignKeys(Sequence from);
  void CheckEvent(Sequence expected, std::string_view record);
  void CheckRepeats();
  void CheckRepeat(const std::vector<AuditIdentities::Entry>& same_hash);
  bool SameIdentity(Sequence a, Sequence b) const;
  void CheckIndexed(Sequence sequence, std::int64_t received_at_us, std::string_view record);
  void CheckHighWater();
  void CheckEnd(const HighWaterRecord& promised);
  void CheckDeliveries();
  void CheckDead();
  void CheckConflicts();
  void CheckRuns();
  void CheckMeta();
  void CheckLedger();
  bool Exists(Sequence sequence) const {
    return sequence >= report_.first && sequence <= report_.last && !holes_.Contains(sequence);
  }
  template <typename Visit>
  void VisitAll(Family family, Visit visit);

  Rocks& rocks_;
  const AuditRequest& request_;
  RunStore runs_;
  Salvage salvage_;
  AuditReport report_;
  FormatRecord format_;
  Sequence trimmed_before_ = 1;
  Holes holes_;
  Timeline timeline_;
  DedupeState index_state_;
  std::vector<std::shared_ptr<const DedupeRun>> index_runs_;
  std::int64_t newest_received_us_ = INT64_MIN;  // of what the runs hold
  std::optional<AuditLedger> ledger_;
  AuditIdentities identities_;
  std::uint64_t previous_check_ = 0;
  bool linked_ = true;  // previous_check_ is that of the record before
};

template <typename Visit>
void Auditor::VisitAll(Family family, Visit visit) {
  Rows rows(rocks_, family, "");
  for (; rows.Valid(); rows.Next()) visit(rows.key(), rows.value());
  if (!rows.status().ok()) Report(FindingKind::kUnreadable, kNoSequence, rows.status().ToString());
}

StoreResult<AuditReport> Auditor::Run() {
  if (request_.ledger) {
    auto ledger = AuditLedger::Read(*request_.ledger);
    if (!ledger) return std::unexpected(StoreError{StoreErrorCode::kNotFound, ledger.error()});
    ledger_ = *std::move(ledger);
  }
  auto format = LoadFormatRecord(rocks_);
  if (!format) return std::unexpected(format.error());
  if (!*format) return std::unexpected(StoreError{StoreErrorCode::kFormat, "this is not a weir store"});
  format_ = **format;
  const auto trimmed_before = LoadTrimmedBefore(rocks_);
  if (!trimmed_before) return std::unexpected(trimmed_before.error());
  trimmed_before_ = *trimmed_before;
  const auto holes = LoadHoles(rocks_);
  if (!holes) return std::unexpected(holes.error());
  holes_ = *holes;
  auto time = LoadTimeline(rocks_);
  if (!time) return std::unexpected(time.error());
  timeline_.GoOn(std::move(time->ticks), std::nullopt, {});
  if (auto loaded = LoadIndex(); !loaded) {
    Report(FindingKind::kDamagedValue, kNoSequence, loaded.error().message);
  }
  CheckFiles();
  CheckEvents();
  CheckRepeats();
  CheckHighWater();
  CheckDeliveries();
  CheckDead();
  CheckConflicts();
  CheckRuns();
  CheckMeta();
  CheckLedger();
  return std::move(report_);
}

void Auditor::Report(FindingKind kind, Sequence sequence, std::string detail) {
  ++report_.findings_total;
  if (report_.findings.size() >= kFindingsMax) return;
  report_.findings.push_back({.kind = kind, .sequence = sequence, .detail = std::move(detail)});
}

StoreResult<void> Auditor::LoadIndex() {
  auto state = runs_.LoadState();
  if (!state) return std::unexpected(state.error());
  index_state_ = *state;
  auto runs = runs_.LoadRuns();
  if (!runs) return std::unexpected(runs.error());
  index_runs_ = *std::move(runs);
  for (const auto& run : index_runs_)
    newest_received_us_ = std::max(newest_received_us_, run->received.newest_us);
  return {};
}

void Auditor::CheckFiles() {
  for (std::string& damage : DamagedTables(rocks_, request_.directory))
    Report(FindingKind::kDamagedTable, kNoSequence, std::move(damage));
  const auto differences = FindCopiesThatDiffer(rocks_);
  if (!differences) return Report(FindingKind::kUnreadable, kNoSequence, differences.error().message);
  for (const std::string& difference : *differences)
    Report(FindingKind::kCopiesDiffer, kNoSequence, difference);
}

void Auditor::CheckEvents() {
  const std::uint64_t total = rocks_.db().GetLatestSequenceNumber();
  const auto ends = FindEnds(rocks_);
  if (ends.first != kNoSequence) {
    report_.first = holes_.NextOutside(std::max(ends.first, trimmed_before_));
    const Sequence expected = holes_.NextOutside(trimmed_before_);
    if (report_.first > expected) {
      Report(FindingKind::kMissingEvent, expected,
             std::to_string(report_.first - expected) + " missing before event " +
                 std::to_string(report_.first));
    }
    CheckFrom(report_.first, ends.last, total);
  }
  report_.last = std::max(report_.last, holes_.last());
  report_.holes = holes_.ranges().size();
  report_.lost_sequences = holes_.CountWithin(kNoSequence, holes_.last());
  if (request_.progress) request_.progress(report_.events, report_.events);
}

void Auditor::CheckFrom(Sequence first, Sequence last_in_tables, std::uint64_t total) {
  LogScan scan(rocks_, salvage_, holes_, first, last_in_tables);
  linked_ = first == 1;
  Sequence expected = first;
  while (true) {
    const auto next = scan.Next();
    if (!next && next.error().code == StoreErrorCode::kDataLoss) {
      const Sequence missing = next.error().sequence;
      ReportForeignKeys(missing);
      const Sequence behind = scan.GoOnBehind(missing);
      if (behind == kNoSequence) return;  // it is the high-water record that says whether there was more
      Report(FindingKind::kMissingEvent, missing,
             std::to_string(behind - missing) + " missing before event " + std::to_string(behind));
      continue;
    }
    if (!next) return Report(FindingKind::kUnreadable, kNoSequence, next.error().message);
    if (!*next) return;
    const auto& [sequence, record, state] = **next;
    if (sequence != std::exchange(expected, sequence + 1)) linked_ = false;
    report_.last = sequence;
    ++report_.events;
    report_.event_bytes += record.size();
    if (state == ScannedRecord::State::kUnreadable) {
      Report(FindingKind::kDamagedEvent, sequence, "cannot be read");
      linked_ = false;
    } else {
      CheckEvent(sequence, record);
    }
    if (request_.progress && report_.events % kProgressEvery == 0) request_.progress(report_.events, total);
  }
}

// Keys that are no sequences sort behind some that are.
void Auditor::ReportForeignKeys(Sequence from) {
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks_.db().NewIterator(InOrder(), rocks_.family(Family::kEvents)));
  for (rows->Seek(ToSlice(SequenceKey(from).view())); rows->Valid(); rows->Next()) {
    if (ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence) != kNoSequence) return;
    Report(FindingKind::kDamagedEvent, kNoSequence, "a foreign key in the log");
  }
}

void Auditor::CheckEvent(Sequence expected, std::string_view record) {
  const auto event = Decode(record);
  if (!event || event->sequence != expected) {
    Report(
        FindingKind::kDamagedEvent, expected,
        event ? "is event " + std::to_string(event->sequence) : std::string(CodecErrorName(event.error())));
    linked_ = false;
    return;
  }
  if (linked_ && PreviousCheckOf(record) != previous_check_) {
    Report(FindingKind::kBrokenChain, expected, "does not follow the event before it");
  }
  previous_check_ = CheckOf(record);
  linked_ = true;
  if (!event->malformed.empty()) ++report_.malformed;
  const std::uint64_t fingerprint = FingerprintOf(format_.secret, IdentityOf(record));
  if (!identities_.Add({.hash = fingerprint,
                        .sequence = expected,
                        .received_at_us = event->received_at_us,
                        .window_us = DedupeWindowOf(record)})) {
    Report(FindingKind::kUnreadable, expected, "the temporary directory is full: repeats were not checked");
  }
  CheckIndexed(expected, event->received_at_us, record);
  if (ledger_) ledger_->Seen(event->source, event->id);
}

// Sealed events must pass a filter, or a duplicate of them would be stored as new.
void Auditor::CheckIndexed(Sequence sequence, std::int64_t received_at_us, std::string_view record) {
  if (sequence > index_state_.through) return;
  const std::int64_t earliest_us = timeline_.ReceivedAt(sequence, received_at_us).earliest_us;
  if (newest_received_us_ - earliest_us > index_state_.window_us_max) return;
  const std::uint64_t fingerprint = FingerprintOf(format_.secret, IdentityOf(record));
  for (const auto& run : index_runs_) {
    if (run->filter.MayContain(fingerprint)) return;
  }
  Report(FindingKind::kUnindexedEvent, sequence, "is in no run of the dedupe index");
}

void Auditor::CheckRepeats() {
  const bool read = identities_.ForEachRepeated([this](const auto& same_hash) { CheckRepeat(same_hash); });
  if (!read)
    Report(FindingKind::kUnreadable, kNoSequence,
           "the temporary files cannot be read: repeats were not checked");
}

void Auditor::CheckRepeat(const std::vector<AuditIdentities::Entry>& same_hash) {
  for (std::size_t later = 1; later < same_hash.size(); ++later) {
    for (std::size_t earlier = later; earlier-- > 0;) {
      const auto& a = same_hash[earlier];
      const auto& b = same_hash[later];
      const std::int64_t apart_us = timeline_.ReceivedAt(b.sequence, b.received_at_us).latest_us -
                                    timeline_.ReceivedAt(a.sequence, a.received_at_us).earliest_us;
      if (apart_us > b.window_us || !SameIdentity(a.sequence, b.sequence)) continue;
      Report(FindingKind::kRepeatedEvent, b.sequence, "is event " + std::to_string(a.sequence) + " again");
      break;
    }
  }
}

bool Auditor::SameIdentity(Sequence a, Sequence b) const {
  const auto first = rocks_.Get(Family::kEvents, SequenceKey(a).view());
  const auto second = rocks_.Get(Family::kEvents, SequenceKey(b).view());
  if (!first || !second || !*first || !*second) return false;  // reported where they were read
  const auto one = Decode(**first);
  const auto other = Decode(**second);
  return one && other && one->source == other->source && one->id == other->id;
}

void Auditor::CheckHighWater() {
  const auto read = ReadHighWater(*request_.disk, request_.directory / "high-water");
  if (!read) {
    Report(FindingKind::kHighWater, kNoSequence, read.error());
  } else if (!*read) {
    if (report_.events > 0) Report(FindingKind::kHighWater, kNoSequence, "the high-water record is missing");
  } else if ((*read)->store_id != format_.store_id) {
    Report(FindingKind::kHighWater, kNoSequence, "the high-water record belongs to another store");
  } else if ((*read)->durable > report_.last) {
    Report(FindingKind::kHighWater, (*read)->durable,
           "was acknowledged, but the log ends at " + std::to_string(report_.last));
  } else {
    CheckEnd(**read);
  }
}

// Settlements have no sequence: that they are there is known from how far the store had come when it was closed.
void Auditor::CheckEnd(const HighWaterRecord& promised) {
  const std::uint64_t rows = rocks_.db().GetLatestSequenceNumber();
  if (rows < promised.closed_at) {
    Report(FindingKind::kHighWater, kNoSequence,
           std::to_string(promised.closed_at - rows) +
               " rows are missing of what was written before the store was closed");
  }
  const TableListEnd found = TableListIn(rocks_.disk(), request_.directory / "store");
  if (found.number < promised.tables.number ||
      (found.number == promised.tables.number && found.bytes < promised.tables.bytes)) {
    Report(FindingKind::kHighWater, kNoSequence, "the list of tables ends before where it had come to");
  }
}

void Auditor::CheckDeliveries() {
  VisitAll(Family::kDeliveries, [&](std::string_view key, std::string_view value) {
    if (const auto sink = ParsePositionKey(key)) {
      ++report_.sinks;
      const auto position = DecodePosition(key, value);
      if (!position) {
        Report(FindingKind::kDamagedValue, kNoSequence, "position of sink " + std::string(*sink));
        return;
      }
      const Sequence newest = position->above.empty() ? position->offset : position->above.back();
      if (newest <= report_.last) return;
      Report(FindingKind::kPositionAhead, newest,
             "settled by sink " + std::string(*sink) + ", past the end of the log");
    } else if (const auto retry = ParseRetryKey(key)) {
      ++report_.retries;
      if (!DecodeRetry(key, value))
        Report(FindingKind::kDamagedValue, retry->sequence, "retry of sink " + std::string(retry->sink));
      if (!Exists(retry->sequence)) {
        Report(FindingKind::kDanglingEntry, retry->sequence,
               "has a retry for sink " + std::string(retry->sink));
      }
    } else {
      Report(FindingKind::kDamagedValue, kNoSequence, "a foreign key among the deliveries");
    }
  });
}

void Auditor::CheckDead() {
  VisitAll(Family::kDead, [&](std::string_view key, std::string_view value) {
    ++report_.dead_letters;
    const auto letter = DecodeDeadLetter(key, value);
    if (!letter) {
      Report(FindingKind::kDamagedValue, kNoSequence, "a dead letter");
    } else if (!Exists(letter->sequence)) {
      Report(FindingKind::kDanglingEntry, letter->sequence, "has a dead letter of sink " + letter->sink);
    }
  });
}

void Auditor::CheckConflicts() {
  VisitAll(Family::kConflicts, [&](std::string_view key, std::string_view value) {
    const auto stored = ParseStoredOf(key);
    const bool repeats = ParseRepeatsKey(key).has_value();
    if (!repeats) ++report_.conflicts;
    const bool readable = repeats ? DecodeRepeats(key, value).has_value() : Decode(value).has_value();
    if (!stored || !readable) {
      Report(FindingKind::kDamagedValue, stored.value_or(kNoSequence),
             repeats ? "a count of repeats" : "a conflict");
    } else if (!Exists(*stored)) {
      Report(FindingKind::kDanglingEntry, *stored, repeats ? "has a count of repeats" : "has a conflict");
    }
  });
}

void Auditor::CheckRuns() {
  report_.dedupe_runs = index_runs_.size();
  for (const auto& run : index_runs_) {
    report_.dedupe_entries += run->entries;
    RunCursor cursor(runs_, run);
    std::uint64_t entries = 0;
    while (true) {
      const auto entry = cursor.Peek();
      if (!entry) {
        Report(FindingKind::kDamagedValue, kNoSequence, entry.error().message);
        break;
      }
      if (!*entry) break;
      ++entries;
      cursor.Take();
    }
    if (entries == run->entries) continue;
    Report(FindingKind::kDamagedValue, kNoSequence,
           "run " + std::to_string(run->number) + " of the dedupe index holds " + std::to_string(entries) +
               " of " + std::to_string(run->entries) + " entries");
  }
}

void Auditor::CheckMeta() {
  VisitAll(Family::kMeta, [&](std::string_view key, std::string_view) {
    if (key.starts_with(LossPrefix())) ++report_.accepted_losses;
  });
}

void Auditor::CheckLedger() {
  if (!ledger_) return;
  report_.ledger_ids = ledger_->ids();
  report_.ledger_found = ledger_->found();
  const auto read = ledger_->ForEachMissing(
      [this](std::string_view line) { Report(FindingKind::kLedgerMissing, kNoSequence, std::string(line)); });
  if (!read) Report(FindingKind::kUnreadable, kNoSequence, read.error());
}

}  // namespace

std::string_view FindingName(FindingKind kind) {
  switch (kind) {
    case FindingKind::kMissingEvent:
      return "missing_event";
    case FindingKind::kDamagedEvent:
      return "damaged_event";
    case FindingKind::kBrokenChain:
      return "broken_chain";
    case FindingKind::kRepeatedEvent:
      return "repeated_event";
    case FindingKind::kUnreadable:
      return "unreadable";
    case FindingKind::kHighWater:
      return "high_water";
    case FindingKind::kDamagedValue:
      return "damaged_value";
    case FindingKind::kDanglingEntry:
      return "dangling_entry";
    case FindingKind::kPositionAhead:
      return "position_ahead";
    case FindingKind::kUnindexedEvent:
      return "unindexed_event";
    case FindingKind::kDamagedTable:
      return "damaged_table";
    case FindingKind::kCopiesDiffer:
      return "copies_differ";
    case FindingKind::kLedgerMissing:
      return "ledger_missing";
    case FindingKind::kCount:
      break;
  }
  return "";
}

StoreResult<AuditReport> Audit(const AuditRequest& request) {
  const auto opened = OpenForAudit(request.directory, request.disk);
  if (!opened) return std::unexpected(opened.error());
  return Auditor(*opened->rocks, request).Run();
}

}  // namespace weir::storage
