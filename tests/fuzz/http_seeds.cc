// http_seeds DIRECTORY: writes the HTTP cases as files of bytes, one directory a harness.
#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/unit/http/case_document.h"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSeedBytesMax = 20'000;  // long seeds slow a fuzzer and teach it nothing

constexpr std::array<std::string_view, 7> kUrls = {
    "http://sink.example:9000/events?a=b",
    "https://[::1]:443/x",
    "HTTP://A%2db.example?x",
    "http://user@host/",
    "http://a\\@b/#c",
    "http://127.0.0.1:65535",
    "https://a:/",
};

void Write(const fs::path& file, std::string_view bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

template <std::size_t kCount>
void WriteAll(const fs::path& directory, const std::array<std::string_view, kCount>& seeds) {
  for (std::size_t i = 0; i < kCount; ++i) Write(directory / std::to_string(i), seeds[i]);
}

void WriteCases(const fs::path& root) {
  for (const auto& document : weir::http::ReadCaseDocuments(WEIR_TEST_CASES "/http")) {
    if (document.bytes.size() > kSeedBytesMax) continue;
    Write(root / "request" / document.name, document.bytes);
    const std::size_t body = document.bytes.find("\r\n\r\n");
    if (document.bytes.contains("chunked") && body != std::string::npos) {
      Write(root / "chunked" / document.name, std::string_view(document.bytes).substr(body + 4));
    }
  }
  for (const auto& document : weir::http::ReadCaseDocuments(WEIR_TEST_CASES "/answers")) {
    if (document.bytes.size() <= kSeedBytesMax) Write(root / "response" / document.name, document.bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const fs::path root = argv[1];
    fs::remove_all(root);
    WriteCases(root);
    WriteAll(root / "url", kUrls);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "http_seeds: %s\n", fault.what());
    return 1;
  }
  return 0;
}
