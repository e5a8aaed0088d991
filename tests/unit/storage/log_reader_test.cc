#include <gtest/gtest.h>

#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

using LogReading = StoreTest;

TEST_F(LogReading, AnEmptyLogEndsAtOnce) {
  Open();
  LogReader reader = store->ReadFrom(1);
  EXPECT_FALSE(reader.Next().value());
}

TEST_F(LogReading, GivesEveryFieldAsItWasCommitted) {
  Open();
  CommitOne({.id = "a", .body = std::string("\0\xFF\n", 3), .source = "bank", .received_at_us = 77});
  LogReader reader = store->ReadFrom(1);
  const auto event = reader.Next().value();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->sequence, 1u);
  EXPECT_EQ(event->received_at_us, 77);
  EXPECT_EQ(event->source, "bank");
  EXPECT_EQ(event->id, "a");
  EXPECT_EQ(event->type, "order.paid");
  EXPECT_EQ(event->headers, "Content-Type: application/json\r\n");
  EXPECT_EQ(event->body, std::string("\0\xFF\n", 3));
}

TEST_F(LogReading, GoesOnWhereItEndedOnceThereIsMore) {
  Open();
  Commit({{.id = "a"}, {.id = "b"}});
  LogReader reader = store->ReadFrom(1);
  EXPECT_EQ(reader.Next().value()->id, "a");
  EXPECT_EQ(reader.Next().value()->id, "b");
  EXPECT_FALSE(reader.Next().value());
  CommitOne({.id = "c"});
  EXPECT_EQ(reader.Next().value()->id, "c");
  EXPECT_FALSE(reader.Next().value());
}

TEST_F(LogReading, StartsInTheMiddle) {
  Open();
  Fill(1000);
  EXPECT_EQ(Ids(991).size(), 10u);
  EXPECT_EQ(Ids(991)[0], "evt_990");
}

TEST_F(LogReading, StartsPastTheEndAndWaitsForIt) {
  Open();
  CommitOne({.id = "a"});
  LogReader reader = store->ReadFrom(3);
  EXPECT_FALSE(reader.Next().value());
  Commit({{.id = "b"}, {.id = "c"}});
  EXPECT_EQ(reader.Next().value()->id, "c");
}

TEST_F(LogReading, CrossesMemtablesTablesAndChunks) {
  options.memtable_bytes = 256u << 10;
  Open();
  Fill(3000, "evt_", 900);
  const auto ids = Ids();
  ASSERT_EQ(ids.size(), 3000u);
  for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], "evt_" + std::to_string(i));
}

TEST_F(LogReading, ReadsAnEventLargerThanAChunk) {
  Open();
  CommitOne({.id = "big", .body = std::string(3u << 20, 'b')});
  CommitOne({.id = "next"});
  EXPECT_EQ(Ids(), (std::vector<std::string>{"big", "next"}));
}

TEST_F(LogReading, SeveralReadersDoNotDisturbEachOther) {
  Open();
  Fill(300);
  LogReader first = store->ReadFrom(1);
  LogReader second = store->ReadFrom(201);
  EXPECT_EQ(first.Next().value()->sequence, 1u);
  EXPECT_EQ(second.Next().value()->sequence, 201u);
  EXPECT_EQ(first.Next().value()->sequence, 2u);
}

TEST_F(LogReading, ReadsOneRecordBySequence) {
  Open();
  Fill(10);
  const auto record = store->ReadRecord(7);
  ASSERT_TRUE(record);
  EXPECT_EQ(Decode(*record)->id, "evt_6");
  EXPECT_EQ(store->ReadRecord(11).error().code, StoreErrorCode::kNotFound);
}

}  // namespace
}  // namespace weir::storage
