// What is asked of a store before it is served: see open.cc.
#include <algorithm>
#include <string>
#include <utility>

#include "storage/database_damage.h"
#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/log_audit.h"
#include "storage/log_scan.h"
#include "storage/retention.h"

namespace weir::storage {

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
                                           .read_log = read_log,
                                           .merge_bytes = &merge_bytes});
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
      !options.read_only && (mending > Mending::kNone || lost_something || index->RunsAreMissing() ||
                             index->lost() || options.rebuild_dedupe);
  if (rebuild) {
    if (auto forgotten = index->ForgetRuns(); !forgotten) return forgotten;
    notes.emplace_back("the dedupe index is made again from the log");
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
    return Lost("the high-water record beside a log of " + found + " events is missing", kEndUnknown);
  }
  if (promised->store_id != format.store_id)
    return Lost("the high-water record belongs to another store", kEndUnknown);
  named = std::max(named, promised->durable);
  if (promised->durable > durable) {
    return Lost("the log ends at event " + found + ", but " + std::to_string(promised->durable) +
                    " were acknowledged",
                "events " + std::to_string(durable + 1) + ".." + std::to_string(promised->durable) +
                    ", but for those that are in tables which the database does not list");
  }
  return {};
}

// Before RocksDB opens it: it begins a new list then. It takes a shorter one for the list of a crash, and what the tables
// that are missing in it hold may be in no log any more.
StoreResult<void> EventStore::Parts::AuditTableList(const TableListEnd& promised) {
  const std::filesystem::path folder = options.directory / "store";
  const TableListEnd found = TableListIn(*options.disk, folder);
  if (found.number > promised.number) return {};
  if (found.number == promised.number && found.bytes >= promised.bytes) return {};
  const std::string what =
      "the database's list of tables (CURRENT, MANIFEST) ends before where it had come to";
  if (options.accept_data_loss && !options.read_only) {
    accepted = {.what = what, .log_sound = true};
    next = Mending::kTables;
  }
  return std::unexpected(Refused(what, kPriceOfTableList));
}

// Settlements are in no sequence of their own. RocksDB counts rows of every family in the order of its log, so that after an
// orderly end a smaller count is a log that ends early. What is mended is counted anew.
StoreResult<void> EventStore::Parts::AuditRowsAtEnd(const std::optional<HighWaterRecord>& promised,
                                                    Mending mending) {
  if (!promised || mending >= Mending::kLog || promised->store_id != format.store_id) return {};
  if (found_at >= promised->closed_at) return {};
  return Lost("the database holds " + std::to_string(found_at) + " of the " +
                  std::to_string(promised->closed_at) + " rows that were written to it before it was closed",
              kPriceOfLastRows);
}

StoreResult<void> EventStore::Parts::AuditPositions() {
  return VisitPrefix(
      Family::kDeliveries, PositionPrefix(),
      [this](std::string_view key, std::string_view value) -> StoreResult<bool> {
        const auto position = DecodePosition(key, value);
        if (!position)
          return std::unexpected(StoreError{StoreErrorCode::kCorruption, "a sink's position is damaged"});
        Sequence newest = position->offset;
        if (!position->above.empty()) newest = std::max(newest, position->above.back());
        if (newest <= durable) return true;
        const std::string sink(*ParsePositionKey(key));
        auto lost = Lost("sink " + sink + " has settled event " + std::to_string(newest) +
                             ", but the log ends at " + std::to_string(durable),
                         "events " + std::to_string(durable + 1) + ".." + std::to_string(newest));
        if (!lost) return std::unexpected(lost.error());
        return true;
      });
}

}  // namespace weir::storage
