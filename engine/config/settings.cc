#include "engine/config/settings.h"

#include <functional>
#include <sstream>
#include <string_view>

#include "engine/source/toml.h"

namespace weir::config {
namespace {

using Settings = std::map<std::string, std::uint64_t>;

void Digest(const toml::node& node, const std::string& name, Settings& settings);

// `separator` stands between the table's name and its keys.
void DigestTable(const toml::table& table, const std::string& name, std::string_view separator,
                 Settings& settings) {
  for (const auto& [key, value] : table) {
    Digest(value, name + std::string(name.empty() ? "" : separator) + std::string(key.str()), settings);
  }
}

void DigestElements(const toml::array& tables, const std::string& name, Settings& settings) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const toml::table* table = tables[i].as_table();
    if (table == nullptr) continue;
    const auto own_name = (*table)["name"].value<std::string>();
    if (own_name && (name == "source" || name == "sink")) {
      DigestTable(*table, name + ' ' + *own_name, ": ", settings);
    } else {
      DigestTable(*table, name + '[' + std::to_string(i) + ']', ".", settings);
    }
  }
}

void Digest(const toml::node& node, const std::string& name, Settings& settings) {
  if (const toml::table* table = node.as_table()) return DigestTable(*table, name, ".", settings);
  if (const toml::array* array = node.as_array(); array != nullptr && array->is_array_of_tables()) {
    return DigestElements(*array, name, settings);
  }
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  settings[name] = std::hash<std::string>{}(text.str());
}

}  // namespace

Settings DigestSettings(const toml::table& document) {
  Settings settings;
  DigestTable(document, "", "", settings);
  return settings;
}

}  // namespace weir::config
