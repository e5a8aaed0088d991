// "127.0.0.1:8080", "[::1]:8080" <-> Address. Pure: names are not resolved, because an address that changes
// under a running server is a surprise.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "engine/config/config.h"

namespace weir::config {

std::expected<Address, std::string> ParseAddress(std::string_view text);
std::string ToString(const Address& address);

}  // namespace weir::config
