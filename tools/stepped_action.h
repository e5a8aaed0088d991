// An action of the operator's API on many things: asked for step by step, because one answer is bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tools/operator_client.h"

namespace weir::tools {

// Posts to `path` until nothing is left. `add` takes in the reply of one step and returns how much is done by
// now; `verb` and `noun` are those of the progress line.
CommandResult<void> ActInSteps(OperatorClient& client, const std::string& path, admin::Parameters parameters,
                               const std::string& verb, const std::string& noun,
                               const std::function<std::uint64_t(const nlohmann::ordered_json&)>& add);

}  // namespace weir::tools
