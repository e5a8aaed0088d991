// Power cuts and damage at rest, one seed after another, until the time is up. Exits 1 with the first seed that violates a promise.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "tests/simulate/at_rest.h"
#include "tests/simulate/crash_images.h"

int main(int argc, char** argv) {
  CLI::App app{"Cuts the power of a store on a simulated disk and damages it at rest, seed after seed"};
  std::uint64_t seed = 1;
  std::string duration = "1m";
  std::string keep;
  app.add_option("--seed", seed, "The first seed");
  std::chrono::seconds how_long{60};
  app.add_option("--for", duration, "How long: 30s, 10m, 1h")
      ->check([&how_long](const std::string& text) -> std::string {
        const std::size_t digits = text.find_first_not_of("0123456789");
        const std::string unit = digits == std::string::npos ? "" : text.substr(digits);
        const int factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
        if (digits == 0 || digits > 6 || factor == 0) return "is not a number and one of s, m, h";
        how_long = std::chrono::seconds(std::stol(text) * factor);
        return "";
      });
  app.add_option("--keep", keep, "A directory for the first store that lost something");
  CLI11_PARSE(app, argc, argv);

  const auto end = std::chrono::steady_clock::now() + how_long;
  std::size_t images = 0;
  std::size_t damaged = 0;
  const std::uint64_t first = seed;
  do {
    std::vector<std::string> violations;
    for (const bool closed : {true, false}) {
      auto rest = weir::tests::DamageAtRest({.seed = seed, .closed = closed}, keep);
      damaged += rest.refused + rest.told + rest.whole;
      std::ranges::move(rest.violations, std::back_inserter(violations));
    }
    auto report = weir::tests::CutPower({.seed = seed++}, keep);
    images += report.images;
    std::ranges::move(report.violations, std::back_inserter(violations));
    for (const std::string& violation : violations) std::printf("%s\n", violation.c_str());
    if (!violations.empty()) return 1;
  } while (std::chrono::steady_clock::now() < end);
  std::printf(
      "seeds %llu to %llu: %zu power cuts, nothing lost, altered, twice or refused; %zu stores damaged at "
      "rest, nothing gone in silence\n",
      static_cast<unsigned long long>(first), static_cast<unsigned long long>(seed - 1), images, damaged);
  return 0;
}
