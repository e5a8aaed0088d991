#include "engine/ingest/pending_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weir::ingest {
namespace {

using commit::CommitOutcome;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PendingAnswersTest : public ::testing::Test {
 protected:
  PendingAnswersTest() { writer_.SetTime(0); }

  PendingAnswer& AddCommit(Connection& connection, std::string_view id) {
    PendingAnswer& answer = answers_.AddCommit(connection, {});
    answer.event_id = id;
    answer.probe = &probe_;
    answer.bytes = 100;
    return answer;
  }
  std::size_t Complete(const PendingAnswer& answer, CommitOutcome outcome = CommitOutcome::kStored) {
    return answers_.Complete({.ticket = {.slot = 0, .generation = answer.generation, .request = answer.index},
                              .unavailable = outcome == CommitOutcome::kUnavailable,
                              .rests_on = 1,
                              .first = {.outcome = outcome, .sequence = 1}});
  }
  std::string Written(Connection& connection) {
    std::string out;
    answers_.WriteReady(connection, {}, out);
    return out;
  }

  ConnectionTable connections_{8};
  AnswerWriter writer_{config::AckMode::kFsync};
  PendingAnswers answers_{connections_, writer_};
  observe::SourceProbe probe_;
};

TEST_F(PendingAnswersTest, AReadyAnswerWaitsForTheOnesBeforeIt) {
  Connection& connection = *connections_.Take(-1);
  PendingAnswer& first = AddCommit(connection, "first");
  answers_.AddLiteral(connection, {}, "second");
  EXPECT_FALSE(answers_.HasReady(connection));
  EXPECT_THAT(Written(connection), IsEmpty());
  EXPECT_EQ(Complete(first), 100u);
  EXPECT_TRUE(answers_.HasReady(connection));
  const std::string written = Written(connection);
  EXPECT_LT(written.find("first"), written.find("second"));
  EXPECT_EQ(connection.pending_count, 0);
}

TEST_F(PendingAnswersTest, AConnectionIsDueOnceHoweverManyOfItsAnswersAreReady) {
  Connection& connection = *connections_.Take(-1);
  answers_.AddLiteral(connection, {}, "1");
  answers_.AddLiteral(connection, {}, "2");
  EXPECT_EQ(answers_.due().size(), 1u);
}

TEST_F(PendingAnswersTest, AnAbandonedCommitKeepsItsPlaceUntilItIsAcknowledged) {
  Connection& gone = *connections_.Take(-1);
  PendingAnswer& commit = AddCommit(gone, "gone");
  const std::uint32_t place = commit.index;
  answers_.AddLiteral(gone, {}, "never written");
  answers_.Abandon(gone);
  EXPECT_EQ(gone.pending_count, 0);
  Connection& next = *connections_.Take(-1);
  for (int i = 0; i < 1000; ++i) EXPECT_NE(AddCommit(next, "next").index, place);
  EXPECT_EQ(Complete(commit), 100u);
  EXPECT_EQ(AddCommit(next, "next").index, place);
  EXPECT_EQ(probe_.type_count(), 1u) << "counted though nobody was there to be told";
}

TEST_F(PendingAnswersTest, AnUnavailableStoreIsARefusal) {
  Connection& connection = *connections_.Take(-1);
  EXPECT_EQ(Complete(AddCommit(connection, "a"), CommitOutcome::kUnavailable), 100u);
  EXPECT_THAT(Written(connection), HasSubstr("503"));
  EXPECT_EQ(probe_.rejected[static_cast<std::size_t>(observe::RejectionCode::kOverloaded)].value(), 1u);
}

TEST_F(PendingAnswersTest, APrescribedAnswerIsForSuccessOnly) {
  Connection& connection = *connections_.Take(-1);
  PendingAnswer& stored = AddCommit(connection, "a");
  stored.literal = "as prescribed";
  PendingAnswer& failed = AddCommit(connection, "b");
  failed.literal = "as prescribed";
  Complete(stored, CommitOutcome::kDuplicate);
  EXPECT_EQ(Written(connection), "as prescribed");
  Complete(failed, CommitOutcome::kUnavailable);
  EXPECT_THAT(Written(connection), HasSubstr("503"));
}

TEST_F(PendingAnswersTest, OnlyTheLastAnswerSaysThatTheConnectionCloses) {
  Connection& connection = *connections_.Take(-1);
  PendingAnswer& first = AddCommit(connection, "a");
  PendingAnswer& last = AddCommit(connection, "b");
  answers_.CloseAfterLast(connection);
  Complete(first);
  EXPECT_THAT(Written(connection), ::testing::Not(HasSubstr("Connection")));
  Complete(last);
  EXPECT_THAT(Written(connection), HasSubstr("Connection: close"));
}

TEST_F(PendingAnswersTest, ABatchCountsEachOfItsNewEventsUnderItsType) {
  Connection& connection = *connections_.Take(-1);
  PendingAnswer& answer = AddCommit(connection, "a");
  answer.event_type = "one";
  answer.further_types = {"two", "three"};
  answers_.Complete({.ticket = {.generation = answer.generation, .request = answer.index},
                     .unavailable = false,
                     .rests_on = 5,
                     .first = {.outcome = CommitOutcome::kDuplicate, .sequence = 3},
                     .further = {{.outcome = CommitOutcome::kStored, .sequence = 4},
                                 {.outcome = CommitOutcome::kStored, .sequence = 5}}});
  std::set<std::string> types;
  for (std::size_t i = 0; i < probe_.type_count(); ++i) types.insert(probe_.type(i).type);
  EXPECT_EQ(types, (std::set<std::string>{"two", "three"})) << "not that of the one that was there already";
  EXPECT_EQ(probe_.duplicates.value(), 1u);
  EXPECT_EQ(probe_.last_duplicate.value(), 3);
}

TEST_F(PendingAnswersTest, WhatIsNoLongerWaitedForIsRefusedOnceAndFreedByTheCommitter) {
  Connection& connection = *connections_.Take(-1);
  PendingAnswer& answer = AddCommit(connection, "late");
  answers_.GiveUpWaiting();
  EXPECT_TRUE(answers_.HasReady(connection));
  EXPECT_THAT(Written(connection), HasSubstr("HTTP/1.1 503 "));
  EXPECT_EQ(connection.pending_count, 0);
  EXPECT_EQ(answer.kind, PendingAnswer::Kind::kCommit) << "its place is what the ticket names";
  answers_.GiveUpWaiting();
  EXPECT_FALSE(answers_.HasReady(connection));
  EXPECT_EQ(Complete(answer), 100u);
  EXPECT_EQ(answer.kind, PendingAnswer::Kind::kFree);
}

TEST_F(PendingAnswersTest, ACommitThatEndsBeforeItsRefusalIsWrittenIsAnsweredAsItEnded) {
  Connection& connection = *connections_.Take(-1);
  PendingAnswer& answer = AddCommit(connection, "in time");
  answers_.GiveUpWaiting();
  Complete(answer);
  EXPECT_THAT(Written(connection), HasSubstr("HTTP/1.1 202 "));
}

}  // namespace
}  // namespace weir::ingest
