// A small language for tests of a store on the real disk: put events in, close, open, damage files, look.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/event_codec.h"
#include "storage/event_store.h"

namespace weir::storage {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kNowUs = 1'790'000'000 * kSecondUs;
inline constexpr std::int64_t kWeekUs = 7 * 24 * 3600 * kSecondUs;

struct Arrival {
  std::string id;
  std::string body = "{}";
  std::string source = "shop";
  std::string malformed = {};
  std::int64_t received_at_us = kNowUs;
};

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-store-XXXXXX").string();
    options.directory = std::filesystem::path(mkdtemp(pattern.data()));
    options.memtable_bytes = 1u << 20;
  }
  ~StoreTest() override {
    store.reset();
    std::filesystem::remove_all(options.directory);
  }

  void Open() {
    auto opened = EventStore::Open(options);
    ASSERT_TRUE(opened) << opened.error().message;
    store = *std::move(opened);
  }
  void Reopen() {
    store.reset();
    Open();
  }
  // The error of an open that must fail.
  StoreError Refusal() {
    store.reset();
    auto opened = EventStore::Open(options);
    if (opened) {
      ADD_FAILURE() << "the store opened";
      return {StoreErrorCode::kIo, ""};
    }
    return opened.error();
  }

  // One commit of these arrivals.
  StoreResult<std::vector<AppendResult>> TryCommit(const std::vector<Arrival>& arrivals,
                                                   std::int64_t window_us = kWeekUs) {
    std::vector<std::string> bytes;
    bytes.reserve(arrivals.size());
    std::vector<AppendRecord> records;
    for (const Arrival& arrival : arrivals) {
      Event event;
      event.received_at_us = arrival.received_at_us;
      event.source = arrival.source;
      event.id = arrival.id;
      event.type = "order.paid";
      event.malformed = arrival.malformed;
      event.headers = "Content-Type: application/json\r\n";
      event.body = arrival.body;
      bytes.emplace_back(EncodedSize(event), '\0');
      Encode(event, bytes.back().data());
      records.push_back(
          {.record = bytes.back().data(), .size = bytes.back().size(), .dedupe_window_us = window_us});
    }
    std::vector<AppendResult> results(records.size());
    if (auto committed = store->Commit(records, results); !committed) {
      return std::unexpected(committed.error());
    }
    return results;
  }
  std::vector<AppendResult> Commit(const std::vector<Arrival>& arrivals, std::int64_t window_us = kWeekUs) {
    auto results = TryCommit(arrivals, window_us);
    if (!results) {
      ADD_FAILURE() << results.error().message;
      return std::vector<AppendResult>(arrivals.size());
    }
    return *std::move(results);
  }
  AppendResult CommitOne(Arrival arrival, std::int64_t window_us = kWeekUs) {
    return Commit({std::move(arrival)}, window_us)[0];
  }
  // Events `prefix`0, `prefix`1 … in groups of 100.
  void Fill(std::size_t count, std::string_view prefix = "evt_", std::size_t body_bytes = 100) {
    std::vector<Arrival> group;
    for (std::size_t i = 0; i < count; ++i) {
      group.push_back({.id = std::string(prefix) + std::to_string(i), .body = std::string(body_bytes, 'x')});
      if (group.size() == 100 || i + 1 == count) {
        for (const AppendResult& result : Commit(group)) ASSERT_EQ(result.outcome, AppendOutcome::kStored);
        group.clear();
      }
    }
  }
  // Ids in log order; a failure of the reader fails the test.
  std::vector<std::string> Ids(Sequence first = 1) {
    std::vector<std::string> ids;
    LogReader reader = store->ReadFrom(first);
    while (true) {
      const auto event = reader.Next();
      if (!event) {
        ADD_FAILURE() << event.error().message;
        break;
      }
      if (!*event) break;
      ids.emplace_back((*event)->id);
    }
    return ids;
  }

  StoreOptions options;
  std::unique_ptr<EventStore> store;
};

}  // namespace weir::storage
