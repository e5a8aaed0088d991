// The URLs a sender may have called when it did not call public_url as it is written. Pure; for `weir
// explain`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/source/captured_request.h"

namespace weir::source {

struct UrlGuess {
  std::string url;
  bool without_query = false;  // the sender leaves the request's query out
};

// Other scheme, other host (Host, X-Forwarded-Host), the port written out or not, other path, with or without
// a slash at its end.
std::vector<UrlGuess> GuessUrls(std::string_view public_url, const CapturedRequest& request);

}  // namespace weir::source
