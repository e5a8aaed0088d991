// A real store with events and what delivery would have left beside them, and the operator's API over it.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/admin/operator_api.h"
#include "engine/deliver/route_table.h"
#include "tests/support/stored_events.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::admin {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kNowUs = 1'795'296'120 * kSecondUs;  // 2026-11-21T21:22:00Z

struct Sent {
  std::string id;
  std::string type = "order.paid";
  std::string source = "shop";
  std::string body = R"({"ok":true})";
  std::string headers = "Content-Type: application/json\r\n";
  std::string malformed = {};
  std::int64_t received_at_us = kNowUs - 60 * kSecondUs;
  bool untyped = false;
};

class OperatorTest : public storage::StoreTest {
 protected:
  OperatorTest() { Open(); }

  storage::Sequence Put(const Sent& sent) {
    storage::Event event;
    event.received_at_us = sent.received_at_us;
    event.source = sent.source;
    event.id = sent.id;
    event.type = sent.type;
    event.malformed = sent.malformed;
    event.untyped = sent.untyped;
    event.headers = sent.headers;
    event.body = sent.body;
    const auto results = tests::CommitEvents(*store, {&event, 1}, storage::kWeekUs);
    if (!results) throw std::runtime_error(results.error().message);  // ends the test as failed
    return results->front().sequence;
  }

  void Routes(const std::vector<config::Route>& routes) {
    ASSERT_TRUE(store->PutMeta(deliver::kRoutesKey, deliver::SerializeRoutes(routes)));
  }
  // Everything goes to `sink`, which has settled everything up to `offset`.
  void Sink(const std::string& sink, storage::Sequence offset) {
    routes_.push_back({.source = "*", .types = {}, .sink = sink});
    Routes(routes_);
    storage::SettlementBatch batch;
    batch.sink = sink;
    batch.position = storage::SinkPosition{.offset = offset, .above = {}};
    Settle(batch);
  }
  void Bury(const std::string& sink, storage::Sequence sequence, std::int64_t died_at_us = kNowUs) {
    storage::SettlementBatch batch;
    batch.sink = sink;
    batch.dead_added.push_back({.sink = sink,
                                .sequence = sequence,
                                .died_at_us = died_at_us,
                                .attempts = 5,
                                .reason = "attempts_exhausted",
                                .last_answer = "no thanks"});
    Settle(batch);
  }
  void ScheduleRetry(const std::string& sink, storage::Sequence sequence) {
    storage::SettlementBatch batch;
    batch.sink = sink;
    batch.retries_added.push_back(
        {.sequence = sequence, .due_us = kNowUs + kSecondUs, .attempts = 2, .last_outcome = "503"});
    Settle(batch);
  }
  void Settle(const storage::SettlementBatch& batch) {
    const auto settled = store->Settle(batch);
    ASSERT_TRUE(settled) << settled.error().message;
  }

  ApiReply Ask(const std::string& method, const std::string& path, Parameters parameters = {},
               const std::string& body = {}) {
    const Wiring wiring{.store = *store, .data = options.directory, .live = std::nullopt};
    return OperatorApi(wiring).Handle(
        {.method = method, .path = path, .parameters = std::move(parameters), .body = body}, kNowUs);
  }
  Json Get(const std::string& path, Parameters parameters = {}) {
    const ApiReply reply = Ask("GET", path, std::move(parameters));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Json::parse(reply.body);
  }
  Json Post(const std::string& path, Parameters parameters = {}) {
    const ApiReply reply = Ask("POST", path, std::move(parameters));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Json::parse(reply.body);
  }
  // The ids of the rows under `key`, in their order.
  static std::vector<std::string> Ids(const Json& reply, const char* key) {
    std::vector<std::string> ids;
    for (const Json& row : reply.at(key)) ids.push_back(row.at("id").get<std::string>());
    return ids;
  }

 private:
  std::vector<config::Route> routes_;
};

}  // namespace weir::admin
