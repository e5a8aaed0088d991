// What makes an event a duplicate, and what does not.
#include <gtest/gtest.h>

#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

using Dedupe = StoreTest;

TEST_F(Dedupe, NumbersNewEventsFromOne) {
  Open();
  EXPECT_EQ(CommitOne({.id = "a"}).sequence, 1u);
  EXPECT_EQ(CommitOne({.id = "b"}).sequence, 2u);
  EXPECT_EQ(store->last_sequence(), 2u);
}

TEST_F(Dedupe, AnswersTheSameEventWithTheFirstSequence) {
  Open();
  CommitOne({.id = "a"});
  CommitOne({.id = "b"});
  const AppendResult again = CommitOne({.id = "a"});
  EXPECT_EQ(again.outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(again.sequence, 1u);
  EXPECT_EQ(store->last_sequence(), 2u);
}

TEST_F(Dedupe, SeesADuplicateOfTheSameGroup) {
  Open();
  const auto results = Commit({{.id = "a"}, {.id = "b"}, {.id = "a"}});
  EXPECT_EQ(results[2].outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(results[2].sequence, 1u);
  EXPECT_EQ(Ids(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(Dedupe, KeepsSourcesApart) {
  Open();
  CommitOne({.id = "a", .source = "shop"});
  EXPECT_EQ(CommitOne({.id = "a", .source = "bank"}).outcome, AppendOutcome::kStored);
}

TEST_F(Dedupe, KeepsApartIdsThatOnlyJoinedWithTheirSourceAreEqual) {
  Open();
  CommitOne({.id = "bc", .source = "a"});
  EXPECT_EQ(CommitOne({.id = "c", .source = "ab"}).outcome, AppendOutcome::kStored);
}

TEST_F(Dedupe, CallsOtherBytesUnderTheSameIdAConflict) {
  Open();
  CommitOne({.id = "a", .body = "1"});
  const AppendResult other = CommitOne({.id = "a", .body = "2"});
  EXPECT_EQ(other.outcome, AppendOutcome::kConflict);
  EXPECT_EQ(other.sequence, 1u);
  EXPECT_EQ(store->last_sequence(), 1u);
}

TEST_F(Dedupe, StoresAnIdAgainAfterItsWindow) {
  Open();
  CommitOne({.id = "a"});
  EXPECT_EQ(CommitOne({.id = "a", .received_at_us = kNowUs + 10 * kSecondUs}, 10 * kSecondUs).outcome,
            AppendOutcome::kDuplicate);
  const AppendResult later =
      CommitOne({.id = "a", .received_at_us = kNowUs + 10 * kSecondUs + 1}, 10 * kSecondUs);
  EXPECT_EQ(later.outcome, AppendOutcome::kStored);
  EXPECT_EQ(later.sequence, 2u);
}

TEST_F(Dedupe, ComparesWithTheNewestOfAnIdStoredTwice) {
  Open();
  CommitOne({.id = "a"});
  CommitOne({.id = "a", .received_at_us = kNowUs + 11 * kSecondUs}, 10 * kSecondUs);
  const AppendResult third =
      CommitOne({.id = "a", .received_at_us = kNowUs + 20 * kSecondUs}, 10 * kSecondUs);
  EXPECT_EQ(third.outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(third.sequence, 2u);
}

TEST_F(Dedupe, RemembersAcrossReopening) {
  Open();
  CommitOne({.id = "a"});
  Reopen();
  EXPECT_EQ(CommitOne({.id = "a"}).outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(CommitOne({.id = "b"}).sequence, 2u);
}

TEST_F(Dedupe, FindsAStoredEventById) {
  Open();
  Commit({{.id = "a"}, {.id = "b"}});
  EXPECT_EQ(store->Find("shop", "b"), 2u);
  const auto missing = store->Find("shop", "c");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, StoreErrorCode::kNotFound);
}

}  // namespace
}  // namespace weir::storage
