// The running server takes its configuration anew: the file is read and validated as a boot would, then
// sources, sinks and routes change together, or nothing does. What else stands in the file takes effect at
// the next start.
//
// Main thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/config/load.h"
#include "engine/delivery_set.h"
#include "engine/source/source.h"

namespace weir {

class Reload {
 public:
  struct Wiring {
    config::Config& in_force;  // its sinks and routes are replaced; its sources live in the table
    config::Environment environment;
    DeliverySet& delivery;
    std::function<void(std::shared_ptr<const source::SourceTable>)> use_sources;
    std::function<void(std::vector<commit::TailQueue*>)> set_tails;
  };

  explicit Reload(Wiring wiring) : wiring_(std::move(wiring)) {}

  // A configuration that is wrong is logged, mistake by mistake, and changes nothing.
  void Run();

 private:
  Wiring wiring_;
};

}  // namespace weir
