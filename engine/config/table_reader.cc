#include "engine/config/table_reader.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include "engine/config/quantity.h"
#include "engine/config/suggest.h"
#include "engine/source/toml.h"

namespace weir::config {
namespace {

Place PlaceOf(const toml::source_region& region, std::string key) {
  return {.line = region.begin.line, .column = region.begin.column, .key = std::move(key)};
}

std::string_view TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

bool IsBareKey(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// A key as it would be written in the file; control characters must not reach a terminal.
std::string KeyText(std::string_view key) {
  if (IsBareKey(key)) return std::string(key);
  std::string quoted = "\"";
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += byte < 0x20 || byte == 0x7f || c == '"' || c == '\\' ? '?' : c;
  }
  return quoted + '"';
}

std::string Plain(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

// Keeps the order of the file, and of discovery within a place.
void InsertInFileOrder(std::vector<ConfigError>& found, ConfigError error) {
  const auto comes_later = [](const ConfigError& a, const ConfigError& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  };
  found.insert(std::ranges::upper_bound(found, error, comes_later), std::move(error));
}

}  // namespace

void Findings::Error(const Place& place, std::string reason) {
  InsertInFileOrder(errors_, {.file = file_,
                              .line = place.line,
                              .column = place.column,
                              .key = place.key,
                              .reason = std::move(reason)});
}

bool Findings::HasError(std::string_view path) const {
  return std::ranges::any_of(errors_, [path](const ConfigError& error) {
    const std::string_view key = error.key;
    return key.starts_with(path) &&
           (key.size() == path.size() || key[path.size()] == '.' || key[path.size()] == '[');
  });
}

void Findings::Warning(const Place& place, std::string reason) {
  InsertInFileOrder(warnings_, {.file = file_,
                                .line = place.line,
                                .column = place.column,
                                .key = place.key,
                                .reason = std::move(reason)});
}

TableReader::TableReader(const toml::table& table, std::string path, Findings& findings)
    : table_(&table), path_(std::move(path)), findings_(findings) {}

std::string TableReader::PathOf(std::string_view key) const {
  if (key.empty()) return path_;
  return path_.empty() ? KeyText(key) : path_ + '.' + KeyText(key);
}

bool TableReader::Has(std::string_view key) const {
  return table_->contains(key);
}

Place TableReader::At(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return PlaceOf(node != nullptr ? node->source() : table_->source(), PathOf(key));
}

const toml::node* TableReader::Ask(std::string_view key) {
  if (std::ranges::find(asked_, key) == asked_.end()) asked_.emplace_back(key);
  return table_->get(key);
}

void TableReader::WrongType(std::string_view key, const toml::node& node, std::string_view wanted) {
  Error(key, "is " + std::string(TypeName(node)) + "; expected " + std::string(wanted));
}

std::optional<Text> TableReader::String(std::string_view key) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return std::nullopt;
  const auto* text = node->as_string();
  if (text == nullptr) {
    WrongType(key, *node, "a string");
    return std::nullopt;
  }
  if (!IsText(text->get(), At(key))) return std::nullopt;
  return Text{.value = text->get(), .place = At(key)};
}

bool TableReader::IsText(const std::string& value, const Place& place) {
  if (!value.contains('\0')) return true;
  findings_.Error(place, "holds a NUL character (\\u0000)");
  return false;
}

std::vector<TableReader::Element> TableReader::Elements(std::string_view key, std::string_view wanted) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return {};
  const auto* array = node->as_array();
  if (array == nullptr) {
    WrongType(key, *node, wanted);
    return {};
  }
  std::vector<Element> elements;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& element = *array->get(i);
    elements.push_back(
        {.node = element, .place = PlaceOf(element.source(), PathOf(key) + '[' + std::to_string(i) + ']')});
  }
  return elements;
}

void TableReader::WrongElement(const Element& element, std::string_view wanted) {
  findings_.Error(element.place,
                  "is " + std::string(TypeName(element.node)) + "; expected " + std::string(wanted));
}

std::vector<Text> TableReader::Strings(std::string_view key) {
  std::vector<Text> texts;
  for (const Element& element : Elements(key, "an array of strings")) {
    if (const auto* text = element.node.as_string()) {
      if (IsText(text->get(), element.place)) texts.push_back({.value = text->get(), .place = element.place});
    } else {
      WrongElement(element, "a string");
    }
  }
  return texts;
}

std::vector<NamedText> TableReader::NamedStrings(std::string_view key, std::string_view value_key) {
  std::vector<NamedText> texts;
  for (const Element& element : Elements(key, "an array of strings")) {
    if (const auto* text = element.node.as_string()) {
      if (!IsText(text->get(), element.place)) continue;
      texts.push_back({.text = {.value = text->get(), .place = element.place}, .name = std::nullopt});
    } else if (const auto* table = element.node.as_table()) {
      TableReader reader(*table, element.place.key, findings_);
      if (!reader.Has(value_key)) reader.Error(value_key, "is missing");
      auto value = reader.String(value_key);
      auto name = reader.String("name");
      reader.Finish();
      if (value) texts.push_back({.text = *std::move(value), .name = std::move(name)});
    } else {
      WrongElement(element, "a string or { " + std::string(value_key) + " = \"…\", name = \"…\" }");
    }
  }
  return texts;
}

