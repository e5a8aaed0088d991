#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/tools/command_fixture.h"

namespace weir::tools {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

using EventsCommand = CommandTest;

TEST_F(EventsCommand, ListsTheNewestFirstAndSaysHowManyThereAre) {
  for (const char* id : {"a", "b", "c"}) Put({.id = id});
  ASSERT_EQ(Run({"events", "list", "--data", Data(), "--limit", "2"}), kDone) << err_;
  EXPECT_THAT(OutLines(), ElementsAre(HasSubstr("SEQUENCE"), EndsWith("  c"), EndsWith("  b"),
                                      "2 of 3 events, newest first; 1 more (--limit)"));
  EXPECT_EQ(err_, "");
}

TEST_F(EventsCommand, ListsTheSameWithAServerAndWithout) {
  for (const char* id : {"a", "b b&=%", "c"}) Put({.id = id, .type = "invoice.paid"});
  Sink("billing", 2);
  Serve();
  const std::vector<std::string> command = {"events", "list",      "--data", Data(),
                                            "--type", "invoice.*", "--json"};
  ASSERT_EQ(Run(command), kDone) << err_;
  const std::string online = out_;
  StopServing();
  ASSERT_EQ(Run(command), kDone) << err_;
  EXPECT_EQ(out_, online);
  const Json rows = Json::parse(out_);
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_EQ(rows[1]["id"], "b b&=%");
  EXPECT_EQ(rows[0]["state"], "pending");
}

TEST_F(EventsCommand, WalksMoreRowsThanOneAnswerHolds) {
  for (int i = 1; i <= 1200; ++i) Put({.id = std::to_string(i)});
  ASSERT_EQ(Run({"events", "list", "--data", Data(), "--limit", "1100", "--json"}), kDone) << err_;
  const Json rows = Json::parse(out_);
  ASSERT_THAT(rows, SizeIs(1100));
  EXPECT_EQ(rows.front()["sequence"], 1200);
  EXPECT_EQ(rows.back()["sequence"], 101);
}

TEST_F(EventsCommand, KeepsASendersBytesFromTheTerminal) {
  Put({.id = "\x1b[2J\nforged row", .type = "\x07"});
  ASSERT_EQ(Run({"events", "list", "--data", Data()}), kDone);
  EXPECT_THAT(OutLines(), SizeIs(3));
  EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
}

TEST_F(EventsCommand, Counts) {
  for (const char* id : {"a", "b", "c"}) Put({.id = id});
  EXPECT_EQ(Run({"events", "count", "--data", Data(), "--id", "b"}), kDone);
  EXPECT_EQ(out_, "1\n");
  EXPECT_EQ(Run({"events", "count", "--data", Data(), "--json"}), kDone);
  EXPECT_EQ(Json::parse(out_)["count"], 3);
}

TEST_F(EventsCommand, ShowsAnEventWithoutItsBody) {
  Put({.id = "a", .body = "payload", .headers = "X-Secret-Token: hunter2\r\nX-Other: 1\r\n"});
  ASSERT_EQ(Run({"events", "show", "--data", Data(), "1"}), kDone) << err_;
  EXPECT_THAT(out_, HasSubstr("body_bytes:   7"));
  EXPECT_THAT(out_, HasSubstr("X-Secret-Token: (hidden, 7 bytes)"));
  EXPECT_THAT(out_, HasSubstr("X-Other: 1"));
  EXPECT_THAT(out_, Not(HasSubstr("payload")));
}

TEST_F(EventsCommand, PrintsABodyByteForByte) {
  const std::string body("\0\xff{\n}\r\n", 7);
  Put({.id = "a", .body = body});
  ASSERT_EQ(Run({"events", "show", "--data", Data(), "--id", "a", "--body"}), kDone) << err_;
  EXPECT_EQ(out_, body);
  ASSERT_EQ(Run({"events", "show", "--data", Data(), "1", "--body", "--json"}), kDone) << err_;
  EXPECT_EQ(Json::parse(out_)["body_base64"], "AP97Cn0NCg==");
}

TEST_F(EventsCommand, ShowsTheNewestOfAnIdSentByTwoSources) {
  Put({.id = "a", .source = "one"});
  Put({.id = "a", .source = "two"});
  ASSERT_EQ(Run({"events", "show", "--data", Data(), "--id", "a", "--json"}), kDone);
  EXPECT_EQ(Json::parse(out_)["source"], "two");
  ASSERT_EQ(Run({"events", "show", "--data", Data(), "--id", "a", "--source", "one", "--json"}), kDone);
  EXPECT_EQ(Json::parse(out_)["source"], "one");
}

TEST_F(EventsCommand, EndsWithOneWhenThereIsNoSuchEvent) {
  Put({.id = "a"});
  EXPECT_EQ(Run({"events", "show", "--data", Data(), "2"}), kFoundWrong);
  EXPECT_EQ(Run({"events", "show", "--data", Data(), "--id", "b"}), kFoundWrong);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, HasSubstr("no event has the id b"));
}

