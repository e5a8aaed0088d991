#include "engine/sink/cloud_event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace weir::sink {
namespace {

storage::Event Sample(std::string_view body,
                      std::string_view headers = "Content-Type: application/json\r\n") {
  storage::Event event;
  event.sequence = 42;
  event.received_at_us = 1'767'225'600'123'456;
  event.source = "stripe";
  event.id = "evt_1";
  event.type = "invoice.paid";
  event.headers = headers;
  event.body = body;
  return event;
}

std::string LineOf(const storage::Event& event) {
  std::string line;
  AppendCloudEventLine(line, event, {.state = "delivered", .forwarded = nullptr});
  return line;
}

TEST(CloudEventLine, CarriesTheAttributesOfTheEvent) {
  EXPECT_EQ(
      LineOf(Sample(R"({"a": 1})")),
      R"({"specversion":"1.0","id":"evt_1","source":"weir/stripe","type":"invoice.paid",)"
      R"("time":"2026-01-01T00:00:00.123456Z","weirsequence":42,"weirstate":"delivered",)"
      R"("weirreceivedat":"2026-01-01T00:00:00.123456Z","datacontenttype":"application/json","data":{"a": 1}})"
      "\n");
}

TEST(CloudEventLine, SaysWhichAttemptOfItsSenderBroughtIt) {
  auto event = Sample("{}");
  EXPECT_FALSE(nlohmann::json::parse(LineOf(event)).contains("weirsenderattempt"));
  event.attempt = 2;
  EXPECT_EQ(nlohmann::json::parse(LineOf(event))["weirsenderattempt"], 2);
}

TEST(CloudEventLine, IsOneLineOfJsonWhateverTheSenderPutIntoItsNames) {
  auto event = Sample("{}");
  event.id = "a\"b\\c\nd\x01\xFF";
  event.type = "x\"},\r\n{";
  event.source = "shop";
  const std::string line = LineOf(event);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["id"], "hex-6122625c630a6401ff");
  EXPECT_EQ(parsed["type"], "hex-78227d2c0d0a7b");
}

TEST(CloudEventLine, NamesThatDifferStayDifferentWhereTheyAreNotText) {
  auto event = Sample("{}");
  event.id = "\xFE";
  const std::string one = LineOf(event);
  event.id = "\xFF";
  EXPECT_NE(nlohmann::json::parse(one)["id"], nlohmann::json::parse(LineOf(event))["id"]);
}

TEST(CloudEventLine, TextInAnyLanguageStaysItself) {
  auto event = Sample("{}");
  event.id = "\xC3\xA9\"\\ \xF0\x9F\x98\x80";
  EXPECT_EQ(nlohmann::json::parse(LineOf(event))["id"], "\xC3\xA9\"\\ \xF0\x9F\x98\x80");
}

TEST(CloudEventLine, OfASinkCarriesNoState) {
  std::string line;
  AppendCloudEventLine(line, Sample("{}"), {});
  EXPECT_FALSE(nlohmann::json::parse(line).contains("weirstate"));
}

TEST(CloudEventLine, JsonBodyIsKeptByteForByte) {
  const std::string body = R"({"z":1.0,"a":10000000000000000000000,"z":"\u00e9\/"})";
  EXPECT_NE(LineOf(Sample(body)).find(R"("data":)" + body + "}\n"), std::string::npos);
}

TEST(CloudEventLine, LineBreaksBetweenTokensBecomeSpaces) {
  const std::string line = LineOf(Sample("{\r\n  \"a\":\n\"b\\n\"\n}\n"));
  EXPECT_NE(line.find("\"data\":{    \"a\": \"b\\n\" } }\n"), std::string::npos) << line;
}

TEST(CloudEventLine, AnythingElseIsBase64OfTheExactBytes) {
  for (const std::string& body :
       {std::string("a=b&c"), std::string("{\"a\":"), std::string("\"\xFF\""), std::string("{} {}"),
        std::string("nul\0!", 5), std::string("\xEF\xBB\xBF{}"), std::string("NaN")}) {
    const auto parsed = nlohmann::json::parse(LineOf(Sample(body)));
    EXPECT_FALSE(parsed.contains("data")) << body;
    EXPECT_TRUE(parsed.contains("data_base64")) << body;
  }
  EXPECT_EQ(nlohmann::json::parse(LineOf(Sample("a=b&c")))["data_base64"], "YT1iJmM=");
}

TEST(CloudEventLine, LargeBinaryBodyHasNoPaddingInTheMiddle) {
  const std::string body(7'000'001, '\xFE');
  const auto parsed = nlohmann::json::parse(LineOf(Sample(body)));
  const auto text = parsed["data_base64"].get<std::string>();
  EXPECT_EQ(text.size(), (body.size() + 2) / 3 * 4);
  EXPECT_EQ(text.find('='), text.size() - 1);
}

TEST(CloudEventLine, EmptyBodyHasNoData) {
  const auto parsed = nlohmann::json::parse(LineOf(Sample("")));
  EXPECT_FALSE(parsed.contains("data"));
  EXPECT_FALSE(parsed.contains("data_base64"));
}

TEST(CloudEventLine, ContentTypeIsTheSendersOrAbsent) {
  EXPECT_FALSE(nlohmann::json::parse(LineOf(Sample("{}", "X-A: b\r\n"))).contains("datacontenttype"));
  EXPECT_EQ(nlohmann::json::parse(
                LineOf(Sample("{}", "X-A: b\r\ncontent-TYPE:  text/plain; x=\"y\" \r\n")))["datacontenttype"],
            "text/plain; x=\"y\"");
}

TEST(CloudEventLine, EventWithoutATypeHasTheFallback) {
  auto event = Sample("{}");
  event.type = "";
  EXPECT_EQ(nlohmann::json::parse(LineOf(event))["type"], "weir.event");
}

TEST(CloudEventLine, SequenceIsFoundAgain) {
  EXPECT_EQ(SequenceOfLine(LineOf(Sample("{}"))), 42u);
  auto event = Sample(R"({"weirsequence":7})");
  event.id = R"("weirsequence":6)";
  event.sequence = 9'007'199'254'740'993;
  EXPECT_EQ(SequenceOfLine(LineOf(event)), 9'007'199'254'740'993u);
  EXPECT_EQ(SequenceOfLine("{}"), storage::kNoSequence);
  EXPECT_EQ(SequenceOfLine(R"({"weirsequence":)"), storage::kNoSequence);
}

}  // namespace
}  // namespace weir::sink
