// Positions, retries and dead letters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class Deliveries : public StoreTest {
 protected:
  Deliveries() { Open(); }
  void Settle(const SettlementBatch& batch) {
    const auto settled = store->Settle(batch);
    ASSERT_TRUE(settled) << settled.error().message;
  }
  static DeadLetter Letter(std::string sink, Sequence sequence) {
    return {.sink = std::move(sink),
            .sequence = sequence,
            .died_at_us = 9,
            .attempts = 5,
            .reason = "410",
            .last_answer = "gone"};
  }
  static SettlementBatch Dead(std::string_view sink, std::vector<DeadLetter> added,
                              std::vector<Sequence> removed = {}) {
    SettlementBatch batch;
    batch.sink = sink;
    batch.dead_added = std::move(added);
    batch.dead_removed = std::move(removed);
    return batch;
  }
  std::vector<std::pair<std::string, Sequence>> DeadKeys(std::string_view sink) {
    std::vector<std::pair<std::string, Sequence>> keys;
    EXPECT_TRUE(store->VisitDeadLetters(sink, [&](const DeadLetter& letter) {
      keys.emplace_back(letter.sink, letter.sequence);
      return true;
    }));
    return keys;
  }
};

TEST_F(Deliveries, AnUnknownSinkHasNoPosition) {
  EXPECT_EQ(store->LoadPosition("billing").error().code, StoreErrorCode::kNotFound);
  EXPECT_TRUE(store->LoadRetries("billing")->empty());
  EXPECT_EQ(store->CountDeadLetters("billing"), 0u);
}

TEST_F(Deliveries, APositionSurvivesReopening) {
  Fill(30);
  SettlementBatch batch;
  batch.sink = "billing";
  batch.position = SinkPosition{.offset = 10, .above = {12, 13, 14, 20, 30}};
  Settle(batch);
  Reopen();
  EXPECT_EQ(store->LoadPosition("billing")->offset, 10u);
  EXPECT_EQ(store->LoadPosition("billing")->above, (std::vector<Sequence>{12, 13, 14, 20, 30}));
  EXPECT_EQ(store->SinkNames(), std::vector<std::string>{"billing"});
}

TEST_F(Deliveries, RetriesComeInOrderOfTheirTime) {
  SettlementBatch batch;
  batch.sink = "billing";
  batch.retries_added = {{.sequence = 1, .due_us = 300, .attempts = 1, .last_outcome = "503"},
                         {.sequence = 2, .due_us = -5, .attempts = 2, .last_outcome = "timeout"},
                         {.sequence = 3, .due_us = 100, .attempts = 3, .last_outcome = ""}};
  Settle(batch);
  const auto retries = store->LoadRetries("billing");
  ASSERT_EQ(retries->size(), 3u);
  EXPECT_EQ((*retries)[0].sequence, 2u);
  EXPECT_EQ((*retries)[0].last_outcome, "timeout");
  EXPECT_EQ((*retries)[1].sequence, 3u);
  EXPECT_EQ((*retries)[2].due_us, 300);
  EXPECT_EQ((*retries)[2].attempts, 1u);
}

TEST_F(Deliveries, ARetryGoesWhenItsEventSettles) {
  SettlementBatch batch;
  batch.sink = "billing";
  batch.retries_added = {{.sequence = 1, .due_us = 300, .attempts = 1, .last_outcome = "503"}};
  Settle(batch);
  SettlementBatch settled;
  settled.sink = "billing";
  settled.retries_removed = {{300, 1}};
  Settle(settled);
  EXPECT_TRUE(store->LoadRetries("billing")->empty());
}

TEST_F(Deliveries, ASinkSeesNothingOfOneWhoseNameItBegins) {
  SettlementBatch batch;
  batch.sink = "bill";
  batch.retries_added = {{.sequence = 1, .due_us = 1, .attempts = 1, .last_outcome = "503"}};
  batch.dead_added = {Letter("bill", 4)};
  Settle(batch);
  EXPECT_TRUE(store->LoadRetries("bil")->empty());
  EXPECT_TRUE(store->LoadRetries("billing")->empty());
  EXPECT_TRUE(DeadKeys("billing").empty());
  EXPECT_EQ(DeadKeys("bill").size(), 1u);
}

TEST_F(Deliveries, DeadLettersComeBySinkAndSequence) {
  Settle(Dead("b", {Letter("b", 300), Letter("b", 2)}));
  Settle(Dead("a", {Letter("a", 7)}));
  using Key = std::pair<std::string, Sequence>;
  EXPECT_EQ(DeadKeys(""), (std::vector<Key>{{"a", 7}, {"b", 2}, {"b", 300}}));
  EXPECT_EQ(DeadKeys("b"), (std::vector<Key>{{"b", 2}, {"b", 300}}));
}

TEST_F(Deliveries, ADeadLetterKeepsItsStory) {
  Settle(Dead("billing", {Letter("billing", 4)}));
  Reopen();
  ASSERT_TRUE(store->VisitDeadLetters("billing", [](const DeadLetter& letter) {
    EXPECT_EQ(letter.died_at_us, 9);
    EXPECT_EQ(letter.attempts, 5u);
    EXPECT_EQ(letter.reason, "410");
    EXPECT_EQ(letter.last_answer, "gone");
    return true;
  }));
}

TEST_F(Deliveries, CountsDeadLettersThroughRepeatsRemovalsAndReopening) {
  Settle(Dead("b", {Letter("b", 1), Letter("b", 2), Letter("b", 3)}));
  Settle(Dead("b", {Letter("b", 2)}));       // again
  Settle(Dead("b", {}, {3, 99}));            // 99 is none
  Settle(Dead("b", {Letter("b", 4)}, {4}));  // removed in the batch that added it
  EXPECT_EQ(store->CountDeadLetters("b"), 2u);
  EXPECT_EQ(DeadKeys("b").size(), 2u);
  Reopen();
  EXPECT_EQ(store->CountDeadLetters("b"), 2u);
}

TEST_F(Deliveries, StopsVisitingWhenTold) {
  Settle(Dead("b", {Letter("b", 1), Letter("b", 2)}));
  int visits = 0;
  ASSERT_TRUE(store->VisitDeadLetters("b", [&](const DeadLetter&) {
    ++visits;
    return false;
  }));
  EXPECT_EQ(visits, 1);
}

TEST_F(Deliveries, AreNotWrittenPastWhatTheDiskAllowsAndAreLater) {
  SettlementBatch batch;
  batch.sink = "billing";
  batch.dead_added = {{.sink = "billing",
                       .sequence = 1,
                       .died_at_us = 1,
                       .attempts = 1,
                       .reason = "410",
                       .last_answer = std::string(4096, 'x')}};
  store->AllowSettlements(4096);
  const auto refused = store->Settle(batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, StoreErrorCode::kStalled);
  EXPECT_EQ(store->CountDeadLetters("billing"), 0u);
  store->AllowSettlements(16'384);  // both copies
  ASSERT_TRUE(store->Settle(batch));
  EXPECT_FALSE(store->Settle(batch)) << "the same room is not given twice";
  SettlementBatch drop;
  drop.sink = "billing";
  drop.dead_removed = {1};
  EXPECT_TRUE(store->Settle(drop)) << "letting go needs no room";
}

}  // namespace
}  // namespace weir::storage
