// Dedupe and append: the only writer of the log.
//
// Whether an event is new is decided in memory (DedupeIndex) and confirmed against the record, so two
// different events never count as one. New events get the next sequences, are sealed into the chain, and go
// to the database as one batch with one sync. Only then do they exist: a failed batch takes back what it put
// into the index.
#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "storage/check.h"
#include "storage/delivery_values.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/memory_shortage.h"

namespace weir::storage {
namespace {

constexpr std::size_t kPrefetchAhead = 8;  // records

StoreError Refused() {
  return {StoreErrorCode::kIo, "an earlier commit failed and its fate is unknown: restart weir"};
}

}  // namespace

class GroupCommit {
 public:
  GroupCommit(EventStore::Parts& parts, std::span<AppendRecord> records, std::span<AppendResult> results)
      : parts_(parts),
        records_(records),
        results_(results),
        before_(parts.durable),
        next_(before_ + 1),
        check_(parts.last_check),
        now_us_(parts.timeline.Now()),
        dead_lock_(parts.dead_mutex, std::defer_lock) {
    parts_.batch.Clear();
    parts_.stored.clear();
    parts_.inserted.clear();
  }

  // Results and batch for every record.
  StoreResult<void> Decide();
  StoreResult<void> Write();
  // What Decide put into the index.
  void TakeBack();

 private:
  void DecideOne(std::size_t i);
  // What would confirm `candidate` as a duplicate; nullopt where it is no longer in the log. The views live until
  // the next call.
  StoreResult<std::optional<Event>> ReadEarlier(Sequence candidate);
  // The error: what is kept beside `stored` cannot be read.
  StoreResult<void> DecideKnown(std::size_t i, Sequence stored, const Event& earlier, const Event& event);
  void Append(std::size_t i);
  StoreResult<void> CountRepeat(Sequence stored, const Event& event);
  StoreResult<AppendOutcome> KeepConflict(Sequence stored, const AppendRecord& newcomer, const Event& event);
  StoreResult<bool> Supersede(const Superseded& what);
  void PutRepeats();
  void CheckDecided() const;

  EventStore::Parts& parts_;
  const std::span<AppendRecord> records_;
  const std::span<AppendResult> results_;
  const Sequence before_;
  Sequence next_;
  std::uint64_t check_;
  const std::optional<std::int64_t> now_us_;  // in the store's time, if it has been told
  ReceivedSpan received_;
  std::int64_t window_us_max_ = 0;
  std::unique_lock<std::mutex> dead_lock_;
  std::int64_t malformed_ = 0;  // dead letters of kIngestSink, more or fewer
  std::int64_t conflicts_ = 0;
  std::int64_t conflict_bytes_ = 0;
  bool superseded_ = false;
  std::map<Sequence, Repeats> repeats_;
  std::set<std::string> kept_;  // keys of the group's conflicts
  rocksdb::PinnableSlice stored_record_;
  std::string salvaged_record_;
};

StoreResult<void> GroupCommit::Decide() {
  const bool removes =
      std::ranges::any_of(records_, [](const AppendRecord& r) { return r.instead_of.has_value(); });
  if (removes) dead_lock_.lock();  // what is there when it is looked for is there when it is removed
  const auto lock = parts_.index->Lock();
  if (auto room = parts_.index->MakeRoom(records_.size()); !room) return room;
  parts_.fingerprints.resize(records_.size());
  parts_.stored.reserve(records_.size());
  parts_.inserted.reserve(records_.size());  // an entry of the index is never without its place here
  for (std::size_t i = 0; i < records_.size(); ++i) {
    parts_.fingerprints[i] = parts_.FingerprintFor(IdentityOf({records_[i].record, records_[i].size}));
    if (i < kPrefetchAhead) parts_.index->Prefetch(parts_.fingerprints[i]);
  }
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (i + kPrefetchAhead < records_.size()) parts_.index->Prefetch(parts_.fingerprints[i + kPrefetchAhead]);
    DecideOne(i);
  }
  PutRepeats();
  CheckDecided();
  return {};
}

