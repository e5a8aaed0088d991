// Text that senders chose (ids, types, header values) where it meets a terminal or a metric label.
#pragma once

#include <string>
#include <string_view>

namespace weir::admin {

// Every byte that is not printable ASCII becomes '?': no escape sequence reaches a terminal, no ill-formed
// UTF-8 a scraper.
std::string Printable(std::string_view text);

// For sentences of weir's own, which may quote what somebody sent: well-formed UTF-8 stays but for control characters, and
// for those that change the direction or the width of a line.
std::string PrintableSentence(std::string_view text);

}  // namespace weir::admin
