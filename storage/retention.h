// How far back the log may have been cut. Written before anything is dropped, so that at open a log which
// begins later than its first event is told from one that lost its beginning.
#pragma once

#include <string>

#include "storage/rocks.h"

namespace weir::storage {

// Events before this may be gone. 1 for a log that was never cut.
StoreResult<Sequence> LoadTrimmedBefore(const Rocks& rocks);
std::string EncodeTrimmedBefore(Sequence sequence);

}  // namespace weir::storage
