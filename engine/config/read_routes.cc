#include <algorithm>
#include <tuple>

#include "engine/config/sections.h"
#include "engine/config/suggest.h"
#include "engine/limits.h"

namespace weir::config {
namespace {

constexpr std::string_view kEverySource = "*";

template <typename Named>
std::vector<std::string> NamesOf(const std::vector<Named>& things) {
  std::vector<std::string> names;
  for (const Named& thing : things) {
    if (!thing.name.empty()) names.push_back(thing.name);
  }
  return names;
}

void RequireKnown(TableReader& reader, std::string_view key, const std::string& name,
                  const std::vector<std::string>& known) {
  if (std::ranges::find(known, name) != known.end()) return;
  const std::string_view nearest = Nearest(name, known);
  reader.Error(key, "there is no " + std::string(key) + " \"" + name + '"' +
                        (nearest.empty() ? "" : "; did you mean \"" + std::string(nearest) + "\"?"));
}

Route ReadRoute(TableReader& reader, const std::vector<std::string>& sources,
                const std::vector<std::string>& sinks) {
  Route route;
  if (const auto source = reader.String("source")) {
    route.source = source->value;
    if (source->value != kEverySource) RequireKnown(reader, "source", source->value, sources);
  } else if (!reader.Has("source")) {
    reader.Error("source", "is missing; \"*\" is every source");
  }
  const auto sink = reader.String("sink");
  if (sink) {
    route.sink = sink->value;
    RequireKnown(reader, "sink", sink->value, sinks);
  } else if (!reader.Has("sink")) {
    reader.Error("sink", "is missing");
  }
  for (Text& type : reader.Strings("types")) {
    if (type.value.empty()) reader.findings().Error(type.place, "is empty; leave types out for every type");
    if (type.value.size() > limits::kEventTypeBytesMax) {
      reader.findings().Error(
          type.place, "is longer than any type, " + std::to_string(limits::kEventTypeBytesMax) + " bytes");
    }
    route.types.push_back(std::move(type.value));
  }
  if (route.types.size() > limits::kTypesPerRouteMax) {
    reader.Error("types", "are more than " + std::to_string(limits::kTypesPerRouteMax));
  }
  reader.Unavailable("priority");
  reader.Unavailable("order_by");
  reader.Finish();
  return route;
}

// A type that the signature does not cover is the choice of whoever holds one signed request.
void RefuseUnsignedTypes(TableReader& reader, const std::vector<source::Source>& sources, Route& route) {
  if (route.types.empty()) return;
  for (const source::Source& source : sources) {
    if (!source.scheme || source::RoutesByType(source)) continue;
    if (route.source == source.name) {
      reader.Error("types",
                   "look at a type that the signature of \"" + source.name +
                       "\" does not cover; leave types out, or set allow_unsigned_type = true on the "
                       "source");
    } else if (route.source == kEverySource) {
      reader.findings().Warning(reader.At("types"), "never match an event of \"" + source.name +
                                                        "\", whose signature does not cover the type; "
                                                        "allow_unsigned_type = true on the source admits it");
      route.except.push_back(source.name);
    }
  }
}

bool Same(const Route& a, const Route& b) {
  return std::tie(a.source, a.sink, a.types) == std::tie(b.source, b.sink, b.types);
}

}  // namespace

void ReadRoutes(TableReader& document, const std::vector<source::Source>& sources,
                const std::vector<Sink>& sinks, std::vector<Route>& routes) {
  std::vector<TableReader> readers = document.Tables("route");
  if (readers.size() > limits::kRoutesMax) {
    document.Error("route", "is given more than " + std::to_string(limits::kRoutesMax) + " times");
    return;
  }
  const std::vector<std::string> source_names = NamesOf(sources);
  const std::vector<std::string> sink_names = NamesOf(sinks);
  for (TableReader& reader : readers) {
    Route route = ReadRoute(reader, source_names, sink_names);
    RefuseUnsignedTypes(reader, sources, route);
    if (std::ranges::any_of(routes, [&](const Route& earlier) { return Same(earlier, route); })) {
      reader.Error("", "is the same as an earlier route");
    }
    routes.push_back(std::move(route));
  }
  for (const std::string& sink : sink_names) {
    const bool led_to = std::ranges::any_of(routes, [&](const Route& route) { return route.sink == sink; });
    if (!led_to) document.findings().Warning(document.At("sink"), "no route leads to \"" + sink + '"');
  }
}

}  // namespace weir::config
