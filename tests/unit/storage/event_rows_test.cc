// How the log's records lie in rows, and what a row that is damaged costs.
#include "storage/event_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/audit.h"
#include "storage/table_span.h"
#include "tests/support/eventually.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

struct Row {
  Sequence key;
  std::string value;
};

class EventRowsTest : public StoreTest {
 protected:
  std::vector<Row> RowsOfLog() {
    std::vector<Row> rows;
    Tamper([&](Rocks& rocks) {
      const std::unique_ptr<rocksdb::Iterator> at(
          rocks.db().NewIterator(InOrder(), rocks.family(Family::kEvents)));
      for (at->SeekToFirst(); at->Valid(); at->Next())
        rows.push_back({.key = *ParseSequenceKey(ToView(at->key())), .value = at->value().ToString()});
    });
    return rows;
  }
  std::vector<Sequence> KeysOfLog() {
    std::vector<Sequence> keys;
    for (const Row& row : RowsOfLog()) keys.push_back(row.key);
    return keys;
  }
  void DamageHeads() {
    const std::vector<Row> rows = RowsOfLog();
    Tamper([&](Rocks& rocks) {
      for (Row row : rows) {
        row.value[0] = static_cast<char>(row.value[0] ^ 1);
        rocks.db().Put({}, rocks.family(Family::kEvents), ToSlice(SequenceKey(row.key).view()), row.value);
      }
    });
  }
};

TEST_F(EventRowsTest, ACommitIsFewRowsOfABoundedSize) {
  Open();
  Fill(100, "evt_", 1000);
  const std::vector<Row> rows = RowsOfLog();
  EXPECT_LE(rows.size(), 8u);
  for (const Row& row : rows) EXPECT_LE(row.value.size(), kEventValueBytesMax);
  EXPECT_EQ(rows.back().key, 100u);
}

TEST_F(EventRowsTest, ARowHoldsWhatOneCommitStored) {
  Open();
  Commit({{.id = "a"}, {.id = "b"}, {.id = "c"}});
  CommitOne({.id = "d"});
  Commit({{.id = "a"}, {.id = "e"}, {.id = "f"}});
  EXPECT_THAT(KeysOfLog(), ElementsAre(3, 4, 6));
}

TEST_F(EventRowsTest, ALargeRecordIsARowOfItsOwn) {
  Open();
  Commit({{.id = "a"}, {.id = "b", .body = std::string(40'000, 'x')}, {.id = "c"}, {.id = "d"}});
  EXPECT_THAT(KeysOfLog(), ElementsAre(1, 2, 4));
}

TEST_F(EventRowsTest, WhatIsNotThereIsNotFoundInTheRowBehindIt) {
  Open();
  Fill(10);
  Tamper([](Rocks& rocks) {
    RemoveRecord(rocks, 5);
    EXPECT_EQ(FindRecord(rocks, 5), std::nullopt);
    EXPECT_NE(FindRecord(rocks, 4).value(), std::nullopt);
    EXPECT_NE(FindRecord(rocks, 6).value(), std::nullopt);
    EXPECT_EQ(FindRecord(rocks, 11), std::nullopt);
  });
}

TEST_F(EventRowsTest, ADamagedHeadCostsNoRecord) {
  Open();
  Fill(30, "evt_", 1000);
  CommitOne({.id = "alone"});
  DamageHeads();
  Open();
  EXPECT_EQ(Ids().size(), 31u);
  for (Sequence sequence = 1; sequence <= 31; ++sequence) EXPECT_TRUE(store->ReadRecord(sequence)) << sequence;
  EXPECT_EQ(CommitOne({.id = "alone"}).outcome, AppendOutcome::kDuplicate);
  store.reset();
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->sound()) << report->findings[0].detail;
}

TEST_F(EventRowsTest, ADamagedHeadAndADamagedRecordCostThatRecord) {
  Open();
  Fill(30, "evt_", 1000);
  Tamper([](Rocks& rocks) {
    std::string record = Record(rocks, 5);
    record[20] = static_cast<char>(record[20] ^ 1);
    PutRecord(rocks, 5, record);
  });
  DamageHeads();
  const auto report = Audit({.directory = options.directory, .ledger = {}, .progress = {}});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->findings.size(), 1u);
  EXPECT_EQ(report->findings[0].kind, FindingKind::kDamagedEvent);
  EXPECT_EQ(report->findings[0].sequence, 5u);
  EXPECT_EQ(report->events, 30u);
}

// What tables say of themselves.

class TableSpans : public EventRowsTest {
 protected:
  TableSpans() { options.memtable_bytes = 256u << 10; }
  static std::vector<TableSpan> SpansIn(Rocks& rocks) {
    rocksdb::TablePropertiesCollection tables;
    EXPECT_TRUE(rocks.db().GetPropertiesOfAllTables(rocks.family(Family::kEvents), &tables).ok());
    std::vector<TableSpan> spans;
    for (const auto& [name, properties] : tables) spans.push_back(SpanOf(*properties).value());
    std::ranges::sort(spans, {}, &TableSpan::first);
    return spans;
  }
  static void ExpectToJoin(const std::vector<TableSpan>& spans, Sequence last) {
    Sequence expected = 1;
    std::uint64_t check = 0;
    for (const TableSpan& span : spans) {
      EXPECT_EQ(span.first, expected);
      EXPECT_EQ(span.records, span.last - span.first + 1);
      EXPECT_EQ(span.previous_check, check);
      expected = span.last + 1;
      check = span.last_check;
    }
    EXPECT_EQ(expected, last + 1);
  }
};

TEST_F(TableSpans, JoinAndChainAsFlushedAndAsMerged) {
  Open();
  Fill(3000, "evt_", 1000);
  Reopen();
  Tamper([](Rocks& rocks) {
    EXPECT_GT(SpansIn(rocks).size(), 2u);
    ExpectToJoin(SpansIn(rocks), 3000);
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    ASSERT_TRUE(rocks.db().CompactRange(all, rocks.family(Family::kEvents), nullptr, nullptr).ok());
    ExpectToJoin(SpansIn(rocks), 3000);
  });
}

TEST_F(TableSpans, ThatDoNotChainAreToldWhenTheStoreIsOpened) {
  options.dedupe_head_events = 50;  // what is sealed is not read again at an open
  Open();
  Fill(100);
  Reopen();
  Fill(200, "later_");
  ASSERT_TRUE(tests::Eventually([this] { return store->Statistics().dedupe_entries_sealed > 150; }));
  Crash();
  Tamper([](Rocks& rocks) { Forge(rocks, 100); });
  Open();
  std::vector<std::string> told;
  for (const StoreTrouble& trouble : store->Statistics().troubles) told.push_back(trouble.message);
  EXPECT_THAT(told, Contains(HasSubstr("the chain from table")));
}

}  // namespace
}  // namespace weir::storage
