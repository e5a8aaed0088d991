// Every row of tests/cases/vectors is judged as the provider's own SDK judged it, except for the rows listed
// with a reason in quirks.tsv.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "tests/vectors/mutation.h"
#include "tests/vectors/signed_rows.h"
#include "tests/vectors/vector_row.h"

namespace weir::vectors {
namespace {

const std::filesystem::path kVectors = std::filesystem::path(WEIR_TEST_CASES) / "vectors";

std::vector<VectorRow> AllRows() {
  std::vector<VectorRow> rows;
  for (const auto& entry : std::filesystem::directory_iterator(kVectors)) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      auto row = ParseRow(line);
      EXPECT_TRUE(row) << entry.path() << ": " << row.error();
      if (row) rows.push_back(*std::move(row));
    }
  }
  return rows;
}

// "provider<tab>case" of every line; a line without a reason does not count.
std::set<std::string> ListedQuirks() {
  std::set<std::string> quirks;
  std::ifstream file(kVectors / "quirks.tsv");
  for (std::string line; std::getline(file, line);) {
    const std::size_t second = line.find('\t', line.find('\t') + 1);
    if (line.starts_with('#') || second == std::string::npos || second + 1 == line.size()) continue;
    quirks.insert(line.substr(0, second));
  }
  return quirks;
}

TEST(Vectors, EveryRowIsJudgedAsTheSdkJudgedIt) {
  source::Verifier verifier(1);
  unsigned judged = 0;
  for (const VectorRow& row : AllRows()) {
    ++judged;
    if (row.quirk) continue;
    EXPECT_EQ(Judge(row, verifier).wrong, "") << row.provider << " " << row.name;
  }
  EXPECT_GE(judged, 864U);
}

TEST(Vectors, EveryQuirkJudgedDifferentlyIsListedWithItsReason) {
  source::Verifier verifier(1);
  std::set<std::string> different;
  for (const VectorRow& row : AllRows()) {
    if (row.quirk && !Judge(row, verifier).wrong.empty()) different.insert(row.provider + "\t" + row.name);
  }
  EXPECT_EQ(different, ListedQuirks());
}

TEST(Vectors, NoMutatedSignatureIsAccepted) {
  constexpr std::uint64_t kMutationsPerRow = 400;
  source::Verifier verifier(1);
  std::mt19937_64 random(20260101);
  std::set<std::string> kinds;
  std::vector<VectorRow> rows = AllRows();
  std::erase_if(rows, [](const VectorRow& row) { return row.name != "valid" || row.body.size() > 4096; });
  for (VectorRow& row : SignedRows()) rows.push_back(std::move(row));
  for (const VectorRow& row : rows) {
    const MutationCount counted = JudgeMutations(row, kMutationsPerRow, verifier, random);
    if (counted.tried > 0) kinds.insert((*SourceOf(row)).kind);
    EXPECT_EQ(counted.accepted, 0U) << row.provider << ": " << counted.example;
  }
  EXPECT_EQ(kinds.size(), source::Kinds().size());
}

TEST(Vectors, WhatWeirSignsAsAKindItAcceptsAsThatKind) {
  source::Verifier verifier(1);
  std::set<std::string> missing;
  for (const source::Kind& kind : source::Kinds()) missing.insert(kind.name);
  for (const VectorRow& row : SignedRows()) {
    const Judgement judgement = Judge(row, verifier);
    EXPECT_EQ(judgement.answer, "accepted") << row.provider;
    missing.erase(row.provider);
  }
  EXPECT_EQ(missing, (std::set<std::string>{"plaid", "sns"})) << "their vectors are signed by others";
}

TEST(Vectors, NoMutatedBodyIsAcceptedWhereTheSignatureCoversIt) {
  constexpr int kMutationsPerKind = 200;
  source::Verifier verifier(1);
  std::mt19937 random(20260102);
  for (VectorRow row : AllRows()) {
    if (row.name != "valid" || row.body.size() > 4096) continue;
    const auto place = SignaturePlaceOf(row);
    if (!place || place->text == &row.body) continue;
    const std::string original = row.body;
    row.expected_valid = false;
    for (int i = 0; i < kMutationsPerKind; ++i) {
      row.body = original;
      const auto byte = static_cast<unsigned char>(row.body[random() % row.body.size()]);
      row.body[random() % row.body.size()] = static_cast<char>(byte ^ (1U << (random() % 8)));
      if (row.body == original) continue;
      ASSERT_EQ(Judge(row, verifier).wrong, "") << row.provider;
    }
  }
}

}  // namespace
}  // namespace weir::vectors
