// What becomes of a request whose signature is right: ids, types, batches, and events that cannot be used.
#include <gtest/gtest.h>

#include <set>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

struct Event {
  std::string id, type, malformed, body;
};

// The events of a signed request of a kind.
std::vector<Event> EventsOf(const Source& source, std::string body, Verifier& verifier) {
  OwnedRequest request = Signed(source, std::move(body));
  const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
  std::vector<Event> events;
  if (const auto* accepted = std::get_if<Accepted>(&verdict)) {
    for (const VerifiedEvent& event : *accepted->events) {
      events.push_back({std::string(event.id), std::string(event.type), std::string(event.malformed),
                        std::string(event.body)});
    }
  } else {
    ADD_FAILURE() << AnswerOf(verdict);
  }
  return events;
}

std::vector<Event> EventsOf(std::string_view kind, std::string body) {
  Verifier verifier(7);
  return EventsOf(SourceOf(kind, {"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}), std::move(body), verifier);
}

TEST(Events, AMissingIdMakesAMalformedEventThatNeverCollapses) {
  Verifier verifier(7);
  const Source stripe = SourceOf("stripe", {"s"});
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const auto events = EventsOf(stripe, R"({"type":"a"})", verifier);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].malformed, "no event id at json /id");
    EXPECT_EQ(events[0].type, "a");
    ids.insert(events[0].id);
  }
  EXPECT_EQ(ids.size(), 100U);
  Verifier restarted(8);
  EXPECT_FALSE(ids.contains(EventsOf(stripe, R"({"type":"a"})", restarted)[0].id));
}

TEST(Events, AnUnusableIdIsMalformed) {
  for (const std::string& body :
       {std::string(R"({"id":""})"), std::string(R"({"id":null})"), std::string(R"({"id":{}})"),
        std::string(R"({"id":"a\nb"})"),
        R"({"id":")" + std::string(limits::kEventIdBytesMax + 1, 'x') + R"("})", std::string("not json"),
        std::string("{\"id\":\"x"), std::string("[]"), std::string("")}) {
    const auto events = EventsOf("stripe", body);
    ASSERT_EQ(events.size(), 1U) << body;
    EXPECT_NE(events[0].malformed, "") << body;
    EXPECT_TRUE(events[0].id.starts_with("malformed-")) << body;
    EXPECT_EQ(events[0].body, body);
  }
}

// The reason is what is wrong with the body, not with a field that nobody could look for.
TEST(Events, ABodyThatIsNoJsonIsSaidToBeNone) {
  EXPECT_EQ(EventsOf("stripe", "{\"id\":\"1\",\"x\":\"\xff\"}")[0].malformed, "body is not JSON");
  EXPECT_EQ(EventsOf("stripe", "[]")[0].malformed, "no event id at json /id");
}

// Nothing that is acked may look like an event of another type, or of none, because nobody could read its own.
TEST(Events, ATypeThatCannotBeReadMakesTheEventMalformed) {
  for (const char* kind : {"github", "zoom", "stripe", "slack", "pagerduty", "hubspot"}) {
    const auto events = EventsOf(kind, "{\"id\":\"1\",\"eventId\":1,\"x\":\"\xff\"}");
    EXPECT_TRUE(events[0].malformed.ends_with("body is not JSON")) << kind << ' ' << events[0].type;
  }
  constexpr std::string_view kReason = "event type cannot be read: body is not JSON";
  EXPECT_EQ(EventsOf("stripe", R"({"id":"1","type":"\ud800"})")[0].malformed, kReason);
  EXPECT_EQ(EventsOf("github", R"({"action":"\ud800"})")[0].malformed, kReason);
  EXPECT_EQ(EventsOf("github", R"({"ref":"main"})")[0].malformed, "");
  EXPECT_EQ(EventsOf("github", "")[0].malformed, "") << "an empty body has nothing that could be misread";
}

