// A second reader for the heads that are served: llhttp in strict mode must take them too, and see the same fields.
// It is no judge of what is refused, and of three things that are served it is none either: it knows no OWS that is a
// tab behind Content-Length and Transfer-Encoding, no minor version past 1, and gives methods that are none of ours a
// grammar of their own.
#include <gtest/gtest.h>
#include <llhttp.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/http/request_parser.h"
#include "tests/unit/http/case_document.h"

namespace weir::http {
namespace {

struct Seen {
  std::vector<std::string> names;
  std::vector<std::string> values;
};

// Whether llhttp takes the head, whole.
bool Read(std::string_view head, Seen& seen) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_header_field = [](llhttp_t* parser, const char* at, std::size_t length) {
    static_cast<Seen*>(parser->data)->names.emplace_back(at, length);
    return 0;
  };
  settings.on_header_value = [](llhttp_t* parser, const char* at, std::size_t length) {
    const std::string_view value(at, length);
    const std::size_t end = value.find_last_not_of(" \t") + 1;
    static_cast<Seen*>(parser->data)->values.emplace_back(value.substr(0, end));
    return 0;
  };
  settings.on_headers_complete = [](llhttp_t*) { return static_cast<int>(HPE_PAUSED); };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  EXPECT_EQ(parser.lenient_flags, 0);
  parser.data = &seen;
  return llhttp_execute(&parser, head.data(), head.size()) == HPE_PAUSED;
}

bool LlhttpIsNoJudge(const Request& request, std::string_view head) {
  const bool tab = head.contains("\t\r\n") || head.contains("\tchunked");
  return tab || request.method == Method::kOther || head.contains(" HTTP/1.2") || head.contains(" HTTP/1.9");
}

TEST(LlhttpAgreement, IsStrict) {
  Seen seen;
  EXPECT_TRUE(Read("GET / HTTP/1.1\r\nA: b\r\n\r\n", seen));
  EXPECT_FALSE(Read("GET / HTTP/1.1\r\nA: b\r\r\n\r\n", seen));
  EXPECT_FALSE(Read("GET / HTTP/1.1\r\nA B: c\r\n\r\n", seen));
}

TEST(LlhttpAgreement, EveryHeadThatIsServedIsTheSameToLlhttp) {
  std::size_t compared = 0;
  for (const CaseDocument& document : ReadCaseDocuments(WEIR_TEST_CASES "/http")) {
    RequestParser parser{RequestParser::Limits{}};
    if (parser.ParseHead(document.bytes) != RequestParser::Step::kDone) continue;
    const std::string_view head = std::string_view(document.bytes).substr(0, parser.head_bytes());
    if (LlhttpIsNoJudge(parser.request(), head)) continue;
    Seen seen;
    EXPECT_TRUE(Read(head, seen)) << document.name;
    Seen ours;
    for (const Field& field : parser.request().fields()) {
      ours.names.emplace_back(field.name);
      ours.values.emplace_back(field.value);
    }
    EXPECT_EQ(seen.names, ours.names) << document.name;
    EXPECT_EQ(seen.values, ours.values) << document.name;
    ++compared;
  }
  EXPECT_GT(compared, 50U);
}

}  // namespace
}  // namespace weir::http
