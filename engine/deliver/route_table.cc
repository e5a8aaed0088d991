#include "engine/deliver/route_table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/text/glob.h"

namespace weir::deliver {

namespace {

// No source's name contains it.
constexpr std::string_view kExcept = " except ";

void AppendEscaped(std::string& out, std::string_view field) {
  for (const char c : field) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        out += c;
    }
  }
}

char Unescaped(char c) {
  if (c == 't') return '\t';
  if (c == 'n') return '\n';
  return c;
}

std::vector<std::string> FieldsOf(std::string_view line) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      fields.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      fields.back() += Unescaped(line[++i]);
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

bool RouteMatches(const config::Route& route, const storage::Event& event) {
  if (route.source != "*" && route.source != event.source) return false;
  if (std::ranges::find(route.except, event.source) != route.except.end()) return false;
  return route.types.empty() || std::ranges::any_of(route.types, [&](const std::string& pattern) {
           return text::GlobMatches(pattern, event.type);
         });
}

}  // namespace

bool RoutesMatch(const std::vector<config::Route>& routes, const storage::Event& event) {
  if (!event.malformed.empty()) return false;
  return std::ranges::any_of(routes, [&](const config::Route& route) { return RouteMatches(route, event); });
}

std::string SerializeRoutes(const std::vector<config::Route>& routes) {
  std::string text;
  for (const config::Route& route : routes) {
    AppendEscaped(text, route.sink);
    text += '\t';
    AppendEscaped(text, route.source);
    for (const std::string& source : route.except) AppendEscaped(text, std::string(kExcept) + source);
    for (const std::string& type : route.types) {
      text += '\t';
      AppendEscaped(text, type);
    }
    text += '\n';
  }
  return text;
}

std::vector<config::Route> ParseRoutes(std::string_view text) {
  std::vector<config::Route> routes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::vector<std::string> fields = FieldsOf(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (fields.size() < 2 || fields[0].empty() || fields[1].empty()) continue;
    config::Route route{
        .source = std::move(fields[1]), .types = {}, .sink = std::move(fields[0]), .except = {}};
    for (std::size_t at = 0; (at = route.source.rfind(kExcept)) != std::string::npos;) {
      route.except.insert(route.except.begin(), route.source.substr(at + kExcept.size()));
      route.source.resize(at);
    }
    route.types.assign(std::make_move_iterator(fields.begin() + 2), std::make_move_iterator(fields.end()));
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace weir::deliver
