// What one commit leaves behind besides the event.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/limits.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class Commits : public StoreTest {
 protected:
  std::vector<DeadLetter> DeadLetters(std::string_view sink) {
    std::vector<DeadLetter> letters;
    EXPECT_TRUE(store->VisitDeadLetters(sink, [&](const DeadLetter& letter) {
      letters.push_back(letter);
      return true;
    }));
    return letters;
  }
  std::vector<std::string> ConflictBodies() {
    std::vector<std::string> bodies;
    EXPECT_TRUE(store->VisitConflicts([&](Sequence, const Event& newcomer) {
      bodies.emplace_back(newcomer.body);
      return true;
    }));
    return bodies;
  }
};

TEST_F(Commits, AMalformedEventIsStoredAndDeadLetteredAtOnce) {
  Open();
  const AppendResult result = CommitOne({.id = "m-1", .malformed = "no event id at /id"});
  EXPECT_EQ(result.outcome, AppendOutcome::kStored);
  const auto letters = DeadLetters(kIngestSink);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].sequence, result.sequence);
  EXPECT_EQ(letters[0].reason, "malformed: no event id at /id");
  EXPECT_EQ(letters[0].died_at_us, kNowUs);
  EXPECT_EQ(store->CountDeadLetters(kIngestSink), 1u);
}

TEST_F(Commits, AConflictIsKeptOnceHoweverOftenItIsSent) {
  Open();
  CommitOne({.id = "a", .body = "first"});
  CommitOne({.id = "a", .body = "second"});
  CommitOne({.id = "a", .body = "second"});
  CommitOne({.id = "a", .body = "third"});
  EXPECT_THAT(ConflictBodies(), testing::UnorderedElementsAre("second", "third"));
  EXPECT_EQ(store->Statistics().conflicts, 2u);
}

TEST_F(Commits, AConflictWithAnEventOfTheSameGroupIsKept) {
  Open();
  const auto results = Commit({{.id = "a", .body = "first"}, {.id = "a", .body = "second"}});
  EXPECT_EQ(results[1].outcome, AppendOutcome::kConflict);
  EXPECT_EQ(results[1].sequence, 1u);
  EXPECT_EQ(ConflictBodies(), std::vector<std::string>{"second"});
}

TEST_F(Commits, ConflictsSurviveReopening) {
  Open();
  CommitOne({.id = "a", .body = "first"});
  CommitOne({.id = "a", .body = "second"});
  Reopen();
  EXPECT_EQ(ConflictBodies(), std::vector<std::string>{"second"});
  EXPECT_EQ(store->Statistics().conflicts, 1u);
}

TEST_F(Commits, KeptConflictsAreBounded) {
  Open();
  CommitOne({.id = "a", .body = "first"});
  const std::size_t body_bytes = 8u << 20;
  for (char fill = 'b'; fill < 'm'; ++fill) CommitOne({.id = "a", .body = std::string(body_bytes, fill)});
  EXPECT_LE(ConflictBodies().size() * body_bytes, limits::kConflictBytesMax);
  EXPECT_GE(ConflictBodies().size(), 7u);
}

TEST_F(Commits, AGroupOfDuplicatesIsAnsweredWithoutWriting) {
  Open();
  Fill(10);
  const Sequence before = store->last_sequence();
  const auto results = Commit(
      {{.id = "evt_3", .body = std::string(100, 'x')}, {.id = "evt_4", .body = std::string(100, 'x')}});
  EXPECT_EQ(results[0].sequence, 4u);
  EXPECT_EQ(results[1].sequence, 5u);
  EXPECT_EQ(store->last_sequence(), before);
}

TEST_F(Commits, AnEmptyGroupIsFine) {
  Open();
  EXPECT_TRUE(Commit({}).empty());
}

TEST_F(Commits, NothingIsLostWithoutSyncWhileTheKernelLives) {
  options.sync = false;
  Open();
  Fill(100);
  Crash();
  Open();
  EXPECT_EQ(Ids().size(), 100u);
}

TEST_F(Commits, NamedTextsSurviveReopening) {
  Open();
  ASSERT_TRUE(store->PutMeta("cursor.billing", "17"));
  Reopen();
  EXPECT_EQ(store->GetMeta("cursor.billing"), "17");
  EXPECT_EQ(store->GetMeta("nothing").error().code, StoreErrorCode::kNotFound);
}

}  // namespace
}  // namespace weir::storage
