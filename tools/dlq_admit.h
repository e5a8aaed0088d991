// `weir dlq admit`: events that lie where nobody can deliver them, under an id of the operator's choice.
#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace weir::tools {

// Adds the verb to `dlq`. Its callback sets the exit code.
void AddDlqAdmit(CLI::App& dlq, int& exit_code);

}  // namespace weir::tools
