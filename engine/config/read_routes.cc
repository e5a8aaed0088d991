#include <algorithm>
#include <tuple>

#include "engine/config/sections.h"
#include "engine/config/suggest.h"
#include "engine/limits.h"
#include "engine/source/scheme.h"

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

// What other tools' patterns have and these have not; empty when the pattern has none of it.
std::string UnlikelyType(std::string_view pattern) {
  constexpr std::string_view kSpecialElsewhere = "?[]{}()|\\^$,%>\"'`";
  std::string unlikely;
  if (const std::size_t special = pattern.find_first_of(kSpecialElsewhere);
      special != std::string_view::npos) {
    unlikely = pattern[special];
    unlikely += " stands for itself: only * is special in a type, and stands for any run of characters";
  } else if (pattern.starts_with('!')) {
    unlikely = "! stands for itself: a type cannot be left out";
  } else if (pattern.size() > 1 && pattern.starts_with('/') && pattern.ends_with('/')) {
    unlikely = "/ stands for itself: a type is no regular expression";
  } else if (pattern.front() == ' ' || pattern.back() == ' ') {
    unlikely = "begins or ends with a space, which no type does";
  }
  return unlikely;
}

void JudgeType(const Text& type, Findings& findings) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (type.value.empty()) {
    findings.Error(type.place, "is empty; leave types out for every type");
  } else if (type.value.size() > limits::kEventTypeBytesMax) {
    findings.Error(type.place,
                   "is longer than any type, " + std::to_string(limits::kEventTypeBytesMax) + " bytes");
  } else if (std::ranges::any_of(type.value, is_control)) {
    findings.Error(type.place, "holds a control character, which no type does");
  } else if (const std::string unlikely = UnlikelyType(type.value); !unlikely.empty()) {
    findings.Warning(type.place, '"' + type.value + "\": " + unlikely);
  }
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
  const std::size_t errors_before = reader.findings().error_count();
  for (Text& type : reader.Strings("types")) {
    JudgeType(type, reader.findings());
    route.types.push_back(std::move(type.value));
  }
  if (reader.Has("types") && route.types.empty() && reader.findings().error_count() == errors_before) {
    reader.Error("types", "is empty, so that no event would match; leave types out for every type");
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

// Events of a kind that has no types have the empty one.
void RefuseTypesOfTypeless(TableReader& reader, const std::vector<source::Source>& sources,
                           const Route& route) {
  const auto found = std::ranges::find(sources, route.source, &source::Source::name);
  if (route.types.empty() || found == sources.end() || !found->scheme) return;
  const bool all = std::ranges::all_of(
      route.types, [](const std::string& type) { return type.find_first_not_of('*') == std::string::npos; });
  if (found->scheme->event.type.empty() && !all) {
    reader.Error("types", "never match: events of \"" + route.source + "\" have no type");
  }
}

// "pull_request" where each such event says what happened to it: its type is pull_request.opened and the like.
void WarnOfTypesWithoutTheirEnd(TableReader& reader, const std::vector<source::Source>& sources,
                                const Route& route) {
  for (const source::Source& source : sources) {
    if (!source.scheme || (route.source != source.name && route.source != kEverySource)) continue;
    const source::EventRules& event = source.scheme->event;
    if (event.whole_types.empty()) continue;
    for (const std::string& type : route.types) {
      const std::string_view first = std::string_view(type).substr(0, type.find(event.type.separator));
      const bool plain =
          std::ranges::all_of(first, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
      if (!plain) continue;  // no name of an event, which is warned of or leaves it open
      const bool whole = std::ranges::find(event.whole_types, first) != event.whole_types.end();
      if (whole && first.size() != type.size()) {
        reader.findings().Warning(reader.At("types"), '"' + type + "\" matches no event of \"" + source.name +
                                                          "\": nothing follows the type \"" +
                                                          std::string(first) + '"');
      }
      if (whole || first.size() != type.size()) continue;
      std::string warning;
      warning.append("\"").append(type).append("\" matches no event of \"").append(source.name);
      warning.append("\", whose types go on behind it; write \"").append(type);
      warning.append(event.type.separator).append("*\"");
      reader.findings().Warning(reader.At("types"), std::move(warning));
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
    RefuseTypesOfTypeless(reader, sources, route);
    WarnOfTypesWithoutTheirEnd(reader, sources, route);
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
