// A type of several parts, as a sender of the kind writes it: "pull_request.opened" is a header field and a
// member of the body. For whatever makes requests; never on the serving path.
//
// Internal to engine/source.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/source/scheme.h"

namespace weir::source {

// One text a part. A part for which nothing is left is empty where it is optional, and else a stand-in.
std::vector<std::string> SplitType(const Extractor& extractor, std::string_view type);

}  // namespace weir::source
