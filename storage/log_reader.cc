#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/memory_shortage.h"

namespace weir::storage {
namespace {

// Enough that making an iterator, a few microseconds, does not show; small enough for one a worker.
constexpr std::size_t kChunkBytes = 256u << 10;

}  // namespace

// A copied stretch of the log and the place in it.
struct LogReader::Walk {
  EventStore::Parts& store;
  Sequence next;
  std::string chunk;               // records back to back
  std::vector<std::size_t> sizes;  // of the records in `chunk`
  std::size_t index = 0;
  std::size_t at = 0;

  StoreResult<void> Fill(Sequence last);
  StoreResult<void> FillDamaged();
  StoreError Missing() const {
    return {.code = StoreErrorCode::kDataLoss,
            .message = "event " + std::to_string(next) + " of the log is missing",
            .sequence = next};
  }
};

LogReader::LogReader(std::unique_ptr<Walk> walk) : walk_(std::move(walk)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

StoreResult<void> LogReader::Walk::Fill(Sequence last) {
  chunk.clear();
  sizes.clear();
  index = 0;
  at = 0;
  const MustHaveMemory here;
  rocksdb::ReadOptions read = InOrder();
  read.readahead_size = kChunkBytes;
  read.fill_cache = false;  // a scan would push out the blocks that dedupe confirms against
  const std::unique_ptr<rocksdb::Iterator> rows(
      store.rocks->db().NewIterator(read, store.rocks->family(Family::kEvents)));
  Sequence expected = next;
  for (rows->Seek(ToSlice(SequenceKey(next).view())); rows->Valid(); rows->Next()) {
    expected = store.holes.NextOutside(expected);
    const Sequence found = ParseSequenceKey(ToView(rows->key())).value_or(kNoSequence);
    if (found < expected) continue;  // in a hole: given up, though a table still has it
    if (found != expected) break;
    sizes.push_back(rows->value().size());
    chunk.append(ToView(rows->value()));
    if (expected == last || chunk.size() >= kChunkBytes) break;
    ++expected;
  }
  // What is in front of damage or a gap can be read; the next stretch begins there.
  if (!sizes.empty()) return {};
  // The iterator ends early on a damaged block and says so only in its status.
  if (rows->status().ok()) return std::unexpected(Missing());
  return FillDamaged();
}

// One record, by its own checksums.
StoreResult<void> LogReader::Walk::FillDamaged() {
  auto record = store.SoundRecord(next);
  if (!record && record.error().code == StoreErrorCode::kNotFound) return std::unexpected(Missing());
  if (!record) return std::unexpected(record.error());
  chunk = *std::move(record);
  sizes = {chunk.size()};
  index = 0;
  at = 0;
  return {};
}

StoreResult<std::optional<Event>> LogReader::Next() {
  Walk& walk = *walk_;
  if (walk.index == walk.sizes.size()) {
    const Sequence last = walk.store.durable.load(std::memory_order_acquire);
    if (walk.next > last) return std::nullopt;
    // Retention may have cut the log here since the last stretch was read, and may cut it while this one is.
    const auto pass_what_was_cut = [&walk] {
      const Sequence oldest = walk.store.first.load(std::memory_order_acquire);
      const bool was_cut = walk.next < oldest;
      if (was_cut) walk.next = oldest;
      return was_cut;
    };
    pass_what_was_cut();
    walk.next = walk.store.holes.NextOutside(walk.next);
    if (walk.next > last) return std::nullopt;
    auto filled = walk.Fill(last);
    while (!filled && pass_what_was_cut()) filled = walk.Fill(last);
    if (!filled) return std::unexpected(filled.error());
  }
  walk.next = walk.store.holes.NextOutside(walk.next);
  WEIR_CHECK_LT(walk.index, walk.sizes.size());
  WEIR_CHECK_LE(walk.at + walk.sizes[walk.index], walk.chunk.size());
  std::string_view record(walk.chunk.data() + walk.at, walk.sizes[walk.index]);
  auto event = Decode(record);
  if (!event || event->sequence != walk.next) {
    // Whole as a block and damaged all the same; what follows is read anew.
    if (auto filled = walk.FillDamaged(); !filled) return std::unexpected(filled.error());
    record = walk.chunk;
    event = Decode(record);
    WEIR_CHECK(event.has_value());
    WEIR_CHECK_EQ(event->sequence, walk.next);
  }
  walk.at += record.size();
  ++walk.index;
  ++walk.next;
  return *event;
}

LogReader EventStore::ReadFrom(Sequence first) const {
  const Sequence oldest = parts_->first.load(std::memory_order_acquire);
  return LogReader(std::make_unique<LogReader::Walk>(LogReader::Walk{
      .store = *parts_, .next = std::max<Sequence>({first, oldest, 1}), .chunk = {}, .sizes = {}}));
}

}  // namespace weir::storage
