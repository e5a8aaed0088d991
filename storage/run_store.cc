// A sealed run, version 1 (value_codec.h has the frame, keys.cc the keys):
//
//   header   entries:u64 block_bits:u32 base:u64 oldest_us:i64 newest_us:i64 filter_chunks:u32
//   block    packed:text          packed := { fingerprint:u64 sequence - base:u32 }, ascending
//   filter   bytes:text           the filter's bytes, in chunks of 64 KiB
//   state    through:u64 next_run:u64 window_us_max:i64 [entries:u64]     (version 2; 1 has no entries)
//
// Block b of a run holds the fingerprints whose upper `block_bits` bits are b. Fingerprints are uniform, so a
// block holds about 256 of them and is found by arithmetic: a lookup is one cache line of the filter and, if
// that says maybe, one Get.
//
// Why entries are packed instead of being keys of their own: a put of a 16-byte random key into a memtable
// costs more than storing the event. Written in bulk as sorted files and ingested, it is cheap to write (0.1
// us an entry), but a miss then costs a Get of 0.25 us + 0.1 us a run (1.3 us at 8 runs: two thirds of a
// whole commit), merging is the compaction of random keys on the core that commits, and each ingestion holds
// the write lock for 1.1 ms. Here a miss is a few nanoseconds a run, merging is a linear pass over packed
// arrays, RocksDB sees one ascending key per 256 events, and a run and the mark that covers it are one batch
// of the same log as the events.
#include "storage/run_store.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "storage/check.h"
#include "storage/keys.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kStateVersion = 2;
constexpr std::size_t kEntriesPerBlock = 256;
constexpr std::size_t kEntryBytes = 12;
constexpr std::size_t kFilterChunkBytes = 64u << 10;
constexpr std::size_t kBatchBytes =
    128u << 10;  // a batch holds up the committer's next one for as long as it writes

std::uint32_t BlockOf(Fingerprint fingerprint, std::uint32_t block_bits) {
  return block_bits == 0 ? 0 : static_cast<std::uint32_t>(fingerprint >> (64 - block_bits));
}

DedupeTable::Entry EntryAt(std::string_view packed, std::size_t index, Sequence base) {
  const char* at = packed.data() + index * kEntryBytes;
  return {.fingerprint = LoadLittle<std::uint64_t>(at), .sequence = base + LoadLittle<std::uint32_t>(at + 8)};
}

StoreError Damaged(std::string_view what) {
  return {StoreErrorCode::kCorruption, "a " + std::string(what) + " of the dedupe index fails its checksum"};
}

// Which run a key of any kind belongs to.
std::optional<std::uint64_t> RunOf(std::string_view key) {
  if (key.size() < sizeof(std::uint64_t)) return std::nullopt;
  return LoadBig64(key);
}

// nullopt: not what it should be.
std::optional<std::string_view> OpenPacked(std::string_view key, std::string_view value) {
  auto reader = ValueReader::Open(key, value);
  if (!reader || reader->version() != kVersion) return std::nullopt;
  const std::string_view packed = reader->Text();
  if (!reader->Complete()) return std::nullopt;
  return packed;
}

std::string RunEndKey(std::uint64_t number) {
  return RunHeaderKey(number + 1);
}

void PutStateInto(rocksdb::WriteBatch& updates, const Rocks& rocks, const DedupeState& state) {
  ValueWriter writer(kStateVersion);
  writer.U64(state.through).U64(state.next_run).I64(state.window_us_max).U64(state.entries.value_or(0));
  updates.Put(rocks.family(Family::kMeta), ToSlice(kDedupeStateKey),
              std::move(writer).Finish(kDedupeStateKey));
}

}  // namespace

StoreResult<DedupeState> RunStore::LoadState() const {
  const auto value = rocks_.Get(Family::kMeta, kDedupeStateKey);
  if (!value) return std::unexpected(value.error());
  if (!*value) return DedupeState{};
  auto reader = ValueReader::Open(kDedupeStateKey, **value);
  if (!reader || reader->version() > kStateVersion) return std::unexpected(Damaged("state"));
  DedupeState state;
  state.through = reader->U64();
  state.next_run = reader->U64();
  state.window_us_max = reader->I64();
  if (reader->version() == kStateVersion) state.entries = reader->U64();
  if (!reader->Complete()) return std::unexpected(Damaged("state"));
  return state;
}

StoreResult<std::vector<std::shared_ptr<const DedupeRun>>> RunStore::LoadRuns() const {
  std::vector<std::shared_ptr<const DedupeRun>> runs;
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks_.db().NewIterator(rocksdb::ReadOptions(), rocks_.family(Family::kDedupe)));
  for (rows->SeekToFirst(); rows->Valid();) {
    const auto number = RunOf(ToView(rows->key()));
    if (!number) return std::unexpected(Damaged("key"));
    if (ToView(rows->key()).size() == sizeof *number) {
      auto run = LoadRun(*number, ToView(rows->key()), ToView(rows->value()));
      if (!run) return std::unexpected(run.error());
      runs.push_back(std::make_shared<const DedupeRun>(*std::move(run)));
    }
    rows->Seek(RunEndKey(*number));
  }
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the dedupe index"));
  return runs;
}

