// Rows that are valid, made invalid by a change to their signature.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>

#include "tests/vectors/vector_row.h"

namespace weir::vectors {

// The field that carries the proof of a row; nullptr when it lies in the body.
std::pair<std::string, std::string>* SignatureFieldOf(VectorRow& row);

// One character replaced, the end cut off, or something added; never the original.
std::string MutatedSignature(const std::string& original, std::mt19937_64& random);

struct MutationCount {
  std::uint64_t tried = 0;
  std::uint64_t accepted = 0;
};

// Judges `count` mutations of the row's signature.
MutationCount JudgeMutations(VectorRow row, std::uint64_t count, source::Verifier& verifier,
                             std::mt19937_64& random);

}  // namespace weir::vectors
