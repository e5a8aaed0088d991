// Which refused requests a shard keeps, and what of them.
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/quarantine/quarantine.h"
#include "engine/source/kinds.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/ingest/desk.h"

namespace weir::ingest {
namespace {

std::shared_ptr<const source::SourceTable> Sources() {
  std::vector<source::Source> sources;
  for (const std::string name : {"hooks", "kept"}) {
    source::Source source;
    source.name = name;
    source.kind = "github";
    source.scheme = source::FindKind("github")->scheme;
    source.secrets = {std::string(kSecret)};
    source.body_bytes_max = 1 << 20;
    source.quarantine_bytes_max = name == "kept" ? 64 << 20 : 0;
    sources.push_back(std::move(source));
  }
  return std::make_shared<const source::SourceTable>(std::move(sources));
}

class QuarantinedRequestsTest : public Desk, public ::testing::Test {
 protected:
  QuarantinedRequestsTest() { intake.UseSources(Sources()); }
  ~QuarantinedRequestsTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void Send(const std::string& bytes) {
    Connection* connection = connections_.Take(-1);
    ASSERT_NE(connection, nullptr);
    std::string padded = bytes + std::string(limits::kJsonPaddingBytes, '\0');
    reader.OnBytes(*connection, std::string_view(padded).substr(0, bytes.size()), now_);
  }
  std::vector<quarantine::Entry> Kept() {
    EXPECT_TRUE(quarantine_.Start());
    quarantine_.Stop();
    std::vector<quarantine::Entry> entries;
    std::vector<quarantine::Torn> torn;
    EXPECT_TRUE(quarantine_.shelf().Visit("", std::nullopt, torn, [&entries](const auto&, const auto& entry) {
      entries.push_back(entry);
      return true;
    }));
    return entries;
  }

  std::filesystem::path directory_ = tests::MakeTempDirectory();
  quarantine::Quarantine quarantine_{directory_ / "quarantine", gate_.storable};
  Intake intake{{.gate = gate_,
                 .probe = probe_,
                 .answers = answers_,
                 .writer = writer_,
                 .handover = handover_,
                 .quarantine = &quarantine_,
                 .inflight = inflight_,
                 .inflight_bytes_max = limits_.inflight_bytes,
                 .seed = 1},
                Sources()};
  Reader reader{intake, answers_, inflight_, limits_};
};

TEST_F(QuarantinedRequestsTest, AreKeptByteForByteWithTheReason) {
  const Delivery wrong{
      .body = "{\"a\" :1}\n", .source = "kept", .secret = "wrong", .extra_fields = "X-A:  b \r\n"};
  Send(wrong.Bytes());
  const auto kept = Kept();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].source, "kept");
  EXPECT_EQ(kept[0].reason, "invalid_signature");
  EXPECT_EQ(kept[0].received_at_us, now_.unix_us);
  EXPECT_EQ(kept[0].method, "POST");
  EXPECT_EQ(kept[0].target, "/webhooks/kept");
  EXPECT_EQ(kept[0].body, wrong.body);
  EXPECT_NE(kept[0].headers.find("X-A:  b \r\n"), std::string::npos);
  EXPECT_TRUE(Bodies().empty());
}

TEST_F(QuarantinedRequestsTest, AreOnlyThoseThatFailedTheirVerification) {
  Send(Delivery{.source = "kept"}.Bytes());
  Send("GET /webhooks/kept HTTP/1.1\r\nHost: h\r\n\r\n");
  Send("POST /webhooks/kept HTTP/1.1\r\nHost: h\r\n\r\n");  // 411, before anything is verified
  Send("POST /webhooks/none HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_TRUE(Kept().empty());
  EXPECT_EQ(Bodies().size(), 1U);
}

TEST_F(QuarantinedRequestsTest, AreNotKeptForASourceThatDoesNotAskForIt) {
  Send(Delivery{.secret = "wrong"}.Bytes());
  EXPECT_TRUE(Kept().empty());
}

TEST_F(QuarantinedRequestsTest, CountAgainstTheRoomOnTheDisk) {
  gate_.disk_budget_bytes = 1 << 20;
  Send(Delivery{.body = std::string(1000, 'x'), .source = "kept", .secret = "wrong"}.Bytes());
  EXPECT_LT(gate_.disk_budget_bytes.load(), (1 << 20) - 1000);
}

}  // namespace
}  // namespace weir::ingest
