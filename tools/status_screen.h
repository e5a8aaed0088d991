// `weir status` for people: two status reports of one server, some seconds apart, as one screen. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weir::tools {

// `earlier` is the report `seconds` before `report`; rates are their difference. Without a running server
// both are the same report and there are no rates.
std::string StatusScreen(const nlohmann::ordered_json& report, const nlohmann::ordered_json& earlier,
                         double seconds);

// "1.4 GB": three digits that say something, powers of ten.
std::string FormatBytes(double bytes);

}  // namespace weir::tools
