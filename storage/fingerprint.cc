#include "storage/fingerprint.h"

#include <xxhash.h>

namespace weir::storage {

std::uint64_t FingerprintOf(const FingerprintSecret& secret, std::string_view identity) {
  return XXH3_64bits_withSecret(identity.data(), identity.size(), secret.data(), secret.size());
}

}  // namespace weir::storage
