#include "engine/config/captured_secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/config/load.h"
#include "tests/support/temp_directory.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;

class CapturedSecret : public testing::Test {
 protected:
  ~CapturedSecret() override { fs::remove_all(data_); }

  const fs::path data_ = tests::MakeTempDirectory();
};

TEST_F(CapturedSecret, IsNoneBeforeOneIsHandedOver) {
  const auto read = ReadCapturedSecret(data_, "asana");
  ASSERT_TRUE(read) << read.error();
  EXPECT_FALSE(*read);
}

TEST_F(CapturedSecret, IsReadBackAndPrivate) {
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "b537207f"), Capture::kKept);
  EXPECT_EQ(**ReadCapturedSecret(data_, "asana"), "b537207f");
  EXPECT_FALSE(*ReadCapturedSecret(data_, "notion"));
  const auto mode = [](const fs::path& path) { return fs::status(path).permissions(); };
  EXPECT_EQ(mode(CapturedSecretPath(data_, "asana")), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(mode(CapturedSecretPath(data_, "asana").parent_path()), fs::perms::owner_all);
}

TEST_F(CapturedSecret, TheFirstOneStays) {
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "first"), Capture::kKept);
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "second"), Capture::kTaken);
  EXPECT_EQ(**ReadCapturedSecret(data_, "asana"), "first");
}

TEST_F(CapturedSecret, TheSameOneAgainIsTheSendersRetry) {
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "first"), Capture::kKept);
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "first"), Capture::kKept);
}

TEST_F(CapturedSecret, ThatWasLostIsNotHandedOverAnew) {
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "first"), Capture::kKept);
  fs::remove(CapturedSecretPath(data_, "asana"));
  EXPECT_FALSE(ReadCapturedSecret(data_, "asana"));
  const auto kept = KeepCapturedSecret(data_, "asana", "second");
  ASSERT_FALSE(kept);
  EXPECT_NE(kept.error().find(CapturedCheckPath(data_, "asana").string()), std::string::npos) << kept.error();
  EXPECT_FALSE(fs::exists(CapturedSecretPath(data_, "asana")));
}

TEST_F(CapturedSecret, IsHandedOverAnewOnceBothFilesAreRemoved) {
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "first"), Capture::kKept);
  fs::remove(CapturedSecretPath(data_, "asana"));
  fs::remove(CapturedCheckPath(data_, "asana"));
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "second"), Capture::kKept);
  EXPECT_EQ(**ReadCapturedSecret(data_, "asana"), "second");
}

TEST_F(CapturedSecret, ThatWasAlteredIsAnErrorThatDoesNotShowIt) {
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "b537207f"), Capture::kKept);
  std::ofstream(CapturedSecretPath(data_, "asana")) << "b537207e";
  const auto read = ReadCapturedSecret(data_, "asana");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().find("b53720"), std::string::npos) << read.error();
}

TEST_F(CapturedSecret, OfAnOlderBuildHasNoCheckAndCounts) {
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "first"), Capture::kKept);
  fs::remove_all(CapturedCheckPath(data_, "asana").parent_path());
  EXPECT_EQ(**ReadCapturedSecret(data_, "asana"), "first");
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "first"), Capture::kKept);
  EXPECT_TRUE(fs::exists(CapturedCheckPath(data_, "asana")));
}

TEST_F(CapturedSecret, WhatACrashLeftUnfinishedIsNoSecret) {
  fs::create_directories(data_ / "secrets");
  std::ofstream(data_ / "secrets" / ".asana.new") << "unfinished and longer than the next";
  EXPECT_FALSE(*ReadCapturedSecret(data_, "asana"));
  EXPECT_EQ(KeepCapturedSecret(data_, "asana", "whole"), Capture::kKept);
  EXPECT_EQ(**ReadCapturedSecret(data_, "asana"), "whole");
}

TEST_F(CapturedSecret, WhereItCannotBeWrittenIsSaidWithoutTheSecret) {
  const auto kept = KeepCapturedSecret(data_ / "nowhere", "asana", "b537207f");
  ASSERT_FALSE(kept);
  EXPECT_NE(kept.error().find("nowhere"), std::string::npos);
  EXPECT_EQ(kept.error().find("b537207f"), std::string::npos);
}

class CapturedSecretInConfiguration : public CapturedSecret {
 protected:
  std::expected<Config, std::vector<ConfigError>> Load(const std::string& more) const {
    const std::string text = "[server]\ndata = \"" + data_.string() +
                             "\"\n[[source]]\nname = \"tasks\"\nkind = \"asana\"\n" + more;
    return Parse(text, data_ / "weir.toml", [](const std::string&) { return std::nullopt; });
  }
};

TEST_F(CapturedSecretInConfiguration, IsTheSecretOfASourceThatNamesNone) {
  EXPECT_TRUE(Load("")->sources[0].secrets.empty());
  ASSERT_TRUE(KeepCapturedSecret(data_, "tasks", "handed over"));
  EXPECT_EQ(Load("")->sources[0].secrets, std::vector<std::string>{"handed over"});
  EXPECT_EQ(Load("secrets_insecure = [\"configured\"]\n")->sources[0].secrets,
            std::vector<std::string>{"configured"});
}

TEST_F(CapturedSecretInConfiguration, ThatIsLostCostsItsSourceAlone) {
  ASSERT_TRUE(KeepCapturedSecret(data_, "tasks", "handed over"));
  fs::remove_all(CapturedSecretPath(data_, "tasks").parent_path());
  const auto loaded = Load("");
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->sources[0].captured_secret_lost);
  EXPECT_TRUE(loaded->sources[0].secrets.empty());
}

TEST_F(CapturedSecretInConfiguration, ThatEveryoneMayReadIsRefused) {
  ASSERT_TRUE(KeepCapturedSecret(data_, "tasks", "handed over"));
  fs::permissions(CapturedSecretPath(data_, "tasks"), fs::perms::others_read, fs::perm_options::add);
  const auto loaded = Load("");
  ASSERT_FALSE(loaded);
  EXPECT_NE(ToString(loaded.error()[0]).find("open to everyone"), std::string::npos)
      << ToString(loaded.error()[0]);
}

}  // namespace
}  // namespace weir::config
