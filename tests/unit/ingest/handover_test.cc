#include "engine/ingest/handover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "engine/limits.h"
#include "storage/event_codec.h"

namespace weir::ingest {
namespace {

using ::testing::IsEmpty;

storage::Event EventOf(std::string_view id, std::string_view body) {
  storage::Event event;
  event.source = "s";
  event.id = id;
  event.body = body;
  return event;
}

class HandoverTest : public ::testing::Test {
 protected:
  std::size_t Add(std::uint32_t request, const std::string& body) {
    const std::array<storage::Event, 1> events = {EventOf("id", body)};
    return handover_.Add({.slot = 1, .generation = 2, .request = request}, events, {.dedupe_window_us = 99});
  }
  std::vector<commit::Append> Popped() {
    std::vector<commit::Append> appends(16);
    appends.resize(appends_.Pop(appends));
    return appends;
  }

  Gate gate_;
  commit::AppendQueue appends_;
  Handover handover_{3, appends_, gate_};
};

TEST_F(HandoverTest, ATurnGoesTogetherInOneSlab) {
  Add(1, "one");
  Add(2, "two");
  EXPECT_THAT(handover_.Push(1234), IsEmpty());
  const auto appends = Popped();
  ASSERT_EQ(appends.size(), 2u);
  EXPECT_EQ(appends[0].slab, appends[1].slab);
  EXPECT_EQ(appends[1].ticket.request, 2u);
  EXPECT_EQ(appends[1].shard, 3);
  EXPECT_EQ(appends[1].dedupe_window_us, 99);
  EXPECT_EQ(appends[1].enqueued_ns, 1234);
  EXPECT_EQ(storage::Peek(appends[1].records, appends[1].bytes).body, "two");
}

TEST_F(HandoverTest, APushedSlabIsNotWrittenAgainBeforeItsLastReferenceIsGone) {
  Add(1, "one");
  handover_.Push(0);
  auto first = Popped();
  Add(2, "two");
  handover_.Push(0);
  auto second = Popped();
  EXPECT_NE(first[0].slab, second[0].slab);
  EXPECT_EQ(storage::Peek(first[0].records, first[0].bytes).body, "one");
  const commit::Slab* recycled = first[0].slab.get();
  first.clear();
  Add(3, "three");
  handover_.Push(0);
  EXPECT_EQ(Popped()[0].slab.get(), recycled);
}

TEST_F(HandoverTest, ARecordThatFitsNoSlabGetsOneOfItsOwn) {
  const std::string large(limits::kSlabBytes * 2, 'x');
  Add(1, "before");
  Add(2, large);
  Add(3, std::string(limits::kSlabBytes - 1000, 'y'));
  handover_.Push(0);
  const auto appends = Popped();
  ASSERT_EQ(appends.size(), 3u);
  EXPECT_EQ(storage::Peek(appends[0].records, appends[0].bytes).body, "before");
  EXPECT_EQ(storage::Peek(appends[1].records, appends[1].bytes).body, large);
  EXPECT_EQ(storage::Peek(appends[2].records, appends[2].bytes).body.size(), limits::kSlabBytes - 1000);
  EXPECT_EQ((std::set{appends[0].slab, appends[1].slab, appends[2].slab}.size()), 3u);
}

TEST_F(HandoverTest, ABatchIsOneAppendOfSeveralRecords) {
  const std::array<storage::Event, 2> events = {EventOf("a", "1"), EventOf("b", "22")};
  const std::size_t bytes = handover_.Add({}, events, {});
  handover_.Push(0);
  const auto appends = Popped();
  ASSERT_EQ(appends.size(), 1u);
  EXPECT_EQ(appends[0].record_count, 2);
  EXPECT_EQ(appends[0].bytes, bytes);
  const std::size_t first = appends[0].first_record_bytes;
  EXPECT_EQ(storage::Peek(appends[0].records, first).id, "a");
  EXPECT_EQ(storage::Peek(appends[0].records + first, bytes - first).id, "b");
}

TEST_F(HandoverTest, WhatDoesNotFitIsRefusedAsAWhole) {
  auto producer = appends_.MakeProducer();
  std::vector<commit::Append> others(limits::kCommitQueueEvents - 1);
  ASSERT_TRUE(appends_.TryPush(producer, others));
  Add(7, "one");
  Add(8, "two");
  const auto refused = handover_.Push(0);
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].ticket.request, 7u);
  EXPECT_EQ(refused[1].ticket.request, 8u);
  EXPECT_EQ(appends_.waiting(), static_cast<std::int64_t>(others.size()));
  EXPECT_EQ(gate_.disk_budget_bytes.load(), INT64_MAX);
  Add(9, "alone");
  EXPECT_THAT(handover_.Push(0), IsEmpty()) << "one still fits";
}

TEST_F(HandoverTest, WhatIsHandedOverIsTakenFromTheDiskBudgetOnce) {
  gate_.disk_budget_bytes = 10'000;
  const std::size_t bytes = Add(1, "one") + Add(2, "two");
  EXPECT_EQ(handover_.added_bytes(), bytes);
  handover_.Push(0);
  EXPECT_EQ(handover_.added_bytes(), 0u);
  EXPECT_EQ(gate_.disk_budget_bytes.load(), 10'000 - static_cast<std::int64_t>(bytes));
}

}  // namespace
}  // namespace weir::ingest
