#include "storage/dedupe_index.h"

#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/dedupe_merge.h"
#include "storage/start_thread.h"

namespace weir::storage {
StoreResult<std::unique_ptr<DedupeIndex>> DedupeIndex::Open(Rocks& rocks, const Options& options) {
  std::unique_ptr<DedupeIndex> index(new DedupeIndex(rocks, options));
  auto state = index->store_.LoadState();
  auto runs = state ? index->store_.LoadRuns() : std::unexpected(state.error());
  if (!runs) {
    if (options.health != nullptr) {
      options.health->Report(StoreTrouble::Part::kDedupe,
                             runs.error().message + "; it is made anew from the log");
    }
    index->lost_ = true;
    return index;
  }
  index->state_ = *state;
  index->kept_through_ = state->through;
  index->window_us_max_ = state->window_us_max;
  index->runs_ = *std::move(runs);
  const std::uint64_t entries = index->EntriesSealed();
  index->runs_missing_ = index->state_.entries.value_or(entries) != entries;
  index->state_.entries = entries;
  if (!options.read_only) {
    if (auto removed = index->store_.RemoveOrphans(index->runs_); !removed)
      return std::unexpected(removed.error());
  }
  return index;
}

DedupeIndex::DedupeIndex(Rocks& rocks, const Options& options) : options_(options), store_(rocks) {}

DedupeIndex::~DedupeIndex() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void DedupeIndex::ExpectTail(std::uint64_t count) {
  head_ = std::make_unique<DedupeTable>(std::max<std::uint64_t>(count, options_.head_events));
  WEIR_CHECK_GE(head_->room(), count);
}

StoreResult<void> DedupeIndex::ForgetRuns() {
  state_.through = kNoSequence;
  state_.entries = 0;
  kept_through_ = kNoSequence;
  runs_.clear();
  if (auto cleared = store_.Clear(); !cleared) return cleared;
  if (auto put = store_.PutState(state_, {}); !put) return put;
  if (options_.health != nullptr) options_.health->Over(StoreTrouble::Part::kDedupe);
  return {};
}

StoreResult<void> DedupeIndex::SealWhenFull() {
  if (!head_->full()) return {};
  Freeze();
  head_ = std::make_unique<DedupeTable>(options_.head_events);
  const std::shared_ptr<const Frozen> frozen = frozen_.front();
  return SealOne(*frozen);
}

std::expected<void, std::string> DedupeIndex::StartSealing() {
  auto thread = StartThread("dedupe", [this](const std::stop_token& stop) { Run(stop); });
  if (!thread) return std::unexpected(thread.error());
  thread_ = std::move(*thread);
  return {};
}

void DedupeIndex::Close() {
  {
    const std::scoped_lock lock(mutex_);
    if (head_->size() >= limits::kDedupeSealAtCloseMin) Freeze();
  }
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void DedupeIndex::Prefetch(Fingerprint fingerprint) const {
  head_->Prefetch(fingerprint);
  for (const auto& frozen : frozen_) frozen->table->Prefetch(fingerprint);
  for (const RunPointer& run : runs_) run->filter.Prefetch(fingerprint);
}

StoreResult<void> DedupeIndex::Candidates(Fingerprint fingerprint, std::vector<Sequence>& into) const {
  StoreResult<void> complete;
  const auto add = [&into](Sequence sequence) { into.push_back(sequence); };
  head_->ForEach(fingerprint, add);
  for (const auto& frozen : frozen_) frozen->table->ForEach(fingerprint, add);
  for (const RunPointer& run : runs_) {
    if (!run->filter.MayContain(fingerprint)) continue;
    if (auto found = store_.Lookup(*run, fingerprint, into); !found) {
      MarkDamaged(*run, found.error());
      complete = std::move(found);
    }
  }
  return complete;
}

void DedupeIndex::MarkDamaged(const DedupeRun& run, const StoreError& error) const {
  if (!damaged_.insert(run.number).second) return;
  if (options_.health != nullptr) {
    options_.health->Report(
        StoreTrouble::Part::kDedupe,
        "a run of the dedupe index cannot be read (" + error.message + "); it is made anew from the log");
  }
  work_.notify_one();
}

StoreResult<void> DedupeIndex::MakeRoom(std::size_t count) {
  if (head_->room() >= count) return {};
  if (frozen_.size() >= limits::kDedupeFrozenHeadsMax) {
    return std::unexpected(StoreError{StoreErrorCode::kStalled, "sealing the dedupe index is behind"});
  }
  if (head_->size() > 0) Freeze();
  head_ = spare_ ? std::move(spare_) : nullptr;
  // A group may be larger than a head of a small configuration.
  if (!head_ || head_->room() < count) {
    head_ = std::make_unique<DedupeTable>(std::max(count, options_.head_events));
  }
  WEIR_CHECK_GE(head_->room(), count);
  return {};
}

std::size_t DedupeIndex::Insert(Fingerprint fingerprint, Sequence sequence) {
  return head_->Insert(fingerprint, sequence);
}

void DedupeIndex::Undo(std::size_t slot) {
  head_->Undo(slot);
}

void DedupeIndex::Keep(Sequence last, const ReceivedSpan& received, std::int64_t window_us) {
  WEIR_CHECK_GT(last, kept_through_);
  kept_through_ = last;
  head_received_.Add(received);
  if (window_us > window_us_max_.load(std::memory_order_relaxed)) window_us_max_ = window_us;
}

// Under the lock. The head must not hold inserts that may still be undone.
void DedupeIndex::Freeze() {
  WEIR_CHECK(head_ != nullptr);
  WEIR_CHECK_GT(head_->size(), 0u);
  auto frozen = std::make_shared<Frozen>();
  frozen->table = std::move(head_);
  frozen->through = kept_through_;
  frozen->received = std::exchange(head_received_, {});
  frozen_.push_back(std::move(frozen));
  work_.notify_one();
}

DedupeIndex::Size DedupeIndex::MeasureSize() const {
  const std::scoped_lock lock(mutex_);
  Size size;
  if (head_) size.entries_in_memory = head_->size();
  for (const auto& frozen : frozen_) size.entries_in_memory += frozen->table->size();
  for (const RunPointer& run : runs_) {
    size.entries_sealed += run->entries;
    size.filter_bytes += run->filter.bytes().size();
  }
  size.runs = runs_.size();
  return size;
}

void DedupeIndex::Run(const std::stop_token& stop) {
  bool left = false;  // something could not be done, and is tried again
  while (true) {
    std::shared_ptr<const Frozen> frozen;
    RunPointer damaged;
    {
      std::unique_lock lock(mutex_);
      if (!spare_ && !stop.stop_requested()) {
        lock.unlock();
        auto table = std::make_unique<DedupeTable>(options_.head_events);
        lock.lock();
        spare_ = std::move(table);
      }
      work_.wait(lock, stop, [&] { return left || !frozen_.empty() || !damaged_.empty(); });
      if (!frozen_.empty()) frozen = frozen_.front();
      if (stop.stop_requested() && !frozen) return;
      if (!damaged_.empty()) {
        const auto found = std::ranges::find_if(
            runs_, [this](const RunPointer& run) { return run->number == *damaged_.begin(); });
        if (found != runs_.end()) damaged = *found;
        if (!damaged) damaged_.erase(damaged_.begin());
      }
    }
    const auto done = WorkOnce(frozen, damaged, stop);
    left = !done;
    if (done && options_.health != nullptr) {
      const std::scoped_lock lock(mutex_);
      if (damaged_.empty()) options_.health->Over(StoreTrouble::Part::kDedupe);
    }
    if (done) continue;
    // The frozen tables stay and are looked at; commits stall when there is no room for another.
    if (options_.health != nullptr)
      options_.health->Report(StoreTrouble::Part::kDedupe, done.error().message);
    if (stop.stop_requested()) return;
    std::unique_lock lock(mutex_);
    work_.wait_for(lock, stop, limits::kDedupeRetryEvery, [] { return false; });
  }
}

StoreResult<void> DedupeIndex::WorkOnce(const std::shared_ptr<const Frozen>& frozen,
                                        const RunPointer& damaged, const std::stop_token& stop) {
  if (frozen) {
    if (auto sealed = SealOne(*frozen); !sealed) return sealed;
  }
  if (damaged && !stop.stop_requested()) {
    if (auto derived = Rederive(damaged); !derived) return derived;
  }
  while (!stop.stop_requested()) {
    const auto merged = MergeOnce();
    if (!merged) return std::unexpected(merged.error());
    if (!*merged) break;
  }
  return {};
}

void DedupeIndex::DoWithout(Sequence through) {
  state_.through = kept_through_ = through;
}

StoreResult<void> DedupeIndex::Rederive(const RunPointer& damaged) {
  auto runs = ReadRuns(damaged->base, EndOf(*damaged));
  if (!runs) return std::unexpected(runs.error());
  for (const auto& [run, through] : *runs) {
    if (auto published = store_.Publish(*run, state_, {}); !published) return published;
    const std::scoped_lock lock(mutex_);
    runs_.push_back(run);
  }
  const std::uint64_t sealed = EntriesSealed();
  WEIR_CHECK_GE(sealed, damaged->entries);
  state_.entries = sealed - damaged->entries;
  if (auto put = store_.PutState(state_, {damaged}); !put) return put;
  {
    const std::scoped_lock lock(mutex_);
    damaged_.erase(damaged->number);
  }
  return Swap({damaged}, nullptr);
}

Sequence DedupeIndex::EndOf(const DedupeRun& run) const {
  const std::scoped_lock lock(mutex_);
  Sequence end = state_.through;
  for (const RunPointer& other : runs_) {
    if (other->base > run.base) end = std::min(end, other->base - 1);
  }
  return end - run.base + 1 == run.entries ? end : state_.through;
}

StoreResult<std::vector<DedupeIndex::Derived>> DedupeIndex::ReadRuns(Sequence first, Sequence last) {
  std::vector<Derived> runs;
  std::vector<DedupeTable::Entry> entries;
  Sequence through = kNoSequence;
  ReceivedSpan received;
  const auto write = [&]() -> StoreResult<void> {
    auto run = WriteSorted(std::exchange(entries, {}), std::exchange(received, {}));
    if (!run) return std::unexpected(run.error());
    runs.push_back({.run = std::make_shared<const DedupeRun>(*std::move(run)), .through = through});
    return {};
  };
  const auto read = options_.read_log(first, last, [&](const Indexed& event) -> StoreResult<void> {
    entries.push_back({.fingerprint = event.fingerprint, .sequence = event.sequence});
    through = event.sequence;
    received.Add(event.received_at_us);
    if (event.window_us > window_us_max()) window_us_max_ = event.window_us;
    return entries.size() < options_.head_events ? StoreResult<void>{} : write();
  });
  if (!read) return std::unexpected(read.error());
  state_.window_us_max = window_us_max();
  if (!entries.empty()) {
    if (auto written = write(); !written) return std::unexpected(written.error());
  }
  return runs;
}

StoreResult<DedupeRun> DedupeIndex::WriteSorted(std::vector<DedupeTable::Entry> entries,
                                                const ReceivedSpan& received) {
  WEIR_CHECK(!entries.empty());
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.fingerprint < b.fingerprint; });
  const Sequence base = std::ranges::min(entries, {}, &DedupeTable::Entry::sequence).sequence;
  RunWriter writer(store_, state_.next_run++, entries.size(), base, FilterFits(entries.size()));
  for (const DedupeTable::Entry& entry : entries) {
    if (auto added = writer.Add(entry); !added) return std::unexpected(added.error());
  }
  return writer.Finish(received);
}

