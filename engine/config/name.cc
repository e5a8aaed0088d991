#include "engine/config/name.h"

#include <algorithm>

namespace weir::config {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool IsName(std::string_view text) {
  return !text.empty() && IsAlphanumeric(text.front()) && std::ranges::all_of(text, [](char c) {
    return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

std::optional<std::string> ReadName(TableReader& reader, std::size_t bytes_max,
                                    const std::vector<std::string>& taken) {
  if (!reader.Has("name")) reader.Error("name", "is missing");
  const auto name = reader.String("name");
  if (!name) return std::nullopt;
  if (name->value.size() > bytes_max) {
    reader.Error("name", "is longer than " + std::to_string(bytes_max) + " bytes");
    return std::nullopt;
  }
  if (!IsName(name->value)) {
    reader.Error("name", "must begin with a letter or digit and hold only letters, digits, '-', '_' and '.'");
    return std::nullopt;
  }
  if (std::ranges::find(taken, name->value) != taken.end()) {
    reader.Error("name", '"' + name->value + "\" is taken by an earlier one");
    return std::nullopt;
  }
  return name->value;
}

}  // namespace weir::config
