// Fields whose value is a list (RFC 9110 §5.6.1), and the one that both requests and answers are framed by.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/http/request.h"
#include "engine/http/tokens.h"

namespace weir::http {

// Takes the next member off the front of `list`, without the whitespace around it; nullopt at the end. Empty members
// are stepped over, as §5.6.1.2 asks of every recipient. A comma within quotes ends a member too: no list that is read
// here has a known member with quotes.
constexpr std::optional<std::string_view> TakeMember(std::string_view& list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    const std::string_view member = TrimWhitespace(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!member.empty()) return member;
  }
  return std::nullopt;
}

// What the Connection fields of one message say (RFC 9112 §9.3), however many there are.
class ConnectionOptions {
 public:
  void Add(std::string_view value) {
    while (const auto option = TakeMember(value)) {
      if (EqualsIgnoreCase(*option, "close")) close_ = true;
      if (EqualsIgnoreCase(*option, "keep-alive")) keep_alive_ = true;
    }
  }
  bool Persists(unsigned minor_version) const { return !close_ && (minor_version >= 1 || keep_alive_); }

 private:
  bool close_ = false;
  bool keep_alive_ = false;
};

}  // namespace weir::http
