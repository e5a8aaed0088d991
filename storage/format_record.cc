//   format   partitions:u32 store_id:u64 secret:text     (the value's version is the format's)
#include "storage/format_record.h"

#include <rocksdb/write_batch.h>
#include <sys/random.h>

#include <cstring>
#include <string>
#include <utility>

#include "storage/keys.h"
#include "storage/value_codec.h"

namespace weir::storage {
namespace {

constexpr std::uint8_t kFormatVersion = 2;
constexpr std::uint32_t kPartitions = 1;

std::unexpected<StoreError> Fail(StoreErrorCode code, std::string message) {
  return std::unexpected(StoreError{code, std::move(message)});
}

bool FillRandom(void* into, std::size_t size) {
  return getrandom(into, size, 0) == static_cast<ssize_t>(size);
}

}  // namespace

StoreResult<std::optional<FormatRecord>> LoadFormatRecord(const Rocks& rocks) {
  const auto value = rocks.Get(Family::kMeta, kFormatKey);
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  auto reader = ValueReader::Open(kFormatKey, **value);
  if (!reader) return Fail(StoreErrorCode::kCorruption, "the store's format record fails its checksum");
  if (reader->version() != kFormatVersion) {
    return Fail(StoreErrorCode::kFormat,
                "the store has format " + std::to_string(reader->version()) +
                    " and this build reads format " + std::to_string(kFormatVersion) +
                    ": export it with the build that made it, and begin with an empty directory");
  }
  FormatRecord format;
  const std::uint32_t partitions = reader->U32();
  format.store_id = reader->U64();
  const std::string_view secret = reader->Text();
  if (!reader->Complete() || secret.size() != format.secret.size()) {
    return Fail(StoreErrorCode::kCorruption, "the store's format record is not whole");
  }
  if (partitions != kPartitions) {
    return Fail(StoreErrorCode::kFormat, "the store has " + std::to_string(partitions) +
                                             " partitions; this build reads stores of one");
  }
  std::memcpy(format.secret.data(), secret.data(), secret.size());
  return format;
}

StoreResult<FormatRecord> CreateFormatRecord(Rocks& rocks, std::optional<std::uint64_t> store_id) {
  FormatRecord format;
  if (!FillRandom(&format.store_id, sizeof format.store_id) ||
      !FillRandom(format.secret.data(), format.secret.size())) {
    return Fail(StoreErrorCode::kIo, "the kernel has no random numbers");
  }
  if (store_id) format.store_id = *store_id;
  ValueWriter writer(kFormatVersion);
  writer.U32(kPartitions).U64(format.store_id).Text({format.secret.data(), format.secret.size()});
  rocksdb::WriteOptions write;
  write.sync = true;
  rocksdb::WriteBatch updates;
  updates.Put(rocks.family(Family::kMeta), ToSlice(kFormatKey), std::move(writer).Finish(kFormatKey));
  if (auto written = rocks.Write(write, updates, "to create the store"); !written)
    return std::unexpected(written.error());
  return format;
}

}  // namespace weir::storage
