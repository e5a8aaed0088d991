// source_seeds DIRECTORY: writes small vectors as requests, and their bodies as JSON documents, one directory
// a harness.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "engine/source/kinds.h"
#include "tests/vectors/vector_row.h"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSeedBytesMax = 2'000;  // long seeds slow a fuzzer and teach it nothing

void Write(const fs::path& file, std::string_view bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void WriteRow(const fs::path& root, const weir::vectors::VectorRow& row) {
  if (row.body.size() > kSeedBytesMax || !row.expected_valid) return;
  const auto source = weir::vectors::SourceOf(row);
  if (!source) return;
  const auto kinds = weir::source::Kinds();
  const auto index = weir::source::FindKind(source->kind) - kinds.data();
  std::string text(1, static_cast<char>(index));
  text += row.method + " " + row.target + "\n";
  for (const auto& [name, value] : row.headers) text.append(name).append(": ").append(value).append("\n");
  const std::string name = row.provider + "-" + row.name;
  Write(root / "verify" / name, text + "\n" + row.body);
  if (row.body.starts_with('{')) Write(root / "json" / name, "/data/id\n" + row.body);
  if (row.body.starts_with('[')) Write(root / "json" / name, "/0/event\n" + row.body);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const fs::path root = argv[1];
    fs::remove_all(root);
    for (const auto& entry : fs::directory_iterator(WEIR_TEST_CASES "/vectors")) {
      if (entry.path().extension() != ".jsonl") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        if (const auto row = weir::vectors::ParseRow(line)) WriteRow(root, *row);
      }
    }
    Write(root / "json" / "paths",
          "/a/0/b~1c\n{\"a\":[{\"b/c\":\"\\u00e9\\ud83d\\ude00\"},1.5e3,true,null]}");
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "source_seeds: %s\n", fault.what());
    return 1;
  }
  return 0;
}
