#include "tools/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/admin/printable.h"
#include "tools/commands.h"

namespace weir::tools {

bool Print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

int Fail(const CommandFailure& failure) {
  std::fprintf(stderr, "weir: %s\n", admin::PrintableSentence(failure.message).c_str());
  return failure.exit_code;
}

int Finish(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  if (errno != EPIPE) std::fprintf(stderr, "weir: cannot write to stdout: %s\n", std::strerror(errno));
  return kFoundWrong;
}

}  // namespace weir::tools
