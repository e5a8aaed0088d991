#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/unit/tools/command_fixture.h"

namespace weir::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ExportCommand : public CommandTest {
 protected:
  void PutSome(int first, int last) {
    if (!store) Open();
    for (int i = first; i <= last; ++i) Put({.id = "evt_" + std::to_string(i)});
  }
  std::vector<std::uint64_t> Sequences(const std::string& text) {
    std::vector<std::uint64_t> sequences;
    for (const std::string& line : Lines(text)) sequences.push_back(Json::parse(line)["weirsequence"]);
    return sequences;
  }
  std::vector<std::uint64_t> SequencesIn(const std::string& name) { return Sequences(Read(File(name))); }
};

TEST_F(ExportCommand, WritesNdjsonToStdout) {
  PutSome(1, 3);
  ASSERT_EQ(Run({"export", "--data", Data()}), kDone) << err_;
  EXPECT_THAT(Sequences(out_), ElementsAre(1, 2, 3));
  EXPECT_EQ(err_, "");
}

TEST_F(ExportCommand, WritesCsvWithOneHeaderRow) {
  PutSome(1, 2);
  ASSERT_EQ(Run({"export", "--data", Data(), "--format", "csv", "--out", File("e.csv")}), kDone) << err_;
  const auto lines = Lines(Read(File("e.csv")));
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0], "sequence,id,source,type,state,received_at,body_base64\r");
}

