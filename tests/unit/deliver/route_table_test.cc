#include "engine/deliver/route_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::deliver {
namespace {

storage::Event EventOf(std::string_view source, std::string_view type) {
  storage::Event event;
  event.source = source;
  event.type = type;
  return event;
}

TEST(Routes, AnyOneRouteIsEnough) {
  const std::vector<config::Route> routes = {
      {.source = "stripe", .types = {"invoice.*", "charge.failed"}, .sink = "s"},
      {.source = "github", .types = {}, .sink = "s"}};
  EXPECT_TRUE(RoutesMatch(routes, EventOf("stripe", "invoice.paid")));
  EXPECT_TRUE(RoutesMatch(routes, EventOf("stripe", "charge.failed")));
  EXPECT_FALSE(RoutesMatch(routes, EventOf("stripe", "charge.paid")));
  EXPECT_TRUE(RoutesMatch(routes, EventOf("github", "push")));
  EXPECT_FALSE(RoutesMatch(routes, EventOf("slack", "push")));
}

TEST(Routes, NoneMatchNothing) {
  EXPECT_FALSE(RoutesMatch({}, EventOf("stripe", "invoice.paid")));
}

TEST(Routes, StarSourceTakesEverySource) {
  EXPECT_TRUE(RoutesMatch({{.source = "*", .types = {}, .sink = "s"}}, EventOf("anything", "")));
}

TEST(Routes, MalformedEventMatchesNothing) {
  storage::Event event = EventOf("stripe", "invoice.paid");
  event.malformed = "no event id at /id";
  EXPECT_FALSE(RoutesMatch({{.source = "*", .types = {}, .sink = "s"}}, event));
}

TEST(Routes, SurviveTheRoundTripThroughText) {
  const std::vector<config::Route> routes = {
      {.source = "stripe",
       .types = {"invoice.*", "with\ttab", "with\\slash", "with\nline"},
       .sink = "billing"},
      {.source = "*", .types = {}, .sink = "archive"}};
  const auto read = ParseRoutes(SerializeRoutes(routes));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].source, "stripe");
  EXPECT_EQ(read[0].types, routes[0].types);
  EXPECT_EQ(read[0].sink, "billing");
  EXPECT_EQ(read[1].source, "*");
  EXPECT_TRUE(read[1].types.empty());
  EXPECT_EQ(read[1].sink, "archive");
}

TEST(Routes, ByTypeLeaveOutTheSourcesWhoseTypeAnybodyCouldHaveWritten) {
  const std::vector<config::Route> routes = {
      {.source = "*", .types = {"push"}, .sink = "s", .except = {"github", "shop"}}};
  for (const auto& read : {routes, ParseRoutes(SerializeRoutes(routes))}) {
    EXPECT_FALSE(RoutesMatch(read, EventOf("github", "push")));
    EXPECT_FALSE(RoutesMatch(read, EventOf("shop", "push")));
    EXPECT_TRUE(RoutesMatch(read, EventOf("slack", "push")));
  }
}

TEST(Routes, LineWithoutSinkAndSourceIsLeftOut) {
  EXPECT_TRUE(ParseRoutes("\n\nlonely\n\tx\nx\t\n").empty());
  EXPECT_EQ(ParseRoutes("sink\tsource").size(), 1u);
}

}  // namespace
}  // namespace weir::deliver
