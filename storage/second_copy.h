// What is kept twice. Events can be found in a damaged table by themselves (salvage.h) and the dedupe index is made from
// them; a sink's position, a retry, a dead letter, a conflict or the store's identity is nowhere else. Those families are
// small and seldom written, so every row of them has a second copy, in a family of its own: one damaged place costs
// none of them. Both copies are written in one batch, read where the other fails, and made the same again at open.
//
// Internal to storage/.
#pragma once

#include <rocksdb/write_batch.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/keys.h"
#include "storage/rocks.h"

namespace weir::storage {

inline constexpr std::array kKeptTwice = {Family::kMeta, Family::kDeliveries, Family::kDead,
                                          Family::kConflicts};
bool IsKeptTwice(Family family);

// The key of a row's second copy, and the row's own key in it.
std::string CopyKey(Family family, std::string_view key);
std::string_view OriginalKey(std::string_view copy_key);

// Adds what `updates` does to rows that are kept twice, once more for their second copies.
rocksdb::Status AddSecondCopies(const Rocks& rocks, rocksdb::WriteBatch& updates);

// Makes both copies the same: from the one that can be read, from the first where both can, and never from one of
// `incomplete`, families that a repair has left something out of. Returns a sentence for each family that was made anew.
// An error where neither can be read. The database is in nobody else's use.
StoreResult<std::vector<std::string>> ReconcileCopies(Rocks& rocks, const std::set<Family>& incomplete);

// A sentence for each family whose two copies are not the same, or cannot be read. Changes nothing.
StoreResult<std::vector<std::string>> FindCopiesThatDiffer(Rocks& rocks);

}  // namespace weir::storage
