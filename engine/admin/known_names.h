// Names in a filter that nothing has: a typing mistake would match nothing and look like good news. Errors say what
// there is, and which of it is nearest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/admin/parameters.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

// Each takes an empty name, which means any, and every name while the store does not know which ones there are.
// A source that is, or once was, configured, or has events or refused requests.
Read<void> CheckSourceName(const Wiring& wiring, std::string_view name);
// A sink that is configured, or has a position or dead letters; "-" for events that never were deliverable.
Read<void> CheckSinkName(const Wiring& wiring, std::string_view name);
// A reason that a dead letter can have.
Read<void> CheckDeathReason(const Wiring& wiring, std::string_view reason);
// A code that a request of the quarantine can have been refused with.
Read<void> CheckRefusalCode(std::string_view code);

// `there is no NOUN "NAME"; did you mean "NEAREST"? There are: A, B, C`
std::string UnknownName(std::string_view noun, std::string_view name, const std::vector<std::string>& known);

}  // namespace weir::admin
