// What a document says, key by key, so that what changed between two can be named. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace toml {
inline namespace v3 {
class table;
}  // namespace v3
}  // namespace toml

namespace weir::config {

// "server.listen", "sink billing: retry.first", "route[2].types" -> a digest of the value as written. Sources and sinks
// go by their names, because their order says nothing.
std::map<std::string, std::uint64_t> DigestSettings(const toml::table& document);

}  // namespace weir::config
