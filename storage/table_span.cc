// A property of a table, under "weir.events":
//
//   span := first:u64 last:u64 records:u64 previous:u64 last_check:u64       (little endian; a table's properties are
//                                                                            checked by RocksDB as a block)
#include "storage/table_span.h"

#include <string>
#include <string_view>

#include "storage/bytes.h"
#include "storage/event_codec.h"
#include "storage/event_value.h"
#include "storage/keys.h"
#include "storage/rocks.h"

namespace weir::storage {
namespace {

constexpr const char* kSpanProperty = "weir.events";
constexpr std::size_t kSpanBytes = 40;

std::string Encode(const TableSpan& span) {
  std::string bytes;
  for (const std::uint64_t number : {span.first, span.last, span.records, span.previous_check, span.last_check})
    AppendLittle(bytes, number);
  return bytes;
}

class Collector final : public rocksdb::TablePropertiesCollector {
 public:
  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice& value, rocksdb::EntryType type,
                             rocksdb::SequenceNumber /*number*/, std::uint64_t /*file_bytes*/) override {
    const Sequence last = ParseSequenceKey(ToView(key)).value_or(kNoSequence);
    if (type == rocksdb::kEntryPut && last != kNoSequence) Add(EventValue(ToView(value), last, span_.last + 1));
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    properties->emplace(kSpanProperty, Encode(span_));
    return rocksdb::Status::OK();
  }
  rocksdb::UserCollectedProperties GetReadableProperties() const override {
    return {{kSpanProperty, std::to_string(span_.first) + ".." + std::to_string(span_.last)}};
  }
  const char* Name() const override { return "weir.TableSpan"; }

 private:
  void Add(const EventValue& records) {
    const std::string_view oldest = records.Record(records.first());
    const std::string_view newest = records.Record(records.last());
    if (span_.first == kNoSequence) {
      span_.first = records.first();
      if (oldest.size() >= kRecordHeaderBytes) span_.previous_check = PreviousCheckOf(oldest);
    }
    span_.last = records.last();
    span_.records += records.last() - records.first() + 1;
    if (newest.size() >= kRecordHeaderBytes) span_.last_check = CheckOf(newest);
  }

  TableSpan span_;
};

class Collectors final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context /*context*/) override {
    return new Collector;
  }
  const char* Name() const override { return "weir.TableSpan"; }
};

}  // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> TableSpanCollectors() {
  return std::make_shared<Collectors>();
}

std::optional<TableSpan> SpanOf(const rocksdb::TableProperties& properties) {
  const auto found = properties.user_collected_properties.find(kSpanProperty);
  if (found == properties.user_collected_properties.end() || found->second.size() != kSpanBytes)
    return std::nullopt;
  const char* at = found->second.data();
  const auto next = [&at] {
    const auto number = LoadLittle<std::uint64_t>(at);
    at += sizeof number;
    return number;
  };
  TableSpan span;
  for (std::uint64_t* const field :
       {&span.first, &span.last, &span.records, &span.previous_check, &span.last_check})
    *field = next();
  return span;
}

}  // namespace weir::storage
