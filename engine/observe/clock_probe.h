// What the server's main loop saw of the wall clock.
#pragma once

#include "engine/observe/probe.h"

namespace weir::observe {

struct ClockProbe {
  Counter steps;  // times it was set by more than clock::kStepUs while the process ran
};

}  // namespace weir::observe
