#include "engine/quarantine/entry.h"

#include <gtest/gtest.h>

#include "storage/value_codec.h"

namespace weir::quarantine {
namespace {

const Place kPlace{.source = "shop", .segment = 7, .offset = 8};
const Entry kEntry{.received_at_us = 1'767'225'600'000'001,
                   .source = "shop",
                   .reason = "invalid_signature",
                   .request_id = "00000000000000ff",
                   .method = "POST",
                   .target = "/webhooks/shop?a=1",
                   .headers = "X-Sig: abc\r\n",
                   .body = std::string("{}\0\xff", 4)};

TEST(QuarantineEntry, ComesBackAsItWasWritten) {
  const auto entry = Decode(Encode(kEntry, kPlace), kPlace);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->received_at_us, kEntry.received_at_us);
  EXPECT_EQ(entry->source, kEntry.source);
  EXPECT_EQ(entry->reason, kEntry.reason);
  EXPECT_EQ(entry->request_id, kEntry.request_id);
  EXPECT_EQ(entry->method, kEntry.method);
  EXPECT_EQ(entry->target, kEntry.target);
  EXPECT_EQ(entry->headers, kEntry.headers);
  EXPECT_EQ(entry->body, kEntry.body);
}

TEST(QuarantineEntry, OfTheFirstVersionHasNoRequestId) {
  storage::ValueWriter writer(1);
  writer.I64(7).Text("shop").Text("stale_timestamp").Text("POST").Text("/").Text("").Text("{}");
  const auto entry = Decode(std::move(writer).Finish(ToString(kPlace)), kPlace);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->reason, "stale_timestamp");
  EXPECT_EQ(entry->body, "{}");
  EXPECT_EQ(entry->request_id, "");
}

TEST(QuarantineEntry, IsRefusedWhenAByteChangedOrItIsCutShortOrMoved) {
  const std::string value = Encode(kEntry, kPlace);
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string changed = value;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(Decode(changed, kPlace)) << i;
    EXPECT_FALSE(Decode(value.substr(0, i), kPlace)) << i;
  }
  EXPECT_FALSE(Decode(value, {.source = "shop", .segment = 7, .offset = 9}));
}

TEST(QuarantineEntry, NamesItsPlaceAndNothingElse) {
  EXPECT_EQ(ToString(kPlace), "shop:7:8");
  EXPECT_EQ(ParsePlace("shop:7:8"), kPlace);
  for (const char* text : {"", "shop", "shop:7", ":7:8", "shop:7:", "shop::8", "shop:x:8", "shop:7:-8",
                           "shop:7:8 ", "../shop:7:8", "shop:4294967296:8"}) {
    EXPECT_FALSE(ParsePlace(text)) << text;
  }
}

}  // namespace
}  // namespace weir::quarantine