StoreResult<DedupeRun> RunStore::LoadRun(std::uint64_t number, std::string_view key,
                                         std::string_view header) const {
  auto reader = ValueReader::Open(key, header);
  if (!reader || reader->version() != kVersion) return std::unexpected(Damaged("run's header"));
  DedupeRun run;
  run.number = number;
  run.entries = reader->U64();
  run.block_bits = reader->U32();
  run.base = reader->U64();
  run.received.oldest_us = reader->I64();
  run.received.newest_us = reader->I64();
  const std::uint32_t chunks = reader->U32();
  if (!reader->Complete()) return std::unexpected(Damaged("run's header"));
  std::string filter;
  for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) {
    const std::string chunk_key = RunFilterKey(number, chunk);
    const auto value = rocks_.Get(Family::kDedupe, chunk_key);
    if (!value) return std::unexpected(value.error());
    const auto bytes = *value ? OpenPacked(chunk_key, **value) : std::nullopt;
    if (!bytes) return std::unexpected(Damaged("run's filter"));
    filter.append(*bytes);
  }
  run.filter = DedupeFilter::FromBytes(filter);
  return run;
}

StoreResult<void> RunStore::RemoveOrphans(const std::vector<std::shared_ptr<const DedupeRun>>& runs) {
  rocksdb::WriteBatch updates;
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks_.db().NewIterator(rocksdb::ReadOptions(), rocks_.family(Family::kDedupe)));
  for (rows->SeekToFirst(); rows->Valid();) {
    const auto number = RunOf(ToView(rows->key()));
    if (!number) return std::unexpected(Damaged("key"));
    if (std::none_of(runs.begin(), runs.end(), [&](const auto& run) { return run->number == *number; })) {
      updates.DeleteRange(rocks_.family(Family::kDedupe), RunHeaderKey(*number), RunEndKey(*number));
    }
    rows->Seek(RunEndKey(*number));
  }
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the dedupe index"));
  return Write(updates);
}

StoreResult<void> RunStore::Lookup(const DedupeRun& run, Fingerprint fingerprint,
                                   std::vector<Sequence>& into) const {
  const std::string key = RunBlockKey(run.number, BlockOf(fingerprint, run.block_bits));
  const auto value = rocks_.Get(Family::kDedupe, key);
  if (!value) return std::unexpected(value.error());
  if (!*value) return {};
  const auto packed = OpenPacked(key, **value);
  if (!packed || packed->size() % kEntryBytes != 0) return std::unexpected(Damaged("block"));
  std::size_t low = 0;
  std::size_t high = packed->size() / kEntryBytes;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (EntryAt(*packed, middle, run.base).fingerprint < fingerprint) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < packed->size() / kEntryBytes; ++low) {
    const DedupeTable::Entry entry = EntryAt(*packed, low, run.base);
    if (entry.fingerprint != fingerprint) break;
    into.push_back(entry.sequence);
  }
  return {};
}

StoreResult<void> RunStore::Publish(const DedupeRun& run, const DedupeState& state,
                                    const std::vector<std::shared_ptr<const DedupeRun>>& replaced) {
  WEIR_CHECK_LT(run.number, state.next_run);
  for (const auto& old : replaced) WEIR_CHECK_LT(old->number, run.number);
  rocksdb::WriteBatch updates;
  rocksdb::ColumnFamilyHandle* family = rocks_.family(Family::kDedupe);
  std::uint32_t chunks = 0;
  for (std::string_view rest = run.filter.bytes(); !rest.empty(); ++chunks) {
    const std::string_view bytes = rest.substr(0, kFilterChunkBytes);
    rest.remove_prefix(bytes.size());
    const std::string key = RunFilterKey(run.number, chunks);
    ValueWriter writer(kVersion);
    writer.Text(bytes);
    updates.Put(family, key, std::move(writer).Finish(key));
    if (updates.GetDataSize() < kBatchBytes) continue;
    if (auto written = Write(updates); !written) return written;
  }
  const std::string key = RunHeaderKey(run.number);
  ValueWriter writer(kVersion);
  writer.U64(run.entries).U32(run.block_bits).U64(run.base);
  writer.I64(run.received.oldest_us).I64(run.received.newest_us).U32(chunks);
  updates.Put(family, key, std::move(writer).Finish(key));
  for (const auto& old : replaced) updates.Delete(family, RunHeaderKey(old->number));
  PutStateInto(updates, rocks_, state);
  return Write(updates);
}

StoreResult<void> RunStore::PutState(const DedupeState& state,
                                     const std::vector<std::shared_ptr<const DedupeRun>>& dropped) {
  rocksdb::WriteBatch updates;
  for (const auto& run : dropped) updates.Delete(rocks_.family(Family::kDedupe), RunHeaderKey(run->number));
  PutStateInto(updates, rocks_, state);
  return Write(updates);
}

