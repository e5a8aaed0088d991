#include "engine/config/certificate_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/config/load.h"
#include "tests/support/temp_directory.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;

// Of a key that was thrown away.
constexpr std::string_view kPublicKey = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzkudUuCUjoqvpFXjPECa
2cwVQf+98B3aFkwc10/TAGBpayRJCEZLEGb5qNMtOlQ4TJmfmnlgcwHIoYx3fISQ
8hNVx1ec1Vdios6P/KnEXbsp7nJ2Yi01a06cX6pzKLOsSFwKGNOhn5GPlToWm/Zm
HgwN/+vpA+mLKeI7BnuyEqFTwevcDuMaj3M4K08NlBzZySyWJ30XTlppLAheR/a/
LBv8TflFRu69Ln47cIpedWHVcFfWjKtH6H0URejPFlmrIVT/aCK4at1PPyM6ftdW
LKcTnFXAXXFiGvVfsjjMHOTSRJj77G5Xm+V9TNhlWyBkW0bJ4BPWODKITwmB8fTp
fQIDAQAB
-----END PUBLIC KEY-----
)";

class CertificateFiles : public testing::Test {
 protected:
  CertificateFiles() { fs::create_directory(directory_ / "certificates"); }
  ~CertificateFiles() override { fs::remove_all(directory_); }

  void Write(const std::string& name, std::string_view text = kPublicKey) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  std::expected<Config, std::vector<ConfigError>> Load(const std::string& certificates,
                                                       const std::string& kind = "sns") const {
    const std::string text =
        "[[source]]\nname = \"topic\"\nkind = \"" + kind + "\"\ncertificates = " + certificates + "\n";
    return Parse(text, directory_ / "weir.toml", [](const std::string&) { return std::nullopt; });
  }
  std::string FirstError(const std::string& certificates, const std::string& kind = "sns") const {
    const auto loaded = Load(certificates, kind);
    return loaded ? "it loaded" : ToString(loaded.error()[0]);
  }

  const fs::path directory_ = tests::MakeTempDirectory();
};

TEST_F(CertificateFiles, AreKnownByTheirFileNames) {
  Write("one.pem");
  Write("certificates/two.pem");
  Write("certificates/.hidden");
  const auto loaded = Load(R"(["one.pem", "certificates"])");
  ASSERT_TRUE(loaded) << ToString(loaded.error()[0]);
  const auto& found = loaded->sources[0].certificates;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].first, "one.pem");
  EXPECT_EQ(found[0].second, kPublicKey);
  EXPECT_EQ(found[1].first, "two.pem");
}

TEST_F(CertificateFiles, OfAnEmptyDirectoryAreNoMistakeButAWarning) {
  const auto loaded = Load(R"(["certificates"])");
  ASSERT_TRUE(loaded) << ToString(loaded.error()[0]);
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_EQ(loaded->warnings[0].key, "source[0].certificates[0]");
  EXPECT_TRUE(loaded->sources[0].certificates_by_name);
}

TEST_F(CertificateFiles, ThatAreNotThereAreAMistakeAtTheirPlace) {
  EXPECT_NE(FirstError(R"(["one.pem"])").find("4: source[0].certificates[0]: "), std::string::npos)
      << FirstError(R"(["one.pem"])");
}

TEST_F(CertificateFiles, OfOneNameAreRefused) {
  Write("one.pem");
  Write("certificates/one.pem");
  EXPECT_NE(FirstError(R"(["one.pem", "certificates"])").find("two certificates are called one.pem"),
            std::string::npos);
}

TEST_F(CertificateFiles, MustHoldAKey) {
  Write("one.pem", "not a certificate");
  EXPECT_NE(FirstError(R"(["one.pem"])").find("4: source[0].certificates: one.pem "), std::string::npos)
      << FirstError(R"(["one.pem"])");
}

TEST_F(CertificateFiles, MeanNothingToOtherKinds) {
  Write("one.pem");
  EXPECT_NE(FirstError(R"(["one.pem"])", "stripe").find("mean nothing"), std::string::npos)
      << FirstError(R"(["one.pem"])", "stripe");
}

}  // namespace
}  // namespace weir::config
