// Text that senders chose (ids, types, header values) where it meets a terminal or a metric label.
#pragma once

#include <string>
#include <string_view>

namespace weir::admin {

// Every byte that is not printable ASCII becomes '?': no escape sequence reaches a terminal, no ill-formed
// UTF-8 a scraper.
std::string Printable(std::string_view text);

}  // namespace weir::admin
