#include "engine/reload.h"

#include <cstddef>
#include <utility>

#include "engine/observe/log.h"

namespace weir {

void Reload::Run() {
  config::Config& in_force = wiring_.in_force;
  auto loaded = config::Load(in_force.file, wiring_.environment);
  if (!loaded) {
    for (const auto& error : loaded.error()) {
      observe::log::Error("reload refused, the running configuration stays",
                          {{"error", config::ToString(error)}});
    }
    return;
  }
  if (auto ready = wiring_.delivery.Prepare(*loaded); !ready) {
    observe::log::Error("reload refused, the running configuration stays", {{"error", ready.error()}});
    return;
  }
  const std::size_t sources = loaded->sources.size();
  wiring_.use_sources(std::make_shared<const source::SourceTable>(std::move(loaded->sources)));
  wiring_.delivery.Commit(wiring_.set_tails);
  in_force.sinks = std::move(loaded->sinks);
  in_force.routes = std::move(loaded->routes);
  observe::log::Info(
      "configuration reloaded",
      {{"file", in_force.file.string()}, {"sources", sources}, {"sinks", in_force.sinks.size()}});
}

}  // namespace weir