StoreResult<void> DedupeIndex::SealOne(const Frozen& frozen) {
  state_.window_us_max = window_us_max();
  if (auto dropped = DropExpired(frozen.received.newest_us); !dropped) return dropped;
  auto run = WriteSorted(frozen.table->Entries(), frozen.received);
  if (!run) return std::unexpected(run.error());
  WEIR_CHECK_EQ(run->entries, frozen.table->size());
  WEIR_CHECK_GT(frozen.through, state_.through);
  state_.through = frozen.through;
  state_.entries = EntriesSealed() + run->entries;
  if (auto published = store_.Publish(*run, state_, {}); !published) return published;
  const std::scoped_lock lock(mutex_);
  runs_.push_back(std::make_shared<const DedupeRun>(*std::move(run)));
  WEIR_CHECK_EQ(frozen_.front().get(), &frozen);
  frozen_.pop_front();
  return {};
}

StoreResult<void> DedupeIndex::DropExpired(std::int64_t newest_us) {
  std::vector<RunPointer> expired;
  {
    const std::scoped_lock lock(mutex_);
    for (const RunPointer& run : runs_) {
      if (newest_us - run->received.newest_us > state_.window_us_max) expired.push_back(run);
    }
  }
  if (expired.empty()) return {};
  std::uint64_t left = EntriesSealed();
  for (const RunPointer& run : expired) {
    WEIR_CHECK_GE(left, run->entries);
    left -= run->entries;
  }
  state_.entries = left;
  if (auto put = store_.PutState(state_, expired); !put) return put;
  return Swap(expired, nullptr);
}