// Nobody could deliver what a sender forgot to name: what it says names it.
TEST(Events, ASenderThatLeavesItsIdOutIsKnownByItsBytes) {
  const struct {
    std::string_view kind;
    std::vector<std::string_view> ids;
  } cases[] = {{"pagerduty", {"x-webhook-id"}},
               {"shopify", {"x-shopify-webhook-id", "shopify-webhook-id"}},
               {"woocommerce", {"x-wc-webhook-delivery-id"}}};
  for (const auto& left_out : cases) {
    const Source source = SourceOf(left_out.kind, {"c2VjcmV0LXNlY3JldC1zZWNyZXQ"});
    const auto id_of = [&](std::string body) {
      OwnedRequest request = Signed(source, std::move(body));
      std::erase_if(request.headers, [&](const auto& field) {
        return std::ranges::any_of(
            left_out.ids, [&](std::string_view id) { return http::EqualsIgnoreCase(field.first, id); });
      });
      Verifier verifier(7);
      const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
      const auto* accepted = std::get_if<Accepted>(&verdict);
      if (accepted == nullptr) return AnswerOf(verdict);
      const VerifiedEvent& event = accepted->events->front();
      return std::string(event.malformed.empty() ? event.id : event.malformed);
    };
    const std::string first = id_of(R"({"event":{"event_type":"pagey.ping"}})");
    EXPECT_FALSE(first.starts_with("no event id")) << first;
    EXPECT_EQ(id_of(R"({"event":{"event_type":"pagey.ping"}})"), first) << left_out.kind;
    EXPECT_NE(id_of(R"({"event":{"event_type":"pagey.pong"}})"), first) << left_out.kind;
  }
}

TEST(Events, AnIdOfTheLimitIsUsable) {
  const std::string id(limits::kEventIdBytesMax, 'x');
  EXPECT_EQ(EventsOf("stripe", R"({"id":")" + id + R"("})")[0].id, id);
}

TEST(Events, ATypePastTheLimitIsMalformedAndNotKept) {
  const auto events = EventsOf(
      "stripe", R"({"id":"1","type":")" + std::string(limits::kEventTypeBytesMax + 1, 't') + R"("})");
  EXPECT_EQ(events[0].malformed, "event type is longer than the limit");
  EXPECT_EQ(events[0].type, "");
}

TEST(Events, AByteThatJsonMayNotHoldCostsItsElementAlone) {
  const std::string bad[] = {
      "\xe9", "\xff", "\xed\xa0\x80", std::string(1, '\x01'), "\n", std::string(1, '\0')};
  for (const std::string& bytes : bad) {
    const std::string second = R"({"eventId":2,"note":"\" caf)" + bytes + R"("})";
    const auto events = EventsOf("hubspot", R"([{"eventId":1}, )" + second + R"( ,{"eventId":3}])");
    ASSERT_EQ(events.size(), 3U) << second;
    EXPECT_EQ(events[0].body, R"({"eventId":1})");
    EXPECT_EQ(events[1].body, second);
    EXPECT_EQ(events[2].body, R"({"eventId":3})");
    EXPECT_EQ(events[0].malformed + events[2].malformed, "");
  }
}

// A batch has a media type of its own, which none of its elements has.
TEST(Events, AnElementOfACloudEventsBatchHasTheTypeOfAnEvent) {
  const Source source = SourceOf("cloudevents", {"c2VjcmV0LXNlY3JldC1zZWNyZXQ"});
  const struct {
    std::string_view sent;
    std::string_view kept;
  } cases[] = {{"application/cloudevents-batch+json", "application/cloudevents+json"},
               {"Application/CloudEvents-Batch+JSON; charset=utf-8", "application/cloudevents+json"},
               {"application/json", ""}};
  for (const auto& [sent, kept] : cases) {
    OwnedRequest request = Signed(source, R"([{"specversion":"1.0","id":"1","source":"/a","type":"t"},)"
                                          R"({"specversion":"1.0","id":"2","source":"/a","type":"t"}])");
    std::erase_if(request.headers,
                  [](const auto& field) { return http::EqualsIgnoreCase(field.first, "content-type"); });
    request.headers.emplace_back("Content-Type", sent);
    Verifier verifier(7);
    const Verdict verdict = verifier.Verify(source, request.View(), kNowUs);
    const auto* accepted = std::get_if<Accepted>(&verdict);
    ASSERT_NE(accepted, nullptr) << AnswerOf(verdict);
    ASSERT_EQ(accepted->events->size(), 2U);
    for (const VerifiedEvent& event : *accepted->events) EXPECT_EQ(event.content_type, kept) << sent;
  }
}

