// Which events a sink gets. Pure. A malformed event matches nothing: it is dead-lettered where it came in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/config/config.h"
#include "storage/event.h"

namespace weir::deliver {

// True if one of `routes` (all leading to the same sink) takes the event.
bool RoutesMatch(const std::vector<config::Route>& routes, const storage::Event& event);

// Where the store's meta keeps the routes of the last run, so that offline commands can tell which sinks an event was
// meant for.
inline constexpr std::string_view kRoutesKey = "routes";
// One route a line, fields separated by tabs: sink, source with " except NAME" for each that is left out, then the type
// globs. Inside a field a backslash escapes tab (\t), newline (\n) and itself.
std::string SerializeRoutes(const std::vector<config::Route>& routes);
// Reads what SerializeRoutes wrote; a line without a sink and a source is left out.
std::vector<config::Route> ParseRoutes(std::string_view text);

}  // namespace weir::deliver
