// A run's figures as text for people, JSON for programs and a page with charts. Pure: values in, text out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/load_run.h"
#include "bench/options.h"

namespace weir::bench {

std::string TextReport(const Options& options, const RunResult& result,
                       const std::vector<std::string>& complaints);
std::string JsonReport(const Options& options, const RunResult& result,
                       const std::vector<std::string>& complaints);
// One file that needs nothing else: no network, no fonts, no scripts from elsewhere. `json` is JsonReport's.
std::string HtmlReport(std::string_view json);

}  // namespace weir::bench
