// While a damaged write-ahead log is read past its damage: keeps sinks from going on behind what was lost.
//
// A settlement is one batch: the sink's new position with the retries and dead letters that let it pass. When such a
// batch is lost and a later one is not, the later position passes events whose retries are gone, and nobody would
// deliver them. So from the first gap on no position moves: the sink goes on from where it was before the damage, and
// what it had settled behind it is delivered again. Retries, dead letters and events behind the gap are kept.
//
// Internal to storage/.
#pragma once

#include <rocksdb/wal_filter.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace weir::storage {

class LogGapFilter final : public rocksdb::WalFilter {
 public:
  // `begins`: RocksDB's sequence number of the first batch of the oldest log; nullopt where it cannot be
  // read, or is not the oldest that there was.
  explicit LogGapFilter(std::optional<std::uint64_t> begins) : next_(begins) {}

  // Position rows that were not taken, by key: the first of each, which for a sink that is new behind the gap is
  // where it begins.
  const std::map<std::string, std::string>& withheld() const { return withheld_; }

  void ColumnFamilyLogNumberMap(const std::map<std::uint32_t, std::uint64_t>& logs,
                                const std::map<std::string, std::uint32_t>& ids) override;
  WalProcessingOption LogRecordFound(unsigned long long log, const std::string& file,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch* instead,
                                     bool* changed) override;
  const char* Name() const override { return "weir.LogGapFilter"; }

 private:
  std::optional<std::uint64_t>
      next_;                      // the number the next batch has when none is missing; nullopt behind a gap
  std::uint32_t deliveries_ = 0;  // ids of families
  std::uint32_t copies_ = 0;
  std::map<std::string, std::string> withheld_;
};

}  // namespace weir::storage
