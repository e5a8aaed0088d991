// What `weir sign` and `weir send` take from the command line: bodies and secrets.
#pragma once

#include <string>

#include "tools/operator_client.h"

namespace weir::tools {

// The bytes of `file`; "-" is stdin. At most as many as a source may take.
CommandResult<std::string> ReadBody(const std::string& file);

// env:, file: and cred: are looked up, relative files in the working directory; anything else is the secret
// itself.
CommandResult<std::string> SecretOf(const std::string& argument);

}  // namespace weir::tools
