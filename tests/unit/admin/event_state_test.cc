#include "engine/admin/event_state.h"

#include <gtest/gtest.h>

namespace weir::admin {
namespace {

SinkFate Sink(std::string name, std::vector<std::string> types = {}) {
  SinkFate fate;
  fate.routes.push_back({.source = "*", .types = std::move(types), .sink = name});
  fate.sink = std::move(name);
  return fate;
}

storage::Event EventAt(storage::Sequence sequence, std::string_view type = "invoice.paid") {
  storage::Event event;
  event.sequence = sequence;
  event.source = "stripe";
  event.id = "evt_1";
  event.type = type;
  return event;
}

TEST(EventState, NamesReadBack) {
  for (const auto state : {EventState::kPending, EventState::kDelivered, EventState::kRetrying,
                           EventState::kDead, EventState::kMalformed, EventState::kUnrouted}) {
    EXPECT_EQ(ParseState(StateName(state)), state);
  }
  EXPECT_EQ(ParseState("lost"), std::nullopt);
}

TEST(EventState, IsUnroutedWithoutARouteThatTakesIt) {
  EXPECT_EQ(StateOf({}, EventAt(1)), EventState::kUnrouted);
  EXPECT_EQ(StateOf({.sinks = {Sink("billing", {"charge.*"})}}, EventAt(1)), EventState::kUnrouted);
}

TEST(EventState, IsPendingAboveTheOffset) {
  auto sink = Sink("billing");
  sink.position.offset = 9;
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(10)), EventState::kPending);
}

TEST(EventState, IsNotDeliveredByASinkThatBeganAfterIt) {
  auto sink = Sink("billing");
  sink.position = {.offset = 12, .above = {}, .began = 11};
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(10)), EventState::kUnrouted);
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(11)), EventState::kDelivered);
  sink.dead = {10};
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(10)), EventState::kDead) << "it was meant for an earlier one";
}

TEST(EventState, IsDeliveredAtTheOffsetAndInTheSettledSetAboveIt) {
  auto sink = Sink("billing");
  sink.position = {.offset = 10, .above = {12, 14}};
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(10)), EventState::kDelivered);
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(12)), EventState::kDelivered);
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(13)), EventState::kPending);
}

TEST(EventState, IsRetryingOrDeadThoughTheOffsetHasPassedIt) {
  auto sink = Sink("billing");
  sink.position.offset = 10;
  sink.retrying = {3, 7};
  sink.dead = {5};
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(7)), EventState::kRetrying);
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(5)), EventState::kDead);
  EXPECT_EQ(StateOf({.sinks = {sink}}, EventAt(6)), EventState::kDelivered);
}

TEST(EventState, OfSeveralSinksIsTheWorst) {
  auto done = Sink("archive");
  done.position.offset = 10;
  auto waiting = Sink("billing");
  auto retrying = Sink("crm");
  retrying.position.offset = 10;
  retrying.retrying = {5};
  auto dead = Sink("mail");
  dead.position.offset = 10;
  dead.dead = {5};
  EXPECT_EQ(StateOf({.sinks = {done, waiting}}, EventAt(5)), EventState::kPending);
  EXPECT_EQ(StateOf({.sinks = {done, retrying, waiting}}, EventAt(5)), EventState::kRetrying);
  EXPECT_EQ(StateOf({.sinks = {dead, done, retrying, waiting}}, EventAt(5)), EventState::kDead);
}

TEST(EventState, StaysDeadWhenItsSinkHasNoRouteAnyMore) {
  SinkFate removed;
  removed.sink = "old";
  removed.dead = {5};
  EXPECT_EQ(StateOf({.sinks = {removed}}, EventAt(5)), EventState::kDead);
  EXPECT_EQ(StateOf({.sinks = {removed}}, EventAt(6)), EventState::kUnrouted);
}

TEST(EventState, IsMalformedWhateverTheRoutesSay) {
  auto event = EventAt(5);
  event.malformed = "no event id at /id";
  auto sink = Sink("billing");
  sink.dead = {5};
  EXPECT_EQ(StateOf({.sinks = {sink}}, event), EventState::kMalformed);
  EXPECT_EQ(StateAt(sink, event), std::nullopt);
}

}  // namespace
}  // namespace weir::admin
