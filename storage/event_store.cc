#include "storage/event_store.h"

#include <sys/random.h>

#include <cstring>
#include <system_error>
#include <utility>

#include "storage/event_codec.h"
#include "storage/event_store_parts.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kFormatVersion = 1;
constexpr std::uint32_t kPartitions = 1;

std::filesystem::path DatabaseFolder(const StoreOptions& options) {
  return options.directory / "store";
}
std::filesystem::path HighWaterFile(const StoreOptions& options) {
  return options.directory / "high-water";
}

std::unexpected<StoreError> Fail(StoreErrorCode code, std::string message) {
  return std::unexpected(StoreError{code, std::move(message)});
}

bool FillRandom(void* into, std::size_t size) {
  return getrandom(into, size, 0) == static_cast<ssize_t>(size);
}

}  // namespace

EventStore::EventStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

StoreResult<std::unique_ptr<EventStore>> EventStore::Open(const StoreOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  if (auto opened = parts->OpenDatabase(); !opened) return std::unexpected(opened.error());
  if (auto audited = parts->AuditLog(); !audited) return std::unexpected(audited.error());
  if (auto loaded = parts->LoadDeadCounts(); !loaded) return std::unexpected(loaded.error());
  if (!options.read_only) {
    if (auto started = parts->StartHighWater(); !started) return std::unexpected(started.error());
  }
  return std::unique_ptr<EventStore>(new EventStore(std::move(parts)));
}

EventStore::~EventStore() {
  if (!parts_ || parts_->options.read_only) return;
  if (!parts_->failed && parts_->rocks->db().SyncWAL().ok()) {
    (void)parts_->high_water->Close(parts_->durable);
  }
}

StoreResult<void> EventStore::Parts::OpenDatabase() {
  std::error_code error;
  const std::filesystem::path folder = DatabaseFolder(options);
  const bool exists = std::filesystem::exists(folder, error);
  if (!exists && (options.read_only || !options.create_if_missing)) {
    return Fail(StoreErrorCode::kFormat, "there is no store in " + options.directory.string());
  }
  std::filesystem::create_directories(options.directory, error);
  if (error)
    return Fail(StoreErrorCode::kIo, "cannot create " + options.directory.string() + ": " + error.message());
  auto taken = DirectoryLock::Take(
      options.directory, options.read_only ? DirectoryLock::Mode::kShared : DirectoryLock::Mode::kExclusive);
  if (!taken) return Fail(StoreErrorCode::kIo, taken.error());
  if (!*taken) {
    return Fail(StoreErrorCode::kLocked,
                "another process has the store in " + options.directory.string() + " open");
  }
  lock = std::move(*taken);
  auto opened = Rocks::Open(folder, options, !exists);
  if (!opened) return std::unexpected(opened.error());
  rocks = *std::move(opened);
  return LoadFormat(!exists);
}

StoreResult<void> EventStore::Parts::LoadFormat(bool created) {
  if (created) {
    if (!FillRandom(&store_id, sizeof store_id) || !FillRandom(secret.data(), secret.size())) {
      return Fail(StoreErrorCode::kIo, "the kernel has no random numbers");
    }
    rocksdb::WriteBatch updates;
    ValueWriter writer(kFormatVersion);
    writer.U32(kPartitions).U64(store_id).Text({secret.data(), secret.size()});
    updates.Put(rocks->family(Family::kMeta), ToSlice(kFormatKey), std::move(writer).Finish(kFormatKey));
    return Write(updates, true, "to create the store");
  }
  const auto value = rocks->Get(Family::kMeta, kFormatKey);
  if (!value) return std::unexpected(value.error());
  if (!*value) return Fail(StoreErrorCode::kFormat, options.directory.string() + " is not a weir store");
  auto reader = ValueReader::Open(kFormatKey, **value);
  if (!reader) return Fail(StoreErrorCode::kCorruption, "the store's format record fails its checksum");
  if (reader->version() != kFormatVersion) {
    return Fail(StoreErrorCode::kFormat, "the store has format " + std::to_string(reader->version()) +
                                             "; this build reads format " + std::to_string(kFormatVersion));
  }
  const std::uint32_t partitions = reader->U32();
  store_id = reader->U64();
  const std::string_view stored_secret = reader->Text();
  if (!reader->Complete() || stored_secret.size() != secret.size() || partitions != kPartitions) {
    return Fail(StoreErrorCode::kFormat, "the store's format record is not one this build understands");
  }
  std::memcpy(secret.data(), stored_secret.data(), secret.size());
  return {};
}