TEST(Events, AMissingTypeIsEmpty) {
  const auto events = EventsOf("stripe", R"({"id":"1"})");
  EXPECT_EQ(events[0].type, "");
  EXPECT_EQ(events[0].malformed, "");
}

TEST(Events, NumericIdsKeepTheirDigits) {
  for (const char* number : {"12345678901234567890123", "18446744073709551616", "-1", "1.50", "1e400"}) {
    EXPECT_EQ(EventsOf("stripe", std::string(R"({"id":)") + number + "}")[0].id, number);
  }
  for (const char* none : {"01", "1.", ".5", "+1", "1e", "0x10"}) {
    EXPECT_NE(EventsOf("stripe", std::string(R"({"id":)") + none + "}")[0].malformed, "") << none;
  }
  EXPECT_EQ(EventsOf("stripe", R"({"id":1234567890123456789})")[0].id, "1234567890123456789");
}

TEST(Events, PartsOfAnIdCannotRunIntoEachOther) {
  const auto first =
      EventsOf("docusign", R"({"event":"bc","generatedDateTime":"d","data":{"envelopeId":"a"}})");
  const auto second =
      EventsOf("docusign", R"({"event":"c","generatedDateTime":"d","data":{"envelopeId":"ab"}})");
  EXPECT_EQ(first[0].id, "1:a2:bc1:d");
  EXPECT_NE(first[0].id, second[0].id);
}

TEST(Events, ABatchBecomesItsEvents) {
  const auto events =
      EventsOf("line", R"({"destination":"U","events":[{"type":"message","webhookEventId":"A"},
    {"type":"follow","webhookEventId":"B\u00e9"}, {"type":"x"}]})");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].id, "A");
  EXPECT_EQ(events[0].body, R"({"type":"message","webhookEventId":"A"})");
  EXPECT_EQ(events[1].id, "B\xc3\xa9");
  EXPECT_EQ(events[1].type, "follow");
  EXPECT_EQ(events[2].malformed, "no event id at json /webhookEventId");
}

TEST(Events, AnEmptyBatchIsAcknowledgedAndStoresNothing) {
  EXPECT_TRUE(EventsOf("line", R"({"destination":"U","events":[]})").empty());
  EXPECT_TRUE(EventsOf("asana", R"({"events":[]})").empty());
  EXPECT_TRUE(EventsOf("xero", R"({"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"E"})")
                  .empty());
}

TEST(Events, ABatchThatIsNoneIsOneMalformedEvent) {
  for (const char* body : {"{}", "not json", R"({"events":1})", R"({"events":{}})",
                           R"({"events":[{"webhookEventId":"A"})", ""}) {
    const auto events = EventsOf("line", body);
    ASSERT_EQ(events.size(), 1U) << body;
    EXPECT_NE(events[0].malformed, "") << body;
    EXPECT_EQ(events[0].body, body);
  }
}

TEST(Events, OneBadElementCostsItself) {
  for (const char* bad : {"null", "1", "\"x\"", "[]", "true", "{}"}) {
    const std::string body =
        std::string(R"({"events":[{"webhookEventId":"A"},)") + bad + R"(,{"webhookEventId":"B"}]})";
    const auto events = EventsOf("line", body);
    ASSERT_EQ(events.size(), 3U) << bad;
    EXPECT_EQ(events[0].id, "A");
    EXPECT_NE(events[1].malformed, "") << bad;
    EXPECT_EQ(events[1].body, bad);
    EXPECT_EQ(events[2].id, "B");
  }
}

