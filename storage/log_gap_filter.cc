#include "storage/log_gap_filter.h"

#include <string_view>

#include "storage/bytes.h"
#include "storage/keys.h"
#include "storage/rocks.h"
#include "storage/second_copy.h"

namespace weir::storage {
namespace {

// Rows of any batch are written under the id of their family; a handle is asked for nothing but that.
class FamilyId final : public rocksdb::ColumnFamilyHandle {
 public:
  explicit FamilyId(std::uint32_t id) : id_(id) {}
  const std::string& GetName() const override { return name_; }
  std::uint32_t GetID() const override { return id_; }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor* /*into*/) override {
    return rocksdb::Status::NotSupported();
  }
  const rocksdb::Comparator* GetComparator() const override { return rocksdb::BytewiseComparator(); }

 private:
  std::string name_;
  std::uint32_t id_;
};

// Copies a batch but for its positions.
class WithoutPositions final : public rocksdb::WriteBatch::Handler {
 public:
  struct Families {
    std::uint32_t deliveries;
    std::uint32_t copies;
  };
  WithoutPositions(const Families& families, rocksdb::WriteBatch& to,
                   std::map<std::string, std::string>& withheld)
      : families_(families), to_(to), withheld_(withheld) {}

  rocksdb::Status PutCF(std::uint32_t id, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    if (id == families_.deliveries && ParsePositionKey(ToView(key))) {
      withheld_.emplace(key.ToString(), value.ToString());
      return rocksdb::Status::OK();
    }
    if (id == families_.copies && IsCopyOfPosition(key)) return rocksdb::Status::OK();
    FamilyId family(id);
    return to_.Put(&family, key, value);
  }
  rocksdb::Status DeleteCF(std::uint32_t id, const rocksdb::Slice& key) override {
    FamilyId family(id);
    return to_.Delete(&family, key);
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t id, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    FamilyId family(id);
    return to_.DeleteRange(&family, begin, end);
  }
  void LogData(const rocksdb::Slice& /*blob*/) override {}

 private:
  static bool IsCopyOfPosition(const rocksdb::Slice& key) {
    const std::string_view original = OriginalKey(ToView(key));
    return ParsePositionKey(original) && CopyKey(Family::kDeliveries, original) == ToView(key);
  }

  const Families families_;
  rocksdb::WriteBatch& to_;
  std::map<std::string, std::string>& withheld_;
};

}  // namespace

void LogGapFilter::ColumnFamilyLogNumberMap(const std::map<std::uint32_t, std::uint64_t>& /*logs*/,
                                            const std::map<std::string, std::uint32_t>& ids) {
  const auto id = [&](Family family) {
    const auto found = ids.find(kFamilyNames[static_cast<std::size_t>(family)]);
    return found == ids.end() ? UINT32_MAX : found->second;
  };
  deliveries_ = id(Family::kDeliveries);
  copies_ = id(Family::kCopies);
}

rocksdb::WalFilter::WalProcessingOption LogGapFilter::LogRecordFound(unsigned long long /*log*/,
                                                                     const std::string& /*file*/,
                                                                     const rocksdb::WriteBatch& batch,
                                                                     rocksdb::WriteBatch* instead,
                                                                     bool* changed) {
  // A batch begins with the number of its first row (log_files.cc has the grammar).
  const auto sequence = LoadLittle<std::uint64_t>(batch.Data().data());
  if (next_ && sequence == *next_) {
    next_ = sequence + batch.Count();
    return WalProcessingOption::kContinueProcessing;
  }
  next_.reset();
  WithoutPositions copy({.deliveries = deliveries_, .copies = copies_}, *instead, withheld_);
  if (!batch.Iterate(&copy).ok()) return WalProcessingOption::kCorruptedRecord;
  *changed = true;
  return WalProcessingOption::kContinueProcessing;
}

}  // namespace weir::storage
