// The file: two slots of 512 bytes, each a sector of its own, written in turn so that a torn write leaves the
// other one. The slot with a valid checksum and the larger generation speaks.
//
//   slot := "WEIRHWM2" generation:u64 store_id:u64 durable:u64 closed_at:u64 tables:u64 tables_bytes:u64 check:u64 zeros
//   check := XXH3-64 of the 56 bytes before it
//
// The file is written in full when it is created: later writes overwrite blocks that exist, so that their
// fdatasync is one write to the disk and no journal transaction beside the committer's.
#include "storage/high_water.h"

#include <xxhash.h>

#include <array>
#include <cstring>
#include <utility>

#include "storage/bytes.h"
#include "storage/start_thread.h"

namespace weir::storage {
namespace {

constexpr std::size_t kSlotBytes = 512;
constexpr std::size_t kFileBytes = 2 * kSlotBytes;
constexpr std::string_view kMagic = "WEIRHWM2";
constexpr std::string_view kOlderMagic = "WEIRHWM1";
constexpr std::size_t kCheckAt = 56;
constexpr int kCloseAttempts = 3;

struct Slot {
  std::uint64_t generation = 0;
  HighWaterRecord record;
};

using SlotBytes = std::array<char, kSlotBytes>;

SlotBytes EncodeSlot(const Slot& slot) {
  SlotBytes bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  StoreLittle(bytes.data() + 8, slot.generation);
  StoreLittle(bytes.data() + 16, slot.record.store_id);
  StoreLittle(bytes.data() + 24, slot.record.durable);
  StoreLittle(bytes.data() + 32, slot.record.closed_at);
  StoreLittle(bytes.data() + 40, slot.record.tables.number);
  StoreLittle(bytes.data() + 48, slot.record.tables.bytes);
  StoreLittle(bytes.data() + kCheckAt, XXH3_64bits(bytes.data(), kCheckAt));
  return bytes;
}

std::optional<Slot> DecodeSlot(const char* bytes) {
  if (std::string_view(bytes, kMagic.size()) != kMagic) return std::nullopt;
  if (LoadLittle<std::uint64_t>(bytes + kCheckAt) != XXH3_64bits(bytes, kCheckAt)) return std::nullopt;
  Slot slot;
  slot.generation = LoadLittle<std::uint64_t>(bytes + 8);
  slot.record.store_id = LoadLittle<std::uint64_t>(bytes + 16);
  slot.record.durable = LoadLittle<std::uint64_t>(bytes + 24);
  slot.record.closed_at = LoadLittle<std::uint64_t>(bytes + 32);
  slot.record.tables.number = LoadLittle<std::uint64_t>(bytes + 40);
  slot.record.tables.bytes = LoadLittle<std::uint64_t>(bytes + 48);
  return slot;
}

std::expected<std::optional<Slot>, std::string> ReadSlot(Disk& disk, const std::filesystem::path& file) {
  const auto found = disk.Look(file);
  if (!found) return std::unexpected(found.error().message);
  if (!*found) return std::nullopt;
  auto read = ReadWhole(disk, file);
  if (!read) return std::unexpected(read.error().message);
  std::string bytes = *std::move(read);
  bytes.resize(kFileBytes);
  const auto first = DecodeSlot(bytes.data());
  const auto second = DecodeSlot(bytes.data() + kSlotBytes);
  if (bytes.starts_with(kOlderMagic)) return std::nullopt;
  if (!first && !second) return std::unexpected(file.string() + " holds no valid record");
  if (!second || (first && first->generation > second->generation)) return first;
  return second;
}

}  // namespace

std::expected<std::optional<HighWaterRecord>, std::string> ReadHighWater(Disk& disk,
                                                                         const std::filesystem::path& file) {
  const auto slot = ReadSlot(disk, file);
  if (!slot) return std::unexpected(slot.error());
  if (!*slot) return std::nullopt;
  return (*slot)->record;
}

std::expected<std::unique_ptr<HighWaterWriter>, std::string> HighWaterWriter::Start(
    Disk& disk, const std::filesystem::path& path, const HighWaterRecord& initial, MakeDurable make_durable,
    Tell tell) {
  const auto existing = ReadSlot(disk, path);
  auto file = disk.Open(path, Disk::Access::kUpdate);
  if (!file) return std::unexpected(file.error().message);
  std::unique_ptr<HighWaterWriter> writer(
      new HighWaterWriter(*std::move(file), initial, std::move(make_durable), std::move(tell)));
  const bool readable = existing && *existing;
  if (readable) {
    writer->generation_ = (*existing)->generation;
    if (const auto read = writer->file_->ReadAt(0, writer->bytes_); !read)
      return std::unexpected(read.error().message);
  }
  if (auto written = writer->Write(initial); !written) return std::unexpected(written.error());
  if (!readable) {
    if (const auto synced = disk.SyncDirectory(path.parent_path()); !synced)
      return std::unexpected(synced.error().message);
  }
  auto thread =
      StartThread("high-water", [raw = writer.get()](const std::stop_token& stop) { raw->Run(stop); });
  if (!thread) return std::unexpected(thread.error());
  writer->thread_ = std::move(*thread);
  return writer;
}

HighWaterWriter::HighWaterWriter(std::unique_ptr<DiskFile> file, const HighWaterRecord& initial,
                                 MakeDurable make_durable, Tell tell)
    : file_(std::move(file)),
      make_durable_(std::move(make_durable)),
      tell_(std::move(tell)),
      record_(initial) {}

HighWaterWriter::~HighWaterWriter() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

void HighWaterWriter::Advanced() {
  {
    const std::scoped_lock lock(mutex_);
    if (advanced_) return;
    advanced_ = true;
  }
  wake_.notify_one();
}

std::expected<void, std::string> HighWaterWriter::Close(Sequence durable, std::uint64_t closed_at,
                                                        TableListEnd tables) {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  std::expected<void, std::string> written;
  for (int attempt = 0; attempt < kCloseAttempts; ++attempt) {
    written =
        Write({.store_id = record_.store_id, .durable = durable, .closed_at = closed_at, .tables = tables});
    if (written) break;
  }
  return written;
}

void HighWaterWriter::Run(const std::stop_token& stop) {
  while (true) {
    if (!behind()) {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return advanced_; })) return;
      advanced_ = false;
    }
    if (const auto durable = make_durable_(); durable && (*durable > record_.durable || behind())) {
      const auto written = Write(
          {.store_id = record_.store_id, .durable = *durable, .closed_at = 0, .tables = record_.tables});
      const bool was_behind = behind_.exchange(!written, std::memory_order_acq_rel);
      if (!written) tell_(written.error());
      if (written && was_behind) tell_({});
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kHighWaterEvery, [] { return false; });
    if (stop.stop_requested()) return;
  }
}

// Always the whole file: what a failed write or sync has left of it on the disk, or in the cache as if it were there,
// is then overwritten before it is believed. The slot that is not spoken for keeps its bytes.
std::expected<void, std::string> HighWaterWriter::Write(const HighWaterRecord& record) {
  const std::uint64_t generation = generation_ + 1;
  const SlotBytes slot = EncodeSlot({.generation = generation, .record = record});
  std::array<char, kFileBytes> bytes = bytes_;
  std::memcpy(bytes.data() + (generation % 2) * kSlotBytes, slot.data(), slot.size());
  auto done = file_->WriteAt(0, {bytes.data(), bytes.size()});
  if (done) done = file_->Sync();
  if (!done) return std::unexpected("the high-water record: " + done.error().message);
  generation_ = generation;
  record_ = record;
  bytes_ = bytes;
  return {};
}

}  // namespace weir::storage
