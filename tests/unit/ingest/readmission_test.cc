#include "engine/ingest/readmission.h"

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <thread>

#include "engine/commit/committer.h"
#include "engine/source/kinds.h"
#include "engine/source/signer.h"
#include "storage/event_store.h"
#include "tests/support/temp_directory.h"

namespace weir::ingest {
namespace {

using Mode = Readmission::Mode;

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::string_view kSecret = "whsec_right";

std::shared_ptr<const source::SourceTable> Sources(std::string_view secret, std::string_view kind = "stripe",
                                                   bool reject_malformed = false) {
  source::Source source;
  source.name = "shop";
  source.kind = kind;
  source.scheme = source::FindKind(kind)->scheme;
  source.secrets = {std::string(secret)};
  source.dedupe_window_us = std::int64_t{7} * 86'400 * kMicros;
  source.reject_malformed = reject_malformed;
  std::vector<source::Source> sources;
  sources.push_back(std::move(source));
  return std::make_shared<const source::SourceTable>(std::move(sources));
}

// Received two days ago, when it was fresh.
quarantine::Entry Refused(std::string_view id, std::string body = {}, std::int64_t late_s = 0,
                          std::string_view kind = "stripe") {
  const std::int64_t signed_at_s = std::time(nullptr) - std::int64_t{2} * 86'400;
  if (body.empty()) body = R"({"id":")" + std::string(id) + R"(","type":"invoice.paid"})";
  quarantine::Entry entry{.received_at_us = (signed_at_s + late_s) * kMicros,
                          .source = "shop",
                          .reason = "invalid_signature",
                          .request_id = {},
                          .method = "POST",
                          .target = "/webhooks/shop",
                          .headers = "Host: example.com\r\n",
                          .body = std::move(body)};
  const auto headers =
      source::Sign(*source::FindKind(kind)->scheme,
                   {.secret = kSecret, .body = entry.body, .at_unix_s = signed_at_s, .id = id});
  EXPECT_TRUE(headers) << headers.error();
  for (const auto& [name, value] : *headers)
    entry.headers.append(name).append(": ").append(value).append("\r\n");
  return entry;
}

class ReadmissionTest : public ::testing::Test {
 protected:
  ReadmissionTest() {
    auto store = storage::EventStore::Open({.directory = directory_ / "store"});
    EXPECT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }
  ~ReadmissionTest() override {
    committer_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Readmission& Serve(std::shared_ptr<const source::SourceTable> sources) {
    readmission_ = std::make_unique<Readmission>(Readmission::Wiring{
        .shard = 0, .appends = appends_, .gate = gate_, .sources = std::move(sources), .seed = 1});
    committer_ =
        std::make_unique<commit::Committer>(commit::Committer::Wiring{.store = *store_,
                                                                      .appends = appends_,
                                                                      .shards = {&readmission_->acks()},
                                                                      .probe = probe_,
                                                                      .on_failure = {}});
    EXPECT_TRUE(committer_->Start());
    return *readmission_;
  }
  std::string ErrorOf(Readmission& readmission, const quarantine::Entry& entry) {
    const auto admitted = readmission.Admit(entry, Mode::kCommit);
    EXPECT_EQ(store_->last_sequence(), storage::kNoSequence);
    return admitted ? "admitted" : admitted.error();
  }

  std::filesystem::path directory_ = tests::MakeTempDirectory();
  Gate gate_;
  commit::AppendQueue appends_;
  observe::CommitProbe probe_;
  std::unique_ptr<storage::EventStore> store_;
  std::unique_ptr<Readmission> readmission_;
  std::unique_ptr<commit::Committer> committer_;
};

TEST_F(ReadmissionTest, CommitsWhatTheConfigurationInForceVerifies) {
  Readmission& readmission = Serve(Sources("whsec_wrong"));
  EXPECT_TRUE(ErrorOf(readmission, Refused("evt_1")).starts_with("invalid_signature: "));
  readmission.UseSources(Sources(kSecret));
  const auto admitted = readmission.Admit(Refused("evt_1"), Mode::kCommit);
  ASSERT_TRUE(admitted) << admitted.error();
  EXPECT_EQ(admitted->event_id, "evt_1");
  EXPECT_EQ(admitted->sequence, 1U);
  EXPECT_EQ(admitted->stored, 1U);
  EXPECT_EQ(store_->last_sequence(), 1U);
}

TEST_F(ReadmissionTest, LeavesDedupeToTheCommitter) {
  Readmission& readmission = Serve(Sources(kSecret));
  ASSERT_TRUE(readmission.Admit(Refused("evt_1"), Mode::kCommit));
  ASSERT_TRUE(readmission.Admit(Refused("evt_2"), Mode::kCommit));
  const auto again = readmission.Admit(Refused("evt_1"), Mode::kCommit);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->sequence, 1U);
  EXPECT_EQ(again->stored, 0U);
  EXPECT_EQ(again->duplicates, 1U);
  EXPECT_EQ(store_->last_sequence(), 2U);
}

TEST_F(ReadmissionTest, JudgesTheTimestampAsOfTheReceipt) {
  Readmission& readmission = Serve(Sources(kSecret));
  EXPECT_TRUE(ErrorOf(readmission, Refused("evt_1", {}, 301)).starts_with("stale_timestamp: "));
  EXPECT_TRUE(readmission.Admit(Refused("evt_1", {}, 299), Mode::kCommit));
}

TEST_F(ReadmissionTest, OnlyVerifiesWhenItIsOnlyAsked) {
  Readmission& readmission = Serve(Sources(kSecret));
  const auto verified = readmission.Admit(Refused("evt_1"), Mode::kVerify);
  ASSERT_TRUE(verified) << verified.error();
  EXPECT_EQ(verified->event_id, "evt_1");
  EXPECT_EQ(store_->last_sequence(), storage::kNoSequence);
}

TEST_F(ReadmissionTest, RefusesWhatIsNoEventOfASource) {
  Readmission& readmission = Serve(Sources(kSecret, "stripe", true));
  EXPECT_TRUE(ErrorOf(readmission, Refused("evt_1", R"({"no":"id"})")).starts_with("malformed_payload"));
  quarantine::Entry elsewhere = Refused("evt_1");
  elsewhere.source = "gone";
  EXPECT_EQ(ErrorOf(readmission, elsewhere), "no source of this name is configured");
  readmission.UseSources(Sources(kSecret, "slack"));
  const std::string challenge = R"({"type":"url_verification","challenge":"c"})";
  EXPECT_EQ(ErrorOf(readmission, Refused("evt_1", challenge, 0, "slack")),
            "a handshake, which is answered and never stored");
}

TEST_F(ReadmissionTest, RefusesWhatCannotBeStoredNow) {
  Readmission& readmission = Serve(Sources(kSecret));
  gate_.storable = false;
  EXPECT_EQ(ErrorOf(readmission, Refused("evt_1")), "events cannot be stored right now");
  gate_.storable = true;
  gate_.accepting = false;
  EXPECT_EQ(ErrorOf(readmission, Refused("evt_1")), "the server is stopping");
  gate_.accepting = true;
  readmission.Close();
  EXPECT_EQ(ErrorOf(readmission, Refused("evt_1")), "the server is stopping");
}

TEST_F(ReadmissionTest, TakesItsTurnAmongOtherThreads) {
  Readmission& readmission = Serve(Sources(kSecret));
  std::vector<std::thread> operators;
  operators.reserve(4);
  for (int i = 0; i < 4; ++i) {
    operators.emplace_back([&readmission, i] {
      for (int n = 0; n < 10; ++n) {
        const auto admitted =
            readmission.Admit(Refused("evt_" + std::to_string(i) + "_" + std::to_string(n)), Mode::kCommit);
        EXPECT_TRUE(admitted) << admitted.error();
      }
    });
  }
  for (std::thread& thread : operators) thread.join();
  EXPECT_EQ(store_->last_sequence(), 40U);
}

}  // namespace
}  // namespace weir::ingest
