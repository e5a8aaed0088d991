// Waiting for the worker's wake without a ring: for sinks that do their I/O with plain calls.
#pragma once

#include <cstdint>

#include "engine/io/wake.h"

namespace weir::sink {

// Returns when the wake was signalled, or after `timeout_ms` (0 = do not wait). Takes the signal.
void WaitForWake(io::EventfdWake& wake, std::int64_t timeout_ms);

}  // namespace weir::sink