StoreResult<void> EventStore::Parts::AuditLog() {
  head = std::make_unique<DedupeTable>(8u << 20);
  const std::unique_ptr<rocksdb::Iterator> rows(
      rocks->db().NewIterator(rocksdb::ReadOptions(), rocks->family(Family::kEvents)));
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    const auto sequence = ParseSequenceKey(ToView(rows->key()));
    const auto event = Decode(ToView(rows->value()));
    if (!sequence || !event || event->sequence != *sequence) {
      return Fail(StoreErrorCode::kCorruption, "a record of the log is damaged");
    }
    if (first == kNoSequence) first = *sequence;
    if (durable != kNoSequence && *sequence != durable + 1) {
      return Fail(StoreErrorCode::kDataLoss, "the log has a gap after sequence " + std::to_string(durable));
    }
    durable = *sequence;
    last_check = CheckOf(ToView(rows->value()));
    head->Insert(FingerprintOf(secret, IdentityOf(rows->value().data())), *sequence);
  }
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the log"));
  return {};
}

StoreResult<void> EventStore::Parts::StartHighWater() {
  auto started = HighWaterWriter::Start(HighWaterFile(options),
                                        {.store_id = store_id, .durable = durable, .closed_cleanly = false},
                                        [this]() -> std::optional<Sequence> {
                                          const Sequence reached = durable;
                                          if (!options.sync && !rocks->db().SyncWAL().ok())
                                            return std::nullopt;
                                          return reached;
                                        });
  if (!started) return Fail(StoreErrorCode::kIo, started.error());
  high_water = *std::move(started);
  return {};
}

StoreResult<void> EventStore::Parts::Write(rocksdb::WriteBatch& updates, bool sync, std::string_view doing) {
  rocksdb::WriteOptions write;
  write.sync = sync;
  const rocksdb::Status status = rocks->db().Write(write, &updates);
  if (!status.ok()) return std::unexpected(ErrorFrom(status, doing));
  return {};
}

Sequence EventStore::last_sequence() const {
  return parts_->durable.load(std::memory_order_acquire);
}

StoreResult<std::string> EventStore::ReadRecord(Sequence sequence) const {
  auto value = parts_->rocks->Get(Family::kEvents, SequenceKey(sequence).view());
  if (!value) return std::unexpected(value.error());
  if (!*value) return Fail(StoreErrorCode::kNotFound, "there is no event " + std::to_string(sequence));
  return **std::move(value);
}

StoreResult<Sequence> EventStore::Find(std::string_view source, std::string_view id) const {
  const Fingerprint fingerprint = FingerprintOf(parts_->secret, std::string(source).append(id));
  std::vector<Sequence> candidates;
  {
    const std::scoped_lock lock(parts_->dedupe_mutex);
    parts_->head->ForEach(fingerprint, [&](Sequence sequence) { candidates.push_back(sequence); });
  }
  Sequence newest = kNoSequence;
  for (const Sequence candidate : candidates) {
    if (candidate > last_sequence()) continue;
    const auto record = ReadRecord(candidate);
    if (!record) return std::unexpected(record.error());
    const auto event = Decode(*record);
    if (!event)
      return Fail(StoreErrorCode::kCorruption, "event " + std::to_string(candidate) + " is damaged");
    if (event->source == source && event->id == id && candidate > newest) newest = candidate;
  }
  if (newest == kNoSequence) return Fail(StoreErrorCode::kNotFound, "no such event");
  return newest;
}

StoreResult<std::string> EventStore::GetMeta(std::string_view key) const {
  const std::string stored = NamedTextKey(key);
  const auto value = parts_->rocks->Get(Family::kMeta, stored);
  if (!value) return std::unexpected(value.error());
  if (!*value) return Fail(StoreErrorCode::kNotFound, "no text named " + std::string(key));
  auto reader = ValueReader::Open(stored, **value);
  if (!reader) return Fail(StoreErrorCode::kCorruption, "the text named " + std::string(key) + " is damaged");
  return std::string(reader->Text());
}

StoreResult<void> EventStore::PutMeta(std::string_view key, std::string_view value) {
  const std::string stored = NamedTextKey(key);
  rocksdb::WriteBatch updates;
  ValueWriter writer(1);
  writer.Text(value);
  updates.Put(parts_->rocks->family(Family::kMeta), stored, std::move(writer).Finish(stored));
  return parts_->Write(updates, true, "to store a text");
}

StoreStatistics EventStore::Statistics() const {
  StoreStatistics statistics{};
  statistics.first_sequence = parts_->first;
  statistics.last_sequence = parts_->durable;
  std::uint64_t value = 0;
  if (parts_->rocks->db().GetAggregatedIntProperty("rocksdb.total-sst-files-size", &value))
    statistics.bytes = value;
  {
    const std::scoped_lock lock(parts_->dedupe_mutex);
    statistics.dedupe_entries_in_memory = parts_->head->size();
  }
  statistics.write_stopped =
      parts_->rocks->db().GetIntProperty("rocksdb.is-write-stopped", &value) && value != 0;
  return statistics;
}

}  // namespace weir::storage
