// application/x-www-form-urlencoded (WHATWG URL §5.1), as senders of webhooks use it: name=value&name=value,
// '+' is a space.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

struct FormPair {
  std::string name;
  std::string value;
};

// Nothing is refused: a bad escape stands for itself, as the parsers of the senders' SDKs have it.
void ParseForm(std::string_view text, std::vector<FormPair>& out, std::size_t at_most);

// The first value of `name`, decoded into `scratch`; nullopt when there is none.
std::optional<std::string_view> FindInForm(std::string_view text, std::string_view name,
                                           std::string& scratch);

void AppendPercentDecoded(std::string& out, std::string_view text, bool plus_is_space);

}  // namespace weir::source