// What the rest of a commit, and its acks, build on.
void GroupCommit::CheckDecided() const {
  WEIR_CHECK_EQ(parts_.stored.size(), parts_.inserted.size());
  WEIR_CHECK_EQ(next_ - before_ - 1, parts_.stored.size());
  Sequence expected = before_;
  for (const std::size_t i : parts_.stored) {
    WEIR_CHECK_EQ(results_[i].outcome, AppendOutcome::kStored);
    WEIR_CHECK_EQ(results_[i].sequence, ++expected);
  }
  for (const AppendResult& result : results_) {
    const bool names_one = result.outcome == AppendOutcome::kDuplicate ||
                           result.outcome == AppendOutcome::kConflict ||
                           result.outcome == AppendOutcome::kConflictNotKept;
    if (!names_one) continue;
    WEIR_CHECK_GT(result.sequence, kNoSequence);
    WEIR_CHECK_LT(result.sequence, next_);  // of something in this group it is durable with it
  }
}

void GroupCommit::DecideOne(std::size_t i) {
  const AppendRecord& record = records_[i];
  parts_.candidates.clear();
  // Without a part of the index an id that is stored may look new.
  bool unreadable = !parts_.index->Candidates(parts_.fingerprints[i], parts_.candidates);
  Sequence unreadable_at = kNoSequence;
  std::sort(parts_.candidates.begin(), parts_.candidates.end(), std::greater<>());
  for (const Sequence candidate : parts_.candidates) {
    const Event event = Peek(record.record, record.size);
    const auto earlier = ReadEarlier(candidate);
    if (!earlier) {
      unreadable = true;
      unreadable_at = std::max(unreadable_at, candidate);
      continue;
    }
    if (!*earlier || (*earlier)->source != event.source || (*earlier)->id != event.id) continue;
    // The newest event with this id; an older one is only further out of the window.
    const std::int64_t age_us = now_us_.value_or(event.received_at_us) -
                                parts_.timeline.ReceivedAt(candidate, (*earlier)->received_at_us).latest_us;
    if (age_us > record.dedupe_window_us) break;
    if (DecideKnown(i, candidate, **earlier, event)) return;
    unreadable = true;
    unreadable_at = candidate;
    break;
  }
  if (unreadable) {
    results_[i] = {.outcome = AppendOutcome::kUnreadable, .sequence = unreadable_at};
    return;
  }
  if (record.instead_of) {
    const auto there = Supersede(*record.instead_of);
    if (!there || !*there) {
      results_[i] = {.outcome = there ? AppendOutcome::kSuperseded : AppendOutcome::kUnreadable,
                     .sequence = kNoSequence};
      return;
    }
  }
  Append(i);
}

StoreResult<std::optional<Event>> GroupCommit::ReadEarlier(Sequence candidate) {
  if (candidate > before_) {
    if (candidate >= next_) {
      return std::unexpected(StoreError{.code = StoreErrorCode::kCorruption,
                                        .message = "the dedupe index names event " +
                                                   std::to_string(candidate) + ", the log ends at " +
                                                   std::to_string(before_)});
    }
    const AppendRecord& mate = records_[parts_.stored[candidate - before_ - 1]];
    return Peek(mate.record, mate.size);
  }
  // Forgotten or lost: an answer that it is stored would send nobody to it.
  if (candidate < parts_.first || parts_.holes.Contains(candidate)) return std::nullopt;
  stored_record_.Reset();
  const rocksdb::Status status =
      parts_.rocks->db().Get(rocksdb::ReadOptions(), parts_.rocks->family(Family::kEvents),
                             ToSlice(SequenceKey(candidate).view()), &stored_record_);
  if (status.IsNotFound() && candidate < parts_.first) return std::nullopt;  // forgotten meanwhile
  if (status.ok()) {
    const auto decoded = Decode(ToView(stored_record_));
    if (decoded && decoded->sequence == candidate) return *decoded;
  }
  auto salvaged = parts_.SoundRecord(candidate);
  if (!salvaged) {
    parts_.health.Report(StoreTrouble::Part::kDamage, salvaged.error().message);
    return std::unexpected(salvaged.error());
  }
  salvaged_record_ = *std::move(salvaged);
  return Peek(salvaged_record_.data(), salvaged_record_.size());
}

