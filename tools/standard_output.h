// stdout carries data only; what is said about it goes to stderr. A pipe that was closed ends a command
// quietly, as it ends every other filter; a full disk does not.
#pragma once

#include <string_view>

#include "tools/operator_client.h"

namespace weir::tools {

// False when stdout takes no more.
bool Print(std::string_view text);

// "weir: MESSAGE" on stderr; returns the exit code.
int Fail(const CommandFailure& failure);

// Writes out what is buffered. `exit_code`, unless stdout failed.
int Finish(int exit_code);

}  // namespace weir::tools
