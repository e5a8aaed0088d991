// What is forgotten when: a store with events of known ages, looked at at known times.
#include "engine/retention.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/faulty_disk.h"
#include "tests/support/stored_events.h"
#include "tests/support/temp_directory.h"

namespace weir {
namespace {

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr std::int64_t kNowUs = 1'790'000'000'000'000;
constexpr std::int64_t kHourMs = 3'600'000;

class RetentionLook : public testing::Test {
 protected:
  RetentionLook() : directory_(tests::MakeTempDirectory()) {
    storage::StoreOptions options;
    options.directory = directory_;
    options.disk = disk_;
    options.sync = false;
    store_ = std::move(storage::EventStore::Open(options).value());
  }
  ~RetentionLook() override {
    retention_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Event n was received n minutes after the first.
  void StoreAMinuteApart(int count, std::int64_t window_us = kMinuteUs) {
    for (int i = 0; i < count; ++i) {
      const std::string id = std::to_string(i);
      storage::Event event;
      event.received_at_us = kNowUs + i * kMinuteUs;
      event.source = "shop";
      event.id = id;
      event.body = "{}";
      ASSERT_TRUE(tests::CommitEvents(*store_, {&event, 1}, window_us));
    }
  }
  void Settle(const std::string& sink, storage::Sequence offset) {
    storage::SettlementBatch batch;
    batch.sink = sink;
    batch.position = storage::SinkPosition{.offset = offset, .above = {}};
    ASSERT_TRUE(store_->Settle(batch));
  }
  void Look(std::int64_t minutes_after_the_first) {
    if (!retention_) {
      retention_ = std::make_unique<Retention>(Retention::Wiring{
          .store = *store_, .retention_ms = kHourMs, .sinks = [this] { return sinks_; }, .probe = probe_});
    }
    const std::int64_t now_us = kNowUs + minutes_after_the_first * kMinuteUs;
    retention_->Look({.unix_us = now_us, .monotonic_us = now_us});
  }

  std::filesystem::path directory_;
  std::shared_ptr<tests::FaultyDisk> disk_ = std::make_shared<tests::FaultyDisk>();
  std::unique_ptr<storage::EventStore> store_;
  std::vector<std::string> sinks_;
  observe::RetentionProbe probe_;
  std::unique_ptr<Retention> retention_;
};

TEST_F(RetentionLook, ForgetsWhatIsOlderThanTheRetention) {
  StoreAMinuteApart(100);
  Look(60);
  EXPECT_EQ(store_->first_sequence(), 1u);
  Look(90);
  EXPECT_EQ(store_->first_sequence(), 31u) << "received exactly an hour ago";
  EXPECT_EQ(probe_.forgotten.value(), 30u);
  EXPECT_EQ(probe_.held.value(), 0);
}

TEST_F(RetentionLook, KeepsWhatASinkHasNotSettledAndSaysHowMuch) {
  StoreAMinuteApart(100);
  sinks_ = {"fast", "slow"};
  Settle("fast", 100);
  Settle("slow", 10);
  Look(90);
  EXPECT_EQ(store_->first_sequence(), 11u);
  EXPECT_EQ(probe_.held.value(), 20);
  Settle("slow", 100);
  Look(90);
  EXPECT_EQ(store_->first_sequence(), 31u);
  EXPECT_EQ(probe_.held.value(), 0);
  EXPECT_EQ(probe_.forgotten.value(), 30u);
}

TEST_F(RetentionLook, KeepsWhatASinkThatNeverSettledAnythingIsStillToGet) {
  StoreAMinuteApart(100);
  sinks_ = {"down_since_the_start"};
  Look(90);
  EXPECT_EQ(store_->first_sequence(), 1u);
  EXPECT_EQ(probe_.held.value(), 30);
}

TEST_F(RetentionLook, KeepsWhatADedupeWindowReaches) {
  StoreAMinuteApart(100, 120 * kMinuteUs);
  Look(130);
  EXPECT_EQ(store_->first_sequence(), 10u) << "the window, and a minute";
  EXPECT_EQ(probe_.held.value(), 61);
}

TEST_F(RetentionLook, AnEmptyStoreHasNothingToForget) {
  Look(0);
  EXPECT_EQ(probe_.forgotten.value(), 0u);
  EXPECT_EQ(probe_.held.value(), 0);
}

// The log is gone for good here: whoever acks meets the same error and ends the server.
TEST_F(RetentionLook, CountsTheLooksThatCannotBeFinished) {
  StoreAMinuteApart(3);
  Look(0);
  EXPECT_EQ(probe_.errors.value(), 0);
  disk_->FailWrites(".log", tests::FaultyDisk::kForGood);
  Look(1000);
  EXPECT_GT(probe_.errors.value(), 0);
  EXPECT_EQ(store_->first_sequence(), 1);
}

}  // namespace
}  // namespace weir
