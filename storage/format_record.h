// What identifies a store: written once, when it is made.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/fingerprint.h"
#include "storage/rocks.h"

namespace weir::storage {

struct FormatRecord {
  std::uint64_t store_id = 0;  // random; ties the high-water record to its store
  FingerprintSecret secret{};  // random
};

// nullopt: there is none. kFormat: of a version this build does not read.
StoreResult<std::optional<FormatRecord>> LoadFormatRecord(const Rocks& rocks);
// Makes and stores a new one; `store_id` is the store's if it had one before, else a random number.
StoreResult<FormatRecord> CreateFormatRecord(Rocks& rocks, std::optional<std::uint64_t> store_id);

}  // namespace weir::storage