StoreResult<void> GroupCommit::DecideKnown(std::size_t i, Sequence stored, const Event& earlier,
                                           const Event& event) {
  const AppendRecord& record = records_[i];
  results_[i] = {.outcome = AppendOutcome::kDuplicate, .sequence = stored};
  if (IsSame(earlier, event)) {
    if (!record.instead_of) return CountRepeat(stored, event);
    const auto there = Supersede(*record.instead_of);  // it is deliverable under that id already
    return there ? StoreResult<void>{} : std::unexpected(there.error());
  }
  results_[i].outcome = AppendOutcome::kConflict;
  if (!record.keep_conflict || record.instead_of) return {};
  const auto kept = KeepConflict(stored, record, event);
  if (!kept) return std::unexpected(kept.error());
  results_[i].outcome = *kept;
  return {};
}

// False when it is not there any more. Two records of one group never name the same thing: an operator's request
// is answered before the next one is taken.
StoreResult<bool> GroupCommit::Supersede(const Superseded& what) {
  const Family family = what.conflict ? Family::kConflicts : Family::kDead;
  const std::string key =
      what.conflict ? ConflictKey(what.sequence, *what.conflict) : DeadKey(kIngestSink, what.sequence);
  const auto value = parts_.rocks->Get(family, key);
  if (!value) return std::unexpected(value.error());
  if (!*value) return false;
  parts_.batch.Delete(parts_.rocks->family(family), key);
  superseded_ = true;
  if (what.conflict) {
    --conflicts_;
    conflict_bytes_ -= static_cast<std::int64_t>((*value)->size());
  } else {
    --malformed_;
  }
  return true;
}

void GroupCommit::Append(std::size_t i) {
  AppendRecord& record = records_[i];
  const Sequence sequence = next_++;
  check_ = Seal(record.record, record.size, sequence, check_, record.dedupe_window_us);
  parts_.batch.Put(parts_.rocks->family(Family::kEvents), ToSlice(SequenceKey(sequence).view()),
                   rocksdb::Slice(record.record, record.size));
  parts_.stored.push_back(i);
  parts_.inserted.push_back(parts_.index->Insert(parts_.fingerprints[i], sequence));
  results_[i] = {.outcome = AppendOutcome::kStored, .sequence = sequence};

  const Event event = Peek(record.record, record.size);
  received_.Add(now_us_.value_or(event.received_at_us));
  window_us_max_ = std::max(window_us_max_, record.dedupe_window_us);
  if (event.malformed.empty()) return;
  ++malformed_;
  const std::string key = DeadKey(kIngestSink, sequence);
  const DeadLetter letter{.sink = std::string(kIngestSink),
                          .sequence = sequence,
                          .died_at_us = event.received_at_us,
                          .attempts = 0,
                          .reason = "malformed: " + std::string(event.malformed),
                          .last_answer = {}};
  parts_.batch.Put(parts_.rocks->family(Family::kDead), key, EncodeDeadLetter(key, letter));
}

// Keeps the newcomer for the operator, once however often it is sent.
StoreResult<AppendOutcome> GroupCommit::KeepConflict(Sequence stored, const AppendRecord& newcomer,
                                                     const Event& event) {
  const std::string key = ConflictKey(stored, ConflictHashOf(event));
  if (kept_.contains(key)) return AppendOutcome::kConflict;
  const auto kept = parts_.rocks->Get(Family::kConflicts, key);
  if (!kept) return std::unexpected(kept.error());
  if (*kept) return AppendOutcome::kConflict;
  const std::uint64_t count = parts_.conflicts + static_cast<std::uint64_t>(conflicts_);
  const std::uint64_t bytes = parts_.conflict_bytes + static_cast<std::uint64_t>(conflict_bytes_);
  if (count >= limits::kConflictsMax || bytes + newcomer.size > limits::kConflictBytesMax) {
    return AppendOutcome::kConflictNotKept;
  }
  Seal(newcomer.record, newcomer.size, kNoSequence, 0, newcomer.dedupe_window_us);
  parts_.batch.Put(parts_.rocks->family(Family::kConflicts), key,
                   rocksdb::Slice(newcomer.record, newcomer.size));
  kept_.insert(key);
  ++conflicts_;
  conflict_bytes_ += static_cast<std::int64_t>(newcomer.size);
  return AppendOutcome::kConflict;
}

