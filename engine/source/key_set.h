// JSON Web Key Sets (RFC 7517 §5) among the secrets of a source: each key is a secret of its own.
#pragma once

#include <string>
#include <vector>

namespace weir::source {

struct Scheme;

// Replaces every set by its keys, leaving out those that the scheme cannot use, as long as it can use one. Each
// key goes by the name of its set; `names` is parallel to `secrets`, before and after.
void SplitKeySets(const Scheme& scheme, std::vector<std::string>& secrets, std::vector<std::string>& names);

}  // namespace weir::source
