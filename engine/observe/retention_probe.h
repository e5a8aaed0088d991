// What retention tells. Written by its thread only.
#pragma once

#include "engine/observe/probe.h"

namespace weir::observe {

struct RetentionProbe {
  Counter forgotten;  // weir_retention_forgotten_total
  Gauge held;         // weir_retention_held_events: older than the retention, and needed still
  Counter looks;      // weir_retention_looks_total: one a minute
  Counter errors;     // weir_retention_errors_total: what could not be done in them
  Counter steps;      // weir_clock_steps_total: how often the clock was found set
};

}  // namespace weir::observe
