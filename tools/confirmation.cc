#include "tools/confirmation.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "tools/commands.h"

namespace weir::tools {

CommandResult<bool> AgreesToDrop(const std::string& what, const std::string& left) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
    return std::unexpected(CommandFailure{
        kUsage, "this would drop " + what + " for good; say --yes, or look first with --dry-run"});
  }
  std::fprintf(stderr, "Drop %s for good? %s [y/N] ", what.c_str(), left.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace weir::tools