StoreResult<void> GroupCommit::CountRepeat(Sequence stored, const Event& event) {
  const auto [found, is_first] = repeats_.try_emplace(stored);
  if (is_first && stored <= before_) {
    const auto loaded = parts_.LoadRepeats(stored);
    // The count is for people; a damaged one begins anew and must not refuse anybody's request.
    if (!loaded && loaded.error().code != StoreErrorCode::kCorruption) return std::unexpected(loaded.error());
    if (loaded) found->second = *loaded;
  }
  Repeats& repeats = found->second;
  ++repeats.count;
  repeats.attempt = std::max(repeats.attempt, event.attempt);
  repeats.last_at_us = std::max(repeats.last_at_us, event.received_at_us);
  return {};
}

void GroupCommit::PutRepeats() {
  for (const auto& [stored, repeats] : repeats_) {
    const std::string key = RepeatsKey(stored);
    parts_.batch.Put(parts_.rocks->family(Family::kConflicts), key, EncodeRepeats(key, repeats));
  }
}

StoreResult<void> GroupCommit::Write() {
  if (parts_.batch.Count() == 0) return {};
  const bool only_repeats = parts_.stored.empty() && conflicts_ == 0 && !superseded_;
  rocksdb::WriteOptions write;
  write.sync = parts_.options.sync && !only_repeats;
  write.no_slowdown = true;  // a full memtable is answered 503 at once instead of blocking every request
  if (malformed_ != 0 && !dead_lock_) dead_lock_.lock();
  const auto written = parts_.rocks->Write(write, parts_.batch, "to commit");
  const auto lock = parts_.index->Lock();
  if (!written) {
    TakeBack();
    StoreError error = written.error();
    // Duplicates are durable whether they are counted or not.
    if (only_repeats && error.code == StoreErrorCode::kStalled) return {};
    // The bytes may be on disk or not, and a second sync could say yes to pages the kernel has already
    // dropped.
    if (error.code != StoreErrorCode::kStalled) parts_.health.Fail(error);
    return std::unexpected(std::move(error));
  }
  if (malformed_ != 0) parts_.dead_counts[std::string(kIngestSink)] += static_cast<std::uint64_t>(malformed_);
  parts_.conflicts += static_cast<std::uint64_t>(conflicts_);
  parts_.conflict_bytes += static_cast<std::uint64_t>(conflict_bytes_);
  if (parts_.stored.empty()) return {};
  parts_.index->Keep(next_ - 1, received_, window_us_max_);
  parts_.last_check = check_;
  if (before_ == kNoSequence) parts_.first = next_ - parts_.stored.size();
  WEIR_CHECK_EQ(parts_.durable.load(std::memory_order_relaxed), before_);
  WEIR_CHECK_GT(next_ - 1, before_);
  parts_.durable.store(next_ - 1, std::memory_order_release);
  parts_.high_water->Advanced();
  return {};
}

void GroupCommit::TakeBack() {
  WEIR_CHECK_LE(parts_.inserted.size(), parts_.stored.size());
  for (auto slot = parts_.inserted.rbegin(); slot != parts_.inserted.rend(); ++slot)
    parts_.index->Undo(*slot);
}

namespace {

// A commit that has begun waits for memory, and everybody with it: so it is asked for before. RocksDB takes each record
// once into a batch that doubles as it grows and once into a memtable, by blocks.
std::size_t MemoryFor(std::span<const AppendRecord> records) {
  constexpr std::size_t kTimesTaken = 3;
  constexpr std::size_t kBesides = 2u << 20;
  std::size_t bytes = kBesides;
  for (const AppendRecord& record : records) bytes += kTimesTaken * record.size;
  return bytes;
}

}  // namespace

StoreResult<void> EventStore::Commit(std::span<AppendRecord> records, std::span<AppendResult> results) {
  const MustHaveMemory here;
  WEIR_CHECK_EQ(records.size(), results.size());
  if (parts_->health.failed()) return std::unexpected(Refused());
  if (parts_->high_water->behind()) {
    return std::unexpected(StoreError{
        .code = StoreErrorCode::kStalled,
        .message =
            "the high-water record cannot be written: a loss of what is acknowledged could not be seen"});
  }
  if (!HasMemoryFor(MemoryFor(records))) {
    return std::unexpected(StoreError{StoreErrorCode::kStalled, "there is no memory to commit with"});
  }
  GroupCommit group(*parts_, records, results);
  if (auto decided = group.Decide(); !decided) return decided;
  return group.Write();
}

}  // namespace weir::storage