TEST_F(EventsCommand, EndsWithTwoOnAnythingItDoesNotUnderstand) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"events"},
                                             {"events", "list"},
                                             {"events", "list", "--data", Data(), "--since", "yesterday"},
                                             {"events", "list", "--data", Data(), "--state", "lost"},
                                             {"events", "list", "--data", Data(), "--source", ""},
                                             {"events", "list", "--data", Data(), "--limit", "0"},
                                             {"events", "list", "--data", Data(), "--sauce", "x"},
                                             {"events", "show", "--data", Data()},
                                             {"events", "show", "--data", Data(), "0"},
                                             {"events", "show", "--data", Data(), "1", "--id", "a"},
                                             {"events", "list", "--data", Data() + "/nowhere"}}) {
    EXPECT_EQ(Run(command), kUsage) << testing::PrintToString(command);
    EXPECT_EQ(out_, "");
    EXPECT_NE(err_, "");
  }
}

// The store is held, as by a server that is still starting, and nobody answers.
TEST_F(EventsCommand, EndsWithThreeWhenTheStoreIsHeldAndNoServerAnswers) {
  Serve();  // keeps Run from closing the store
  std::filesystem::remove(File(admin::kSocketName));
  EXPECT_EQ(Run({"events", "list", "--data", Data()}), kNotReachable);
  EXPECT_THAT(err_, HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(EventsCommand, FitEightyColumnsWhateverTheSenderSays) {
  Put({.id = std::string(300, 'i'), .type = std::string(200, 't'), .source = std::string(60, 's')});
  ASSERT_EQ(Run({"events", "list", "--data", Data()}), kDone) << err_;
  for (const std::string& line : OutLines()) EXPECT_LE(line.size(), 80u) << line;
  ASSERT_EQ(Run({"events", "list", "--data", Data(), "--json"}), kDone) << err_;
  EXPECT_EQ(Json::parse(out_)[0]["id"], std::string(300, 'i'));
}

TEST_F(EventsCommand, LeaveNothingBehindInADirectoryThatIsNoStore) {
  const auto bare = File("bare");
  std::filesystem::create_directory(bare);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{"status"},
                                                                                       {"events", "list"},
                                                                                       {"events", "count"},
                                                                                       {"dlq", "list"},
                                                                                       {"dlq", "count"},
                                                                                       {"export"},
                                                                                       {"verify"}}) {
    std::vector<std::string> words = command;
    words.insert(words.end(), {"--data", bare.string()});
    EXPECT_EQ(Run(words), kUsage) << testing::PrintToString(words);
    EXPECT_THAT(err_, HasSubstr("there is no store in " + bare.string()));
    EXPECT_TRUE(std::filesystem::is_empty(bare)) << testing::PrintToString(words);
  }
}

TEST_F(EventsCommand, NameWhatIsInTheWayOfADataDirectory) {
  std::ofstream(File("file")) << "";
  EXPECT_EQ(Run({"events", "list", "--data", File("file").string()}), kUsage);
  EXPECT_THAT(err_, HasSubstr(File("file").string() + ": is not a directory"));
  EXPECT_EQ(Run({"events", "list", "--data", (File("file") / "below").string()}), kUsage);
  EXPECT_THAT(err_, HasSubstr(File("file").string() + ": is not a directory"));
}

TEST_F(EventsCommand, HelpsWithAnExample) {
  for (const char* verb : {"list", "show", "count"}) {
    EXPECT_EQ(Run({"events", verb, "--help"}), kDone);
    EXPECT_THAT(out_, HasSubstr("Example:\n  weir events " + std::string(verb)));
  }
}

}  // namespace
}  // namespace weir::tools
