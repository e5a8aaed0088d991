// The keys that a running process cannot take anew: [server] and [admin]. Which of them differ between what it was
// started with and what the file says now.
#pragma once

#include <string>
#include <vector>

#include "engine/config/config.h"

namespace weir {

// As docs/configuration.md spells them, in its order. A value that only spells out the default does not differ.
std::vector<std::string> KeysThatDiffer(const config::Server& server, const config::Admin& admin,
                                        const config::Server& next_server, const config::Admin& next_admin);

}  // namespace weir
