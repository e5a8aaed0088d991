#include "engine/sink/forwarded_fields.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace weir::sink {
namespace {

storage::Event With(std::string_view headers, std::string_view source = "shop") {
  storage::Event event;
  event.source = source;
  event.headers = headers;
  return event;
}

ForwardedFields Of(std::vector<std::string> fields, std::vector<std::string> never = {}) {
  return ForwardedFields({{.source = "shop", .fields = std::move(fields), .never = std::move(never)}});
}

std::string Fields(const ForwardedFields& forwarded, const storage::Event& event) {
  std::string out;
  forwarded.AppendFields(out, event);
  return out;
}

nlohmann::json Attributes(const ForwardedFields& forwarded, const storage::Event& event) {
  std::string out;
  forwarded.AppendAttributes(out, event);
  return nlohmann::json::parse(out.empty() ? "{}" : "{" + out.substr(1) + "}");
}

TEST(ForwardedFields, WhatAPatternNamesGoesAlongInItsOwnSpelling) {
  const auto event = With("X-Shopify-Shop-Domain:  a.example.com \r\nX-Other: 1\r\nX-SHOPIFY-TOPIC: t\r\n");
  EXPECT_EQ(Fields(Of({"x-shopify-*"}), event),
            "X-Shopify-Shop-Domain: a.example.com\r\nX-SHOPIFY-TOPIC: t\r\n");
  EXPECT_EQ(
      Attributes(Of({"x-shopify-*"}), event),
      nlohmann::json({{"weirheaderxshopifyshopdomain", "a.example.com"}, {"weirheaderxshopifytopic", "t"}}));
}

TEST(ForwardedFields, NothingGoesAlongOfASourceWithoutARule) {
  EXPECT_EQ(Fields(Of({"*"}), With("X-A: 1\r\n", "other")), "");
  EXPECT_EQ(Fields(ForwardedFields({}), With("X-A: 1\r\n")), "");
}

TEST(ForwardedFields, NoPatternLetsACredentialOrASignatureOut) {
  const auto event = With(
      "Authorization: Bearer x\r\nCookie: a=b\r\nX-Hub-Signature-256: sha256=aa\r\nX-Shopify-Hmac-Sha256: "
      "aa\r\n"
      "X-Gitlab-Token: s\r\nX-Api-Key: k\r\nX-Proof: p\r\nHost: a\r\nContent-Length: 3\r\nX-Ok: 1\r\n");
  EXPECT_EQ(Fields(Of({"*"}, {"x-proof"}), event), "X-Ok: 1\r\n");
  EXPECT_EQ(Fields(Of({"authorization", "cookie", "x-hub-signature-256", "x-proof"}, {"x-proof"}), event),
            "");
  EXPECT_EQ(Attributes(Of({"*"}, {"x-proof"}), event), nlohmann::json({{"weirheaderxok", "1"}}));
}

TEST(ForwardedFields, TheAttributesOfACloudEventGoAlong) {
  const auto event = With(
      "ce-id: 1\r\nce-source: /s\r\nce-type: t\r\nce-time: 2026-01-01T00:00:00Z\r\nce-specversion: 1.0\r\n"
      "ce-subject: caf%C3%A9 au\r\nCe-MyExt: \"a b\"\r\n");
  const std::string fields = Fields(Of({"ce-*"}), event);
  EXPECT_EQ(fields,
            "weir-header-ce-id: 1\r\nweir-header-ce-source: /s\r\nweir-header-ce-type: t\r\n"
            "weir-header-ce-time: 2026-01-01T00:00:00Z\r\nweir-header-ce-specversion: 1.0\r\n"
            "ce-subject: caf%C3%A9%20au\r\nCe-MyExt: a%20b\r\n");
  const auto attributes = Attributes(Of({"ce-*"}), event);
  EXPECT_EQ(attributes["weirheadercesubject"], "caf\xC3\xA9 au");
  EXPECT_EQ(attributes["weirheadercesource"], "/s");
  EXPECT_EQ(attributes["weirheadercemyext"], "a b");
}

TEST(ForwardedFields, NoAttributeLeavesThatIsNotText) {
  EXPECT_EQ(Fields(Of({"ce-*"}), With("ce-subject: %FF\r\nce-a: \xFF\r\nce-b: ok\r\n")), "ce-b: ok\r\n");
  EXPECT_EQ(Attributes(Of({"ce-*"}), With("ce-subject: %FF\r\n")), nlohmann::json::object());
}

TEST(ForwardedFields, NobodyPretendsToBeWeir) {
  const auto event = With("Weir-Sequence: 9\r\nwebhook-id: x\r\nWebhook-Signature: y\r\n");
  EXPECT_EQ(Fields(Of({"*"}), event), "weir-header-Weir-Sequence: 9\r\nweir-header-webhook-id: x\r\n");
}

TEST(ForwardedFields, LinesOfOneNameAreOneAttribute) {
  const auto event = With("X-A: 1\r\nx-a: 2\r\nX_A: 3\r\n");
  EXPECT_EQ(Fields(Of({"x*"}), event), "X-A: 1\r\nx-a: 2\r\nX_A: 3\r\n");
  EXPECT_EQ(Attributes(Of({"x*"}), event), nlohmann::json({{"weirheaderxa", "1, 2, 3"}}));
}

TEST(ForwardedFields, AValueThatCouldEndItsFieldStaysBehind) {
  EXPECT_EQ(Fields(Of({"x-*"}), With(std::string_view("X-A: a\rX-B: 1\r\nX-C: a\0b\r\nX-D:\r\n", 31))), "");
}

TEST(ForwardedFields, BytesThatAreNotUtf8AreStillJson) {
  EXPECT_EQ(Attributes(Of({"x-*"}), With("X-A: a\xFF\r\n"))["weirheaderxa"], "a\xEF\xBF\xBD");
}

TEST(ForwardedFields, OfEveryKindAreWhatTheKindsSay) {
  const ForwardedFields forwarded = ForwardedFields::OfEveryKind();
  const auto event = With(
      "X-GitHub-Hook-ID: 7\r\nX-Shopify-Shop-Domain: a\r\nX-Slack-Retry-Num: 1\r\nX-Gitlab-Token: "
      "s\r\nX-Mine: 1\r\n",
      "anyone");
  EXPECT_EQ(Fields(forwarded, event),
            "X-GitHub-Hook-ID: 7\r\nX-Shopify-Shop-Domain: a\r\nX-Slack-Retry-Num: 1\r\n");
}

}  // namespace
}  // namespace weir::sink