std::vector<std::pair<std::int64_t, Place>> TableReader::Integers(std::string_view key) {
  std::vector<std::pair<std::int64_t, Place>> integers;
  for (const Element& element : Elements(key, "an array of integers")) {
    if (const auto* integer = element.node.as_integer()) {
      integers.emplace_back(integer->get(), element.place);
    } else {
      WrongElement(element, "an integer");
    }
  }
  return integers;
}

void TableReader::Boolean(std::string_view key, bool& out) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return;
  const auto* boolean = node->as_boolean();
  if (boolean == nullptr) return WrongType(key, *node, "true or false");
  out = boolean->get();
}

void TableReader::Number(std::string_view key, Bounds<double> bounds, double& out) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return;
  const auto number = node->is_number() ? node->value<double>() : std::nullopt;
  if (!number) return WrongType(key, *node, "a number");
  // Written so that NaN, which compares with nothing, is outside.
  if (!(*number >= bounds.min && *number <= bounds.max)) {
    return Error(key, Plain(*number) + " is outside " + Plain(bounds.min) + ".." + Plain(bounds.max));
  }
  out = *number;
}

void TableReader::Count(std::string_view key, Bounds<std::int64_t> bounds, std::uint32_t& out) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return;
  const auto* integer = node->as_integer();
  if (integer == nullptr) return WrongType(key, *node, "an integer");
  if (integer->get() < bounds.min || integer->get() > bounds.max) {
    return Error(key, std::to_string(integer->get()) + " is outside " + std::to_string(bounds.min) + ".." +
                          std::to_string(bounds.max));
  }
  out = static_cast<std::uint32_t>(integer->get());
}

void TableReader::Size(std::string_view key, Bounds<std::uint64_t> bounds, std::uint64_t& out) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text == nullptr) return WrongType(key, *node, "a size with its unit, as in \"16KiB\"");
  const auto bytes = ParseSize(text->get());
  if (!bytes) return Error(key, bytes.error());
  if (*bytes < bounds.min || *bytes > bounds.max) {
    return Error(key, text->get() + " is outside " + FormatSize(bounds.min) + ".." + FormatSize(bounds.max));
  }
  out = *bytes;
}

void TableReader::DurationMs(std::string_view key, Bounds<std::int64_t> bounds_ms, std::int64_t& out_ms) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text == nullptr) return WrongType(key, *node, "a duration with its unit, as in \"10s\"");
  const auto ms = ParseDurationMs(text->get());
  if (!ms) return Error(key, ms.error());
  if (*ms < bounds_ms.min || *ms > bounds_ms.max) {
    return Error(key, text->get() + " is outside " + FormatDurationMs(bounds_ms.min) + ".." +
                          FormatDurationMs(bounds_ms.max));
  }
  out_ms = *ms;
}

std::optional<std::size_t> TableReader::Choice(std::string_view key,
                                               std::span<const std::string_view> choices) {
  const auto text = String(key);
  if (!text) return std::nullopt;
  std::string allowed;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (text->value == choices[i]) return i;
    allowed += (i == 0 ? "" : ", ") + ('"' + std::string(choices[i]) + '"');
  }
  Error(key, '"' + text->value + "\" is not one of " + allowed);
  return std::nullopt;
}

std::optional<TableReader> TableReader::Table(std::string_view key) {
  const toml::table* table = RawTable(key);
  if (table == nullptr) return std::nullopt;
  return TableReader(*table, PathOf(key), findings_);
}

const toml::table* TableReader::RawTable(std::string_view key) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) WrongType(key, *node, "a table");
  return node->as_table();
}

std::vector<TableReader> TableReader::Tables(std::string_view key) {
  const toml::node* node = Ask(key);
  if (node == nullptr) return {};
  const auto* array = node->as_array();
  if (array == nullptr) {
    WrongType(key, *node, "[[" + std::string(key) + "]], once for each");
    return {};
  }
  std::vector<TableReader> readers;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& element = *array->get(i);
    std::string path = PathOf(key) + '[' + std::to_string(i) + ']';
    if (const auto* table = element.as_table()) {
      readers.emplace_back(*table, std::move(path), findings_);
    } else {
      findings_.Error(PlaceOf(element.source(), std::move(path)),
                      "is " + std::string(TypeName(element)) + "; expected a table");
    }
  }
  return readers;
}

void TableReader::Unavailable(std::string_view key) {
  if (Ask(key) != nullptr) Error(key, "not available in this build");
}

void TableReader::Misplaced(std::string_view key, std::string_view reason) {
  if (Ask(key) != nullptr) Error(key, std::string(reason));
}

void TableReader::Finish() {
  for (const auto& [key, node] : *table_) {
    if (std::ranges::find(asked_, key.str()) != asked_.end()) continue;
    const std::string_view nearest = Nearest(key.str(), asked_);
    findings_.Error(
        PlaceOf(key.source(), PathOf(key.str())),
        nearest.empty() ? "unknown key" : "unknown key; did you mean " + std::string(nearest) + '?');
  }
}

}  // namespace weir::config
