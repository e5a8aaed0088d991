// A valid row for every kind, signed by weir itself: for what has to hold of kinds without vectors too.
#pragma once

#include <vector>

#include "tests/vectors/vector_row.h"

namespace weir::vectors {

// One for each kind that weir can sign as. Keys are made anew where a kind needs a pair.
std::vector<VectorRow> SignedRows();

}  // namespace weir::vectors