std::vector<DedupeIndex::RunPointer> DedupeIndex::ReadableRuns() const {
  const std::scoped_lock lock(mutex_);
  std::vector<RunPointer> runs;
  std::ranges::copy_if(runs_, std::back_inserter(runs),
                       [this](const RunPointer& run) { return !damaged_.contains(run->number); });
  return runs;
}

StoreResult<bool> DedupeIndex::MergeOnce() {
  const std::vector<RunPointer> parts = ChooseMerge(ReadableRuns(), state_, options_.head_events);
  if (parts.empty()) return false;
  if (options_.merge_bytes != nullptr) {
    if (auto room = RunWriter::CheckRoom(parts, *options_.merge_bytes); !room)
      return std::unexpected(room.error());
  }
  auto merged = WriteMerged(parts);
  if (!merged) return std::unexpected(merged.error());
  if (auto published = store_.Publish(*merged, state_, parts); !published)
    return std::unexpected(published.error());
  if (auto swapped = Swap(parts, std::make_shared<const DedupeRun>(*std::move(merged))); !swapped) {
    return std::unexpected(swapped.error());
  }
  return true;
}

StoreResult<DedupeRun> DedupeIndex::WriteMerged(const std::vector<RunPointer>& parts) {
  WEIR_CHECK_GT(parts.size(), 1u);
  std::uint64_t entries = 0;
  Sequence base = parts[0]->base;
  ReceivedSpan received;
  std::deque<RunCursor> cursors;
  for (const RunPointer& part : parts) {
    entries += part->entries;
    base = std::min(base, part->base);
    received.Add(part->received);
    cursors.emplace_back(store_, part);
  }
  RunWriter writer(store_, state_.next_run++, entries, base, FilterFits(entries));
  while (true) {
    RunCursor* smallest = nullptr;
    DedupeTable::Entry least;
    for (RunCursor& cursor : cursors) {
      const auto entry = cursor.Peek();
      if (!entry) {
        const std::scoped_lock lock(mutex_);
        MarkDamaged(cursor.run(), entry.error());
        return std::unexpected(entry.error());
      }
      if (*entry && (smallest == nullptr || (*entry)->fingerprint < least.fingerprint)) {
        smallest = &cursor;
        least = **entry;
      }
    }
    if (smallest == nullptr) break;
    if (auto added = writer.Add(least); !added) return std::unexpected(added.error());
    smallest->Take();
  }
  return writer.Finish(received);
}

StoreResult<void> DedupeIndex::Swap(const std::vector<RunPointer>& replaced, RunPointer added) {
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(runs_, [&](const RunPointer& run) {
      return std::find(replaced.begin(), replaced.end(), run) != replaced.end();
    });
    if (added) runs_.push_back(std::move(added));
  }
  // Only now: whoever held the lock may have been reading these blocks.
  for (const RunPointer& run : replaced) {
    if (auto removed = store_.RemoveBlocks(*run); !removed) return removed;
  }
  return {};
}

std::uint64_t DedupeIndex::EntriesSealed() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t entries = 0;
  for (const RunPointer& run : runs_) entries += run->entries;
  return entries;
}

bool DedupeIndex::FilterFits(std::uint64_t entries) const {
  return MeasureSize().filter_bytes + DedupeFilter::BytesFor(entries) <= options_.filter_bytes_max;
}

}  // namespace weir::storage
