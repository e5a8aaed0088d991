// The built-in kinds: engine/source/kinds/*.toml, embedded at build time and compiled once at start.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/source/source.h"

namespace weir::source {

struct Kind {
  std::string name;
  std::string title;  // "Stripe"
  std::shared_ptr<const Scheme> scheme;
  std::string_view toml;  // its whole contract as text, notes included
};

// Sorted by name. A mistake in an embedded table is ours: it aborts, and a test compiles all of them.
std::span<const Kind> Kinds();
const Kind* FindKind(std::string_view name);

// The contract for people: what `weir kinds NAME` prints.
std::string DescribeKind(const Kind& kind);

// All of them as an overview and a section each: the second half of docs/providers.md.
std::string KindsMarkdown();

}  // namespace weir::source