TEST(Events, AByteOrderMarkIsPassedOverAndKept) {
  const std::string body = "\xEF\xBB\xBF{\"id\":\"e1\",\"type\":\"t\"}";
  const auto events = EventsOf("stripe", body);
  EXPECT_EQ(events[0].id, "e1");
  EXPECT_EQ(events[0].type, "t");
  EXPECT_EQ(events[0].body, body);
  EXPECT_EQ(EventsOf("line", "\xEF\xBB\xBF{\"events\":[{\"webhookEventId\":\"A\"}]}")[0].id, "A");
}

// Taken, it would be one event that nobody can deliver.
TEST(Events, ABatchPastTheLimitIsRefused) {
  std::string body = R"({"events":[{"webhookEventId":"A"})";
  for (std::size_t i = 0; i < limits::kEventsPerRequestMax; ++i) body += R"(,{"webhookEventId":"A"})";
  body += "]}";
  const Source source = SourceOf("line", {"c2VjcmV0LXNlY3JldC1zZWNyZXQ"});
  EXPECT_EQ(AnswerTo(source, Signed(source, body)), "malformed_payload");
  body.insert(body.find('A'), 1, '\xff');
  EXPECT_EQ(AnswerTo(source, Signed(source, body)), "malformed_payload") << "with a bad byte in it, too";
}

TEST(Events, SendersWithoutIdsAreKnownByTheirBytes) {
  const auto first = EventsOf("calendly", R"({"event":"invitee.created","n":1})");
  EXPECT_EQ(first[0].id, EventsOf("calendly", R"({"event":"invitee.created","n":1})")[0].id);
  EXPECT_NE(first[0].id, EventsOf("calendly", R"({"event":"invitee.created","n":2})")[0].id);
  EXPECT_EQ(first[0].malformed, "");
}

TEST(Events, SendersThatRepeatEqualBytesNeverCollapse) {
  Verifier verifier(7);
  const Source dropbox = SourceOf("dropbox", {"s"});
  const std::string body = R"({"list_folder":{"accounts":["a"]}})";
  const auto first = EventsOf(dropbox, body, verifier);
  const auto second = EventsOf(dropbox, body, verifier);
  EXPECT_NE(first[0].id, second[0].id);
  EXPECT_EQ(first[0].malformed, "");
}

TEST(Events, UpdatesOfOneTransferAreToldApart) {
  const Source adyen =
      SourceOf("adyen", {"44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"});
  Verifier verifier(1);
  const auto created = EventsOf(adyen, R"({"type":"transfer.created","data":{"id":"X"}})", verifier);
  const auto updated = EventsOf(adyen, R"({"type":"transfer.updated","data":{"id":"X"}})", verifier);
  EXPECT_NE(created[0].id, updated[0].id);
}

TEST(Events, AFormWithAPayloadFieldIsReadAsItsJson) {
  const Source slack = SourceOf("slack", {"8f742231b10e8888abcd99yyyzzz85a5"});
  Verifier verifier(1);
  const auto events = EventsOf(
      slack, "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%2213.37%22%7D", verifier);
  EXPECT_EQ(events[0].id, "13.37");
  EXPECT_EQ(events[0].type, "block_actions");
}

TEST(Events, ASlashCommandIsKnownByItsTrigger) {
  const Source slack = SourceOf("slack", {"8f742231b10e8888abcd99yyyzzz85a5"});
  Verifier verifier(1);
  const auto events =
      EventsOf(slack, "token=x&command=%2Fweather&trigger_id=13345224609.738474920.8088", verifier);
  EXPECT_EQ(events[0].id, "13345224609.738474920.8088");
  EXPECT_EQ(events[0].type, "/weather");
}

}  // namespace
}  // namespace weir::source
