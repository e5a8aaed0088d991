// What one commit leaves behind besides the event.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/limits.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

Event WithBody(std::string_view body) {
  Event event;
  event.body = body;
  return event;
}

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
    EXPECT_TRUE(store->VisitConflicts([&](Sequence, std::uint64_t, const Event& newcomer) {
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

TEST_F(Commits, AConflictSentTwiceInOneGroupIsKeptOnce) {
  Open();
  CommitOne({.id = "a", .body = "first"});
  Commit({{.id = "a", .body = "second"}, {.id = "a", .body = "second"}});
  EXPECT_EQ(store->Statistics().conflicts, 1u);
}

TEST_F(Commits, AConflictThatThereIsNoRoomForIsSaidToBeSo) {
  Open();
  CommitOne({.id = "a", .body = "first"});
  const std::string large(limits::kConflictBytesMax, 'b');
  EXPECT_EQ(CommitOne({.id = "a", .body = large}).outcome, AppendOutcome::kConflictNotKept);
  EXPECT_EQ(CommitOne({.id = "a", .body = "second"}).outcome, AppendOutcome::kConflict);
  EXPECT_EQ(ConflictBodies(), std::vector<std::string>{"second"});
}

TEST_F(Commits, ADroppedConflictMakesRoom) {
  Open();
  CommitOne({.id = "a", .body = "first"});
  CommitOne({.id = "a", .body = "second"});
  const std::uint64_t hash = ConflictHashOf(WithBody("second"));
  EXPECT_TRUE(store->ReadConflict(1, hash));
  ASSERT_TRUE(store->DropConflict(1, hash));
  EXPECT_EQ(store->Statistics().conflicts, 0u);
  EXPECT_EQ(store->DropConflict(1, hash).error().code, StoreErrorCode::kNotFound);
}

TEST_F(Commits, BytesThatDifferOnlyInWhatTheirSenderChangesAreADuplicate) {
  Open();
  CommitOne({.id = "a", .body = "pending 2", .substance = 7});
  EXPECT_EQ(CommitOne({.id = "a", .body = "pending 1", .substance = 7}).outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(CommitOne({.id = "a", .body = "other", .substance = 8}).outcome, AppendOutcome::kConflict);
}

TEST_F(Commits, WhatWasStoredBeforeItsKindLeftAnythingOutIsComparedByItsBytes) {
  Open();
  CommitOne({.id = "a", .body = "pending 2"});
  EXPECT_EQ(CommitOne({.id = "a", .body = "pending 2", .substance = 7}).outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(CommitOne({.id = "a", .body = "pending 1", .substance = 7}).outcome, AppendOutcome::kConflict);
}

TEST_F(Commits, RepeatsAreCountedWithTheHighestAttempt) {
  Open();
  CommitOne({.id = "a", .body = "x"});
  Commit({{.id = "a", .body = "x", .attempt = 2}, {.id = "a", .body = "x", .attempt = 4}});
  CommitOne({.id = "a", .body = "x", .received_at_us = kNowUs + 5, .attempt = 3});
  Reopen();
  const auto repeats = store->LoadRepeats(1);
  ASSERT_TRUE(repeats);
  EXPECT_EQ(repeats->count, 3u);
  EXPECT_EQ(repeats->attempt, 4u);
  EXPECT_EQ(repeats->last_at_us, kNowUs + 5);
  EXPECT_EQ(store->LoadRepeats(2)->count, 0u);
}

TEST_F(Commits, ARepeatOfAnEventOfTheSameGroupIsCounted) {
  Open();
  Commit({{.id = "a", .body = "x"}, {.id = "a", .body = "x"}});
  EXPECT_EQ(store->LoadRepeats(1)->count, 1u);
}

// An operator's event in the place of what lies where nobody can deliver it.
class Supersedes : public Commits {
 protected:
  AppendResult Admit(const std::string& id, const std::string& body, const Superseded& what) {
    Event event = WithBody(body);
    event.received_at_us = kNowUs;
    event.source = "shop";
    event.id = id;
    tests::EncodedEvents encoded = tests::EncodeEvents({&event, 1}, kWeekUs);
    encoded.records[0].instead_of = what;
    const auto results = tests::Commit(*store, encoded);
    return results ? results->front() : AppendResult{};
  }
};

TEST_F(Supersedes, ADeadLetterGoesWithTheCommitOfWhatTakesItsPlace) {
  Open();
  CommitOne({.id = "m-1", .body = "x", .malformed = "no event id"});
  const AppendResult admitted = Admit("evt_1", "x", {.sequence = 1});
  EXPECT_EQ(admitted.outcome, AppendOutcome::kStored);
  EXPECT_EQ(admitted.sequence, 2u);
  EXPECT_TRUE(DeadLetters(kIngestSink).empty());
  EXPECT_EQ(store->CountDeadLetters(kIngestSink), 0u);
  Reopen();
  EXPECT_TRUE(DeadLetters(kIngestSink).empty());
  EXPECT_EQ(Ids(), (std::vector<std::string>{"m-1", "evt_1"}));
}

TEST_F(Supersedes, NothingIsStoredOnceTheLetterIsGone) {
  Open();
  CommitOne({.id = "m-1", .body = "x", .malformed = "no event id"});
  Admit("evt_1", "x", {.sequence = 1});
  EXPECT_EQ(Admit("evt_2", "x", {.sequence = 1}).outcome, AppendOutcome::kSuperseded);
  EXPECT_EQ(store->last_sequence(), 2u);
}

TEST_F(Supersedes, ALetterStaysWhenItsNewIdIsTaken) {
  Open();
  CommitOne({.id = "evt_1", .body = "other"});
  CommitOne({.id = "m-1", .body = "x", .malformed = "no event id"});
  EXPECT_EQ(Admit("evt_1", "x", {.sequence = 2}).outcome, AppendOutcome::kConflict);
  EXPECT_EQ(store->CountDeadLetters(kIngestSink), 1u);
  EXPECT_EQ(store->Statistics().conflicts, 0u);
}

TEST_F(Supersedes, AKeptConflictBecomesAnEvent) {
  Open();
  CommitOne({.id = "a", .body = "first"});
  CommitOne({.id = "a", .body = "second"});
  const AppendResult admitted =
      Admit("a-2", "second", {.sequence = 1, .conflict = ConflictHashOf(WithBody("second"))});
  EXPECT_EQ(admitted.outcome, AppendOutcome::kStored);
  EXPECT_EQ(store->Statistics().conflicts, 0u);
  EXPECT_TRUE(ConflictBodies().empty());
}

TEST_F(Commits, AGroupOfDuplicatesStoresNoEvent) {
  Open();
  Fill(10);
  const Sequence before = store->last_sequence();
  const auto results = Commit(
      {{.id = "evt_3", .body = std::string(100, 'x')}, {.id = "evt_4", .body = std::string(100, 'x')}});
  EXPECT_EQ(results[0].sequence, 4u);
  EXPECT_EQ(results[1].sequence, 5u);
  EXPECT_EQ(store->last_sequence(), before);
}

// What is durable already is answered whether the disk takes anything or not: a duplicate's count may be lost, a
// conflict that is kept is written once.
TEST_F(Commits, WhatIsStoredAlreadyWaitsForNoDisk) {
  options.sync = true;
  Open();
  Fill(10);
  CommitOne({.id = "evt_5", .body = "other bytes"});
  disk->FailSyncs(".log", tests::FaultyDisk::kForGood);
  EXPECT_EQ(CommitOne({.id = "evt_3", .body = std::string(100, 'x')}).outcome, AppendOutcome::kDuplicate);
  disk->FailWrites(".log", tests::FaultyDisk::kForGood);
  EXPECT_EQ(CommitOne({.id = "evt_5", .body = "other bytes"}).outcome, AppendOutcome::kConflict);
  EXPECT_TRUE(Commit({}).empty());
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
