// What retention tells. Written by its thread only.
#pragma once

#include "engine/observe/probe.h"

namespace weir::observe {

struct RetentionProbe {
  Counter forgotten;  // weir_retention_forgotten_total
  Gauge held;         // weir_retention_held_events: older than the retention, and needed still
  Counter steps;      // weir_clock_steps_total: how often the clock was found set
};

}  // namespace weir::observe