TEST_F(ExportCommand, WritesEverythingOfALogLongerThanOneAnswer) {
  for (int i = 0; i < 6; ++i) Put({.id = std::to_string(i), .body = std::string(2 << 20, 'x')});
  Serve();
  ASSERT_EQ(Run({"export", "--data", Data(), "--out", File("all.ndjson")}), kDone) << err_;
  EXPECT_THAT(SequencesIn("all.ndjson"), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(ExportCommand, ReplacesAFileOnlyWithAWholeOne) {
  PutSome(1, 1);
  std::ofstream(File("out.ndjson")) << "yesterday's\n";
  ASSERT_EQ(Run({"export", "--data", Data(), "--out", File("out.ndjson")}), kDone) << err_;
  EXPECT_THAT(SequencesIn("out.ndjson"), ElementsAre(1));
  for (const auto& file : std::filesystem::directory_iterator(options.directory)) {
    EXPECT_THAT(file.path().string(), testing::Not(HasSubstr("partial")));
  }
}

TEST_F(ExportCommand, GoesOnWhereItsCursorEnded) {
  PutSome(1, 3);
  const std::vector<std::string> command = {"export", "--data", Data(),      "--cursor",
                                            "lake",   "--out",  File("lake")};
  ASSERT_EQ(Run(command), kDone) << err_;
  PutSome(4, 5);
  ASSERT_EQ(Run(command), kDone) << err_;
  ASSERT_EQ(Run(command), kDone) << err_;
  EXPECT_THAT(SequencesIn("lake"), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(ExportCommand, GoesOnOnStdoutToo) {
  PutSome(1, 2);
  const std::vector<std::string> command = {"export", "--data",   Data(), "--cursor",
                                            "pipe",   "--format", "csv"};
  ASSERT_EQ(Run(command), kDone) << err_;
  EXPECT_THAT(OutLines(), SizeIs(3));
  ASSERT_EQ(Run(command), kDone) << err_;
  EXPECT_EQ(out_, "");
  PutSome(3, 3);
  ASSERT_EQ(Run(command), kDone) << err_;
  EXPECT_THAT(OutLines(), ElementsAre(testing::StartsWith("3,evt_3")));
}

// A kill between the bytes and the cursor leaves a tail that the cursor does not know.
TEST_F(ExportCommand, CutsOffWhatItsCursorDoesNotKnow) {
  PutSome(1, 3);
  const std::vector<std::string> command = {"export", "--data", Data(),      "--cursor",
                                            "lake",   "--out",  File("lake")};
  ASSERT_EQ(Run(command), kDone) << err_;
  std::ofstream(File("lake"), std::ios::app) << R"({"weirsequence":4,"half)";
  PutSome(4, 4);
  ASSERT_EQ(Run(command), kDone) << err_;
  EXPECT_THAT(SequencesIn("lake"), ElementsAre(1, 2, 3, 4));
}

TEST_F(ExportCommand, WithACursorNeverTouchesAFileItDidNotWrite) {
  PutSome(1, 1);
  std::ofstream(File("precious")) << "precious";
  EXPECT_EQ(Run({"export", "--data", Data(), "--cursor", "lake", "--out", File("precious")}), kUsage);
  EXPECT_THAT(err_, HasSubstr("already has content that cursor lake did not write"));
  EXPECT_EQ(Read(File("precious")), "precious");
  EXPECT_EQ(Run({"export", "--data", Data(), "--cursor", "lake"}), kDone);
  EXPECT_THAT(Sequences(out_), ElementsAre(1)) << "the cursor has not moved";
}

TEST_F(ExportCommand, StartsANewFileWhereTheOldOneEndedAfterARotation) {
  PutSome(1, 2);
  const std::vector<std::string> command = {"export",   "--data", Data(),  "--cursor",      "lake",
                                            "--format", "csv",    "--out", File("lake.csv")};
  ASSERT_EQ(Run(command), kDone) << err_;
  std::filesystem::rename(File("lake.csv"), File("lake.1.csv"));
  PutSome(3, 3);
  ASSERT_EQ(Run(command), kDone) << err_;
  EXPECT_THAT(Lines(Read(File("lake.csv"))),
              ElementsAre(testing::StartsWith("sequence,"), testing::StartsWith("3,")));
}

TEST_F(ExportCommand, ExportsOnlyWhatMatchesAndItsCursorPassesTheRest) {
  Put({.id = "a", .type = "invoice.paid"});
  Put({.id = "b", .type = "charge.paid"});
  ASSERT_EQ(Run({"export", "--data", Data(), "--cursor", "c", "--type", "invoice.*"}), kDone);
  EXPECT_THAT(Sequences(out_), ElementsAre(1));
  ASSERT_EQ(Run({"export", "--data", Data(), "--cursor", "c"}), kDone);
  EXPECT_THAT(out_, IsEmpty());
}

TEST_F(ExportCommand, FollowsANewEventUntilItIsInterrupted) {
  PutSome(1, 2);
  Serve();
  // Two more arrive while it runs; once they are in the file it is told to stop.
  std::thread operator_at_work([this] {
    const auto has = [this](std::size_t lines) {
      return std::filesystem::exists(File("tail")) && Lines(Read(File("tail"))).size() >= lines;
    };
    EXPECT_TRUE(tests::Eventually([&] { return has(2); }));
    PutSome(3, 4);
    EXPECT_TRUE(tests::Eventually([&] { return has(4); }));
    ::kill(::getpid(), SIGTERM);
  });
  EXPECT_EQ(Run({"export", "--data", Data(), "--follow", "--cursor", "tail", "--out", File("tail")}), kDone)
      << err_;
  operator_at_work.join();
  EXPECT_THAT(SequencesIn("tail"), ElementsAre(1, 2, 3, 4));
}

TEST_F(ExportCommand, CannotFollowWithoutAServer) {
  PutSome(1, 1);
  EXPECT_EQ(Run({"export", "--data", Data(), "--follow"}), kNotReachable);
  EXPECT_THAT(err_, HasSubstr("--follow needs a running server"));
}

TEST_F(ExportCommand, SaysThatItsFileCannotBeWritten) {
  PutSome(1, 1);
  EXPECT_EQ(Run({"export", "--data", Data(), "--out", File("no/such/directory")}), kFoundWrong);
  EXPECT_EQ(Run({"export", "--data", Data(), "--out", "/dev/null"}), kFoundWrong);
  EXPECT_THAT(err_, HasSubstr("/dev/null: is not a regular file"));
}

TEST_F(ExportCommand, SaysThatTheDiskIsFull) {
  PutSome(1, 1);
  EXPECT_EQ(Run({"export", "--data", Data(), "--cursor", "x", "--out", "/dev/full"}), kFoundWrong);
  EXPECT_NE(err_, "");
}

TEST_F(ExportCommand, RefusesFormatsAndCursorNamesItDoesNotKnow) {
  EXPECT_EQ(Run({"export", "--data", Data(), "--format", "xml"}), kUsage);
  EXPECT_EQ(Run({"export", "--data", Data(), "--cursor", "../x"}), kUsage);
}

}  // namespace
}  // namespace weir::tools
