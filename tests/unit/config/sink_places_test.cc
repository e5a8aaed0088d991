// A file sink may be nothing that the configuration itself is read from.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/config/load.h"
#include "tests/support/temp_directory.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;

class SinkPlaces : public testing::Test {
 protected:
  SinkPlaces() {
    fs::create_directory(directory_ / "certificates");
    Write("secret");
    Write("signing");
    fs::create_symlink("secret", directory_ / "link");
  }

  void Write(const std::string& name) const {
    std::ofstream(directory_ / name, std::ios::binary) << "a secret that is long enough for anyone";
    fs::permissions(directory_ / name, fs::perms::owner_read);
  }
  std::string FirstError(const std::string& path) const {
    const std::string text = R"(
[[source]]
name = "shop"
kind = "stripe"
secrets = ["file:secret"]
[[source]]
name = "topic"
kind = "sns"
certificates = ["certificates"]
[[sink]]
name = "archive"
kind = "file"
path = ")" + path + R"("
[[sink]]
name = "later"
kind = "http"
url = "http://127.0.0.1/"
secret = "file:signing"
)";
    const auto loaded =
        Parse(text, directory_ / "weir.toml", [](const std::string&) { return std::nullopt; });
    return loaded ? "" : ToString(loaded.error()[0]);
  }

  const tests::TempDirectory directory_;
};

TEST_F(SinkPlaces, AreNoFileThatASecretOrACertificateIsReadFrom) {
  for (const std::string path :
       {"secret", "./certificates/../secret", "link", "signing", "certificates/new.pem"}) {
    EXPECT_NE(FirstError(path).find("sink[0].path: is where a secret or a certificate is read from"),
              std::string::npos)
        << path << ": " << FirstError(path);
  }
}

TEST_F(SinkPlaces, MayLieBesideThem) {
  EXPECT_EQ(FirstError("events.ndjson"), "");
  EXPECT_EQ(FirstError("secret.ndjson"), "");
}

}  // namespace
}  // namespace weir::config
