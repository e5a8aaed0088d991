#include "engine/config/start.h"

#include "engine/config/quantity.h"
#include "engine/text/rfc3339.h"
#include "storage/check.h"

namespace weir::config {

std::expected<Start, std::string> ParseStart(std::string_view text) {
  if (text == "now") return Start{.at = Start::At::kNow};
  if (text == "beginning") return Start{.at = Start::At::kBeginning};
  if (const auto unix_us = text::ParseRfc3339(text))
    return Start{.at = Start::At::kTime, .unix_us = *unix_us};
  if (text.starts_with('-')) {
    if (const auto ms = ParseDurationMs(text.substr(1)); ms && *ms >= 0) {
      return Start{.at = Start::At::kAgo, .ago_ms = *ms};
    }
  }
  return std::unexpected(
      R"(expected "now", "beginning", a time such as "2026-11-25T08:00:00Z", or a length of time before now )"
      R"(such as "-2h")");
}

std::string FormatStart(const Start& start) {
  switch (start.at) {
    case Start::At::kNow:
      return "now";
    case Start::At::kBeginning:
      return "beginning";
    case Start::At::kTime: {
      std::string text;
      text::AppendRfc3339(text, start.unix_us);
      return text;
    }
    case Start::At::kAgo:
      return '-' + FormatDurationMs(start.ago_ms);
  }
  WEIR_CHECK(false);
}

}  // namespace weir::config
