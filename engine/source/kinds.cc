#include "engine/source/kinds.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/source/embedded_kinds.h"
#include "engine/source/scheme.h"
#include "engine/source/scheme_toml.h"
#include "engine/source/toml.h"

namespace weir::source {
namespace {

[[noreturn]] void BadKind(std::string_view name, unsigned line, const std::string& what) {
  std::fprintf(stderr, "embedded kind %.*s:%u: %s\n", static_cast<int>(name.size()), name.data(), line,
               what.c_str());
  std::abort();
}

Kind Compile(const EmbeddedKind& embedded) {
  toml::table table;
  try {
    table = toml::parse(embedded.toml, embedded.name);
  } catch (const toml::parse_error& error) {
    BadKind(embedded.name, error.source().begin.line, std::string(error.description()));
  }
  auto scheme = CompileScheme(table);
  if (!scheme) {
    const SchemeError& first = scheme.error().front();
    BadKind(embedded.name, first.line, first.key + ": " + first.reason);
  }
  return {.name = std::string(embedded.name),
          .title = (*scheme)->about.title,
          .scheme = *std::move(scheme),
          .toml = embedded.toml};
}

}  // namespace

std::span<const Kind> Kinds() {
  static const std::vector<Kind> kinds = [] {
    std::vector<Kind> compiled;
    for (const EmbeddedKind& embedded : EmbeddedKinds()) compiled.push_back(Compile(embedded));
    std::ranges::sort(compiled, {}, &Kind::name);
    return compiled;
  }();
  return kinds;
}

const Kind* FindKind(std::string_view name) {
  const auto kinds = Kinds();
  const auto named = std::ranges::find(kinds, name, &Kind::name);
  if (named != kinds.end()) return &*named;
  const auto also_named = std::ranges::find_if(kinds, [name](const Kind& kind) {
    const auto& aliases = kind.scheme->about.aliases;
    return std::ranges::find(aliases, name) != aliases.end();
  });
  return also_named == kinds.end() ? nullptr : &*also_named;
}

}  // namespace weir::source
