// The flags that choose events or dead letters, the same for every command.
#pragma once

#include <memory>
#include <string>

#include "engine/admin/api_request.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weir::tools {

// --data DIR, required.
void AddDataOption(CLI::App& command, std::string& data);

// Filled while the command line is parsed; every value has been checked by then. Relative times become
// absolute there, so that one command means the same instant in all its requests.
struct FilterOptions {
  admin::Parameters parameters;  // as the API takes them
};

// --source --type --id --since --until --state
void AddEventFilter(CLI::App& command, FilterOptions& filter);
// --sink --source --type --id --reason --since --until, the times meaning when the letter died
void AddDeadLetterFilter(CLI::App& command, FilterOptions& filter);

// --id --source --reason --since --until, the times meaning when the request was received
void AddQuarantineFilter(CLI::App& command, FilterOptions& filter);

}  // namespace weir::tools
