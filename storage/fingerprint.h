// The keyed 64-bit hash of (source, id) that dedupe compares first. Keyed with a secret of the store, because
// senders choose ids: without it they could choose colliding ones and turn every lookup into reads.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::storage {

// 192 bytes is XXH3's own secret size.
using FingerprintSecret = std::array<char, 192>;

// `identity`: source and id back to back (IdentityOf). Two splits of the same bytes share a fingerprint,
// which costs a read like any other collision.
std::uint64_t FingerprintOf(const FingerprintSecret& secret, std::string_view identity);

}  // namespace weir::storage
