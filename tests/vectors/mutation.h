// Rows that are valid, made invalid by a change to their signature.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "tests/vectors/vector_row.h"

namespace weir::vectors {

// Where the proof of a row stands: part of a header's value, of the target or of the body.
struct SignaturePlace {
  std::string* text;
  std::size_t at;
  std::size_t size;
};

// The one that weir would look at first; nullopt when the row has none. Points into the row.
std::optional<SignaturePlace> SignaturePlaceOf(VectorRow& row);

// One character replaced, two swapped, one inserted, or the end cut off. Never the original, nor one that
// says the same: with letters of the other case, or with more separators between its items.
std::string MutatedSignature(std::string_view original, std::mt19937_64& random);

struct MutationCount {
  std::uint64_t tried = 0;
  std::uint64_t accepted = 0;
  std::string example;  // an accepted one
};

// Judges `count` mutations of the row's signature; none are tried when the row itself is not accepted.
MutationCount JudgeMutations(VectorRow row, std::uint64_t count, source::Verifier& verifier,
                             std::mt19937_64& random);

}  // namespace weir::vectors
