#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "bench/clock.h"
#include "bench/load_run.h"
#include "bench/options.h"
#include "bench/report.h"

namespace {

using weir::bench::Exit;

bool WriteFile(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), std::generic_category().message(errno).c_str());
  }
  return written && closed;
}

int Leave(const Exit& exit) {
  std::FILE* stream = exit.code == weir::bench::kDone ? stdout : stderr;
  std::fputs(exit.text.c_str(), stream);
  return exit.code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace weir::bench;
  const auto options = ParseOptions(argc, argv, UnixNow_s());
  if (!options) return Leave(options.error());
  const auto result = RunLoad(*options);
  if (!result) return Leave(result.error());

  std::vector<std::string> complaints;
  const int verdict = Judge(*result, complaints);
  std::fputs(TextReport(*options, *result, complaints).c_str(), stdout);
  const std::string json = JsonReport(*options, *result, complaints);
  bool written = options->json.empty() || WriteFile(options->json, json);
  written = (options->html.empty() || WriteFile(options->html, HtmlReport(json))) && written;
  return written ? verdict : kUsage;
}
