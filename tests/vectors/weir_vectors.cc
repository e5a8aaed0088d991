// weir-vectors [--all] FILE…: judges every row of JSONL files of signed requests. One line for each wrong
// verdict on stdout, totals on stderr; exit 1 when there was one, 2 when a file could not be read. Rows
// marked as quirks may differ; --all counts them as wrong too.
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/vectors/vector_row.h"

namespace {

struct Totals {
  unsigned rows = 0;
  unsigned wrong = 0;
  unsigned quirks = 0;  // judged differently, and allowed to be
};

bool JudgeFile(const char* path, bool all, weir::source::Verifier& verifier, Totals& totals) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path);
    return false;
  }
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    const auto row = weir::vectors::ParseRow(line);
    if (!row) {
      std::fprintf(stderr, "%s:%u: %s\n", path, number, row.error().c_str());
      return false;
    }
    ++totals.rows;
    const weir::vectors::Judgement judgement = weir::vectors::Judge(*row, verifier);
    if (judgement.wrong.empty()) continue;
    if (row->quirk && !all) {
      ++totals.quirks;
      continue;
    }
    ++totals.wrong;
    std::printf("%s:%u: %s %s%s: %s\n", path, number, row->provider.c_str(), row->name.c_str(),
                row->quirk ? " (quirk)" : "", judgement.wrong.c_str());
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::uint64_t kSeed = 1;
  weir::source::Verifier verifier(kSeed);
  Totals totals;
  bool all = false;
  bool readable = true;
  bool any = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--all") {
      all = true;
      continue;
    }
    any = true;
    readable &= JudgeFile(argv[i], all, verifier, totals);
  }
  if (!any) {
    std::fprintf(stderr, "usage: weir-vectors [--all] FILE…\n");
    return 2;
  }
  std::fprintf(stderr, "%u rows, %u wrong, %u quirks judged differently\n", totals.rows, totals.wrong,
               totals.quirks);
  if (!readable) return 2;
  return totals.wrong == 0 ? 0 : 1;
}
