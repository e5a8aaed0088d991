// Asking the operator before something that cannot be undone.
#pragma once

#include <string>

#include "tools/operator_client.h"

namespace weir::tools {

// On a terminal the operator is asked; in a script `--yes` is what says so. `what` is what goes for good, `left` a
// sentence on what stays or does not. An error where there is nobody to ask.
CommandResult<bool> AgreesToDrop(const std::string& what, const std::string& left);

}  // namespace weir::tools
