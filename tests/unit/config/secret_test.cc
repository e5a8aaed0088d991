#include "engine/config/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "engine/limits.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;

class Secret : public testing::Test {
 protected:
  Secret() : directory_(fs::path(testing::TempDir()) / ("secret_test." + std::to_string(::getpid()))) {
    fs::create_directories(directory_);
  }
  ~Secret() override { fs::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text, fs::perms mode = fs::perms::owner_read) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
    fs::permissions(directory_ / name, mode);
  }
  std::expected<std::string, std::string> Resolve(const std::string& reference) const {
    auto secret = ResolveWhole(reference);
    if (!secret) return std::unexpected(std::move(secret.error()));
    return std::move(secret->value);
  }
  std::expected<ResolvedSecret, std::string> ResolveWhole(const std::string& reference) const {
    return ResolveSecret(reference, directory_,
                         [this](const std::string& name) -> std::optional<std::string> {
                           if (name == "SET") return "value";
                           if (name == "EMPTY") return "";
                           if (name == "CREDENTIALS_DIRECTORY") return directory_.string();
                           return std::nullopt;
                         });
  }

  fs::path directory_;
};

TEST_F(Secret, ComesFromTheEnvironmentAsItIs) {
  EXPECT_EQ(Resolve("env:SET"), "value");
}

TEST_F(Secret, MustBeSetInTheEnvironment) {
  EXPECT_EQ(Resolve("env:UNSET").error(), "env:UNSET is not set");
  EXPECT_EQ(Resolve("env:EMPTY").error(), "env:EMPTY is empty");
  EXPECT_FALSE(Resolve("env:"));
}

TEST_F(Secret, ComesFromAFileWithoutItsLastLineEnd) {
  Write("unix", "s3cret\n");
  Write("windows", "s3cret\r\n");
  Write("none", "s3cret");
  Write("two", "s3cret\n\n");
  EXPECT_EQ(Resolve("file:unix"), "s3cret");
  EXPECT_EQ(Resolve("file:windows"), "s3cret");
  EXPECT_EQ(Resolve("file:none"), "s3cret");
  EXPECT_EQ(Resolve("file:two"), "s3cret\n");
  EXPECT_EQ(Resolve("file:" + (directory_ / "unix").string()), "s3cret") << "an absolute path";
}

TEST_F(Secret, ComesFromSystemdsCredentials) {
  Write("stripe", "s3cret");
  EXPECT_EQ(Resolve("cred:stripe"), "s3cret");
  EXPECT_FALSE(Resolve("cred:../secret_test/stripe"));
  EXPECT_FALSE(Resolve("cred:.."));
}

TEST_F(Secret, IsRefusedFromAFileThatEveryoneMayRead) {
  Write("open", "s3cret", fs::perms(0644));
  const auto secret = Resolve("file:open");
  ASSERT_FALSE(secret);
  EXPECT_NE(secret.error().find("mode 0644"), std::string::npos) << secret.error();
  Write("group", "s3cret", fs::perms(0640));
  EXPECT_TRUE(Resolve("file:group"));
  EXPECT_EQ(ResolveWhole("file:group")->warning, "");
}

// As container runtimes mount secrets: for everyone to read and for nobody to write.
TEST_F(Secret, IsTakenWithAWarningFromAMountedFile) {
  Write("mounted", "s3cret", fs::perms(0444));
  const auto secret = ResolveWhole("file:mounted");
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->value, "s3cret");
  EXPECT_NE(secret->warning.find("file:mounted is open to everyone (mode 0444)"), std::string::npos)
      << secret->warning;
}

TEST_F(Secret, IsRefusedFromAFileThatEveryoneMayWriteWhoeverOwnsIt) {
  Write("writable", "s3cret", fs::perms(0666));
  EXPECT_FALSE(Resolve("file:writable"));
  Write("writable_by_others", "s3cret", fs::perms(0402));
  EXPECT_FALSE(Resolve("file:writable_by_others"));
}

TEST_F(Secret, OfAnotherUserIsOnlyWarnedOf) {
  std::string theirs = "/etc/hostname";
  if (::geteuid() == 0) {
    Write("theirs", "s3cret", fs::perms(0644));
    theirs = (directory_ / "theirs").string();
    ASSERT_EQ(::chown(theirs.c_str(), 65534, 65534), 0);
  }
  const auto secret = ResolveWhole("file:" + theirs);
  ASSERT_TRUE(secret) << secret.error();
  EXPECT_NE(secret->warning, "");
}

TEST_F(Secret, IsRefusedFromWhatIsNoFile) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(Resolve("file:fifo")) << "and it must not wait for a writer";
  EXPECT_FALSE(Resolve("file:."));
  EXPECT_FALSE(Resolve("file:missing"));
  EXPECT_FALSE(Resolve("file:"));
  EXPECT_FALSE(Resolve(std::string("file:unix\0x", 11)));
}

TEST_F(Secret, IsRefusedWhenItIsEmptyOrHuge) {
  Write("empty", "");
  Write("newline", "\n");
  Write("huge", std::string(limits::kSecretBytesMax + 1, 'x'));
  EXPECT_FALSE(Resolve("file:empty"));
  EXPECT_FALSE(Resolve("file:newline"));
  EXPECT_FALSE(Resolve("file:huge"));
}

TEST_F(Secret, IsNeverInTheError) {
  Write("open", "s3cret", fs::perms(0644));
  EXPECT_EQ(Resolve("file:open").error().find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace weir::config
