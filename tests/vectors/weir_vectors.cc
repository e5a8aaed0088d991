// weir-vectors [--all] [--mutate N] FILE…: judges every row of JSONL files of signed requests. One line for
// each wrong verdict on stdout, totals on stderr; exit 1 when there was one, 2 when a file could not be read.
//   --all        rows marked as quirks count as wrong too when weir judges them differently
//   --mutate N   also changes the signatures of the small valid rows, and of one request of every kind that
//                weir signs itself, N times in all; each accepted one is wrong
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/vectors/mutation.h"
#include "tests/vectors/signed_rows.h"
#include "tests/vectors/vector_row.h"

namespace {

using namespace weir;

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kMutatedBodyBytesMax = 4096;

struct Options {
  bool all = false;
  std::uint64_t mutations = 0;
  std::vector<const char*> files;
};

struct Totals {
  unsigned rows = 0;
  unsigned wrong = 0;
  unsigned quirks = 0;  // judged differently, and allowed to be
};

Options ReadOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--all") {
      options.all = true;
    } else if (argument == "--mutate" && i + 1 < argc) {
      options.mutations = std::strtoull(argv[++i], nullptr, 10);
    } else {
      options.files.push_back(argv[i]);
    }
  }
  return options;
}

bool ReadFile(const char* path, std::vector<vectors::VectorRow>& rows, std::vector<std::string>& places) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path);
    return false;
  }
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    auto row = vectors::ParseRow(line);
    places.push_back(std::string(path) + ":" + std::to_string(number));
    if (!row) {
      std::fprintf(stderr, "%s: %s\n", places.back().c_str(), row.error().c_str());
      return false;
    }
    rows.push_back(*std::move(row));
  }
  return true;
}

void JudgeRow(const vectors::VectorRow& row, const std::string& place, bool all, source::Verifier& verifier,
              Totals& totals) {
  ++totals.rows;
  const vectors::Judgement judgement = vectors::Judge(row, verifier);
  if (judgement.wrong.empty()) return;
  if (row.quirk && !all) {
    ++totals.quirks;
    return;
  }
  ++totals.wrong;
  std::printf("%s: %s %s%s: %s\n", place.c_str(), row.provider.c_str(), row.name.c_str(),
              row.quirk ? " (quirk)" : "", judgement.wrong.c_str());
}

void JudgeAllMutations(std::vector<vectors::VectorRow> rows, std::uint64_t mutations,
                       source::Verifier& verifier, Totals& totals) {
  std::erase_if(rows, [](const vectors::VectorRow& row) {
    return row.name != "valid" || !row.expected_valid || row.body.size() > kMutatedBodyBytesMax;
  });
  for (vectors::VectorRow& row : vectors::SignedRows()) rows.push_back(std::move(row));
  std::mt19937_64 random(kSeed);
  std::uint64_t tried = 0;
  std::uint64_t accepted = 0;
  std::set<std::string> kinds;
  for (const vectors::VectorRow& row : rows) {
    const auto counted = vectors::JudgeMutations(row, mutations / rows.size() + 1, verifier, random);
    tried += counted.tried;
    accepted += counted.accepted;
    if (counted.tried > 0) kinds.insert((*vectors::SourceOf(row)).kind);
    if (counted.accepted == 0) continue;
    ++totals.wrong;
    std::printf("%s: %llu of %llu mutated signatures accepted, such as \"%s\"\n", row.provider.c_str(),
                static_cast<unsigned long long>(counted.accepted),
                static_cast<unsigned long long>(counted.tried), counted.example.c_str());
  }
  std::fprintf(stderr, "%llu mutated signatures of %zu kinds, %llu accepted\n",
               static_cast<unsigned long long>(tried), kinds.size(),
               static_cast<unsigned long long>(accepted));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ReadOptions(argc, argv);
  if (options.files.empty() && options.mutations == 0) {
    std::fprintf(stderr, "usage: weir-vectors [--all] [--mutate N] FILE…\n");
    return 2;
  }
  source::Verifier verifier(kSeed);
  Totals totals;
  std::vector<vectors::VectorRow> rows;
  std::vector<std::string> places;
  bool readable = true;
  for (const char* path : options.files) readable &= ReadFile(path, rows, places);
  for (std::size_t i = 0; i < rows.size(); ++i) JudgeRow(rows[i], places[i], options.all, verifier, totals);
  if (options.mutations > 0) JudgeAllMutations(rows, options.mutations, verifier, totals);
  std::fprintf(stderr, "%u rows, %u wrong, %u quirks judged differently\n", totals.rows, totals.wrong,
               totals.quirks);
  if (!readable) return 2;
  return totals.wrong == 0 ? 0 : 1;
}