StoreResult<void> RunStore::RemoveBlocks(const DedupeRun& run) {
  rocksdb::WriteBatch updates;
  updates.DeleteRange(rocks_.family(Family::kDedupe), RunHeaderKey(run.number), RunEndKey(run.number));
  return Write(updates);
}

// Without a sync: everything here can be derived from the log again, and the log's order keeps it a prefix.
StoreResult<void> RunStore::Write(rocksdb::WriteBatch& updates) {
  if (updates.Count() == 0) return {};
  auto written = rocks_.Write(rocksdb::WriteOptions(), updates, "to write the dedupe index");
  updates.Clear();
  return written;
}

StoreResult<void> RunWriter::CheckRoom(const std::vector<std::shared_ptr<const DedupeRun>>& parts,
                                       std::int64_t bytes) {
  constexpr std::uint64_t kTimesWritten = 2;  // to the log, and to tables from there
  std::uint64_t entries = 0;
  for (const auto& part : parts) entries += part->entries;
  const std::uint64_t needed = kTimesWritten * (entries * kEntryBytes + DedupeFilter::BytesFor(entries));
  if (static_cast<std::int64_t>(needed) <= bytes) return {};
  return std::unexpected(StoreError{
      StoreErrorCode::kStalled, "runs of the dedupe index wait to be merged until the disk has room for " +
                                    std::to_string(needed) + " bytes more"});
}

RunWriter::RunWriter(RunStore& store, std::uint64_t number, std::uint64_t entries, Sequence base,
                     bool with_filter)
    : store_(store) {
  WEIR_CHECK_GT(entries, 0u);
  run_.number = number;
  run_.entries = entries;
  run_.base = base;
  const std::uint64_t blocks = std::bit_ceil(std::max<std::uint64_t>(entries / kEntriesPerBlock, 1));
  run_.block_bits = static_cast<std::uint32_t>(std::bit_width(blocks) - 1);
  WEIR_CHECK_LE(run_.block_bits, 32u);
  if (with_filter) run_.filter = DedupeFilter(entries);
}

StoreResult<void> RunWriter::Add(const DedupeTable::Entry& entry) {
  const std::uint32_t block = BlockOf(entry.fingerprint, run_.block_bits);
  WEIR_CHECK_GE(block, block_);
  WEIR_CHECK_GE(entry.sequence, run_.base);
  WEIR_CHECK_LT(added_, run_.entries);
  if (block != block_) {
    if (auto ended = EndBlock(); !ended) return ended;
    block_ = block;
  }
  const Sequence distance = entry.sequence - run_.base;
  WEIR_CHECK_LE(distance, UINT32_MAX);
  AppendLittle(packed_, entry.fingerprint);
  AppendLittle(packed_, static_cast<std::uint32_t>(distance));
  if (!run_.filter.bytes().empty()) run_.filter.Add(entry.fingerprint);
  ++added_;
  return {};
}

StoreResult<void> RunWriter::EndBlock() {
  if (packed_.empty()) return {};
  const std::string key = RunBlockKey(run_.number, block_);
  ValueWriter writer(kVersion);
  writer.Text(packed_);
  packed_.clear();
  batch_.Put(store_.rocks_.family(Family::kDedupe), key, std::move(writer).Finish(key));
  return batch_.GetDataSize() < kBatchBytes ? StoreResult<void>{} : store_.Write(batch_);
}

StoreResult<DedupeRun> RunWriter::Finish(const ReceivedSpan& received) {
  WEIR_CHECK_EQ(added_, run_.entries);
  run_.received = received;
  if (auto ended = EndBlock(); !ended) return std::unexpected(ended.error());
  if (auto written = store_.Write(batch_); !written) return std::unexpected(written.error());
  return std::move(run_);
}

RunCursor::RunCursor(const RunStore& store, std::shared_ptr<const DedupeRun> run)
    : run_(std::move(run)), end_key_(RunFilterKey(run_->number, 0)), end_(end_key_) {
  rocksdb::ReadOptions read = InOrder();
  read.iterate_upper_bound = &end_;
  read.fill_cache = false;
  rows_.reset(store.rocks_.db().NewIterator(read, store.rocks_.family(Family::kDedupe)));
  rows_->Seek(RunBlockKey(run_->number, 0));
}

StoreResult<std::optional<DedupeTable::Entry>> RunCursor::Peek() {
  while (index_ == block_.size()) {
    block_.clear();
    index_ = 0;
    if (!rows_->Valid()) {
      if (!rows_->status().ok())
        return std::unexpected(ErrorFrom(rows_->status(), "to read the dedupe index"));
      return std::nullopt;
    }
    const auto packed = OpenPacked(ToView(rows_->key()), ToView(rows_->value()));
    if (!packed || packed->size() % kEntryBytes != 0) return std::unexpected(Damaged("block"));
    for (std::size_t i = 0; i < packed->size() / kEntryBytes; ++i) {
      block_.push_back(EntryAt(*packed, i, run_->base));
    }
    rows_->Next();
  }
  return block_[index_];
}

}  // namespace weir::storage
