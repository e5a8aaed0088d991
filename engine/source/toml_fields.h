// One TOML table read field by field: every mistake is noted with its place, and a key nobody asked for is a
// mistake. Includes toml++; for the .cc files that compile schemes only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/source/location.h"
#include "engine/source/scheme_toml.h"
#include "engine/source/template.h"
#include "engine/source/toml.h"

namespace weir::source {

class TomlFields {
 public:
  // `prefix` is the table's own key path ("" for the outermost). Table and errors outlive this.
  TomlFields(const toml::table& table, std::string prefix, std::vector<SchemeError>& errors)
      : table_(table), prefix_(std::move(prefix)), errors_(errors) {}

  bool Has(std::string_view key) const { return table_.contains(key); }
  const toml::table& table() const { return table_; }

  // The value if it is there and of the type; a wrong type is noted.
  std::optional<std::string> Text(std::string_view key);
  std::optional<bool> Boolean(std::string_view key);
  std::optional<std::int64_t> Integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::int64_t> Seconds(std::string_view key);  // "5m", "300s", "1h"
  std::vector<std::string> Texts(std::string_view key);       // a string or an array of strings
  std::optional<JsonPointer> Pointer(std::string_view key);
  std::optional<Template> TemplateText(std::string_view key);
  std::vector<Template> Templates(std::string_view key);  // a string or an array of strings
  const toml::table* Table(std::string_view key);
  const toml::array* Tables(std::string_view key);  // an array of tables
  const toml::node* Any(std::string_view key);
  std::vector<std::pair<std::string, std::string>> TextMap(std::string_view key);

  // One of `choices`; the error lists them all.
  template <typename Value>
  std::optional<Value> Choice(std::string_view key,
                              std::initializer_list<std::pair<std::string_view, Value>> choices) {
    const auto text = Text(key);
    if (!text) return std::nullopt;
    std::string allowed;
    for (const auto& [name, value] : choices) {
      if (name == *text) return value;
      allowed += allowed.empty() ? "" : ", ";
      allowed += name;
    }
    Note(key, "\"" + *text + "\" is not one of " + allowed);
    return std::nullopt;
  }

  void Note(std::string_view key, std::string reason);
  void NoteAt(const toml::node& node, std::string_view key, std::string reason,
              std::size_t column_offset = 0);
  std::optional<Template> ParseTemplate(const toml::node& node, std::string_view key);
  std::string KeyPath(std::string_view key) const;
  std::vector<SchemeError>& errors() { return errors_; }

  // Notes what no header field can be called, or no field's value can be (RFC 9110 §5.1, §5.5).
  void CheckFieldName(std::string_view key, std::string_view name);
  void CheckFieldValue(std::string_view key, std::string_view what, std::string_view value);

  // Notes every key that was never asked for.
  void RefuseUnknown();

 private:
  const toml::node* Find(std::string_view key);

  const toml::table& table_;
  std::string prefix_;
  std::vector<SchemeError>& errors_;
  std::vector<std::string> known_;
};

// { header = "X" }, { json = "/id" }, { form = "a" }, { query = "a" }, { field = "t" }, { envelope = "/x" },
// { body = "sha256" } or { constant = "x" }. nullopt when it is none of them, which is noted.
std::optional<Location> ReadLocation(TomlFields& fields);

}  // namespace weir::source
