// The sources of the API as tables: when something last came, when and why something was last refused, which secret
// is in use.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weir::tools {

// "12s ago", "-" for a time that is not known (null). `now_us`: Unix time, microseconds.
std::string Ago(const nlohmann::ordered_json& time, std::int64_t now_us);

// SOURCE, LAST RECEIVED, LAST REFUSED, why and which; empty without sources. Below it, a line for every source that
// refuses what comes and has accepted nothing since.
std::string LastSeenTable(const nlohmann::ordered_json& sources, std::int64_t now_us);

// The refused requests that named no source; empty where there are none.
std::string WithoutSourceLine(const nlohmann::ordered_json& refused, std::int64_t now_us);

// SOURCE, SECRET, MATCHED, LAST MATCHED; empty without secrets.
std::string SecretsTable(const nlohmann::ordered_json& sources, std::int64_t now_us);

}  // namespace weir::tools
