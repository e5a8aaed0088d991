// Whether what a [[sink]] describes can be opened, found out without leaving a trace: nothing is created, locked,
// written or connected to.
#pragma once

#include <expected>
#include <string>

#include "engine/config/config.h"

namespace weir::sink {

// The error is what OpenSink would say, as far as a look from outside can know. A file that a running weir holds is
// fine.
std::expected<void, std::string> CheckTarget(const config::Sink& config);

}  // namespace weir::sink
