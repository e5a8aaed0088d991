#include "engine/source/toml_fields.h"

#include <algorithm>
#include <charconv>

#include "engine/http/tokens.h"

namespace weir::source {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<std::int64_t> ParseSeconds(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0 || value > 1'000'000) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit == "s") return value;
  if (unit == "m") return value * 60;
  if (unit == "h") return value * 3600;
  if (unit == "d") return value * 86400;
  return std::nullopt;
}

}  // namespace

std::string TomlFields::KeyPath(std::string_view key) const {
  if (prefix_.empty()) return std::string(key);
  return key.empty() ? prefix_ : prefix_ + "." + std::string(key);
}

const toml::node* TomlFields::Find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  return table_.get(key);
}

void TomlFields::NoteAt(const toml::node& node, std::string_view key, std::string reason,
                        std::size_t column_offset) {
  const toml::source_position place = node.source().begin;
  errors_.push_back({.line = place.line,
                     .column = place.column + static_cast<unsigned>(column_offset),
                     .key = KeyPath(key),
                     .reason = std::move(reason)});
}

void TomlFields::Note(std::string_view key, std::string reason) {
  const toml::node* node = table_.get(key);
  NoteAt(node != nullptr ? *node : static_cast<const toml::node&>(table_), key, std::move(reason));
}

std::optional<std::string> TomlFields::Text(std::string_view key) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* text = node->as_string()) return text->get();
  NoteAt(*node, key, "is not a string");
  return std::nullopt;
}

std::optional<bool> TomlFields::Boolean(std::string_view key) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  NoteAt(*node, key, "is not true or false");
  return std::nullopt;
}

std::optional<std::int64_t> TomlFields::Integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= least && value->get() <= most) return value->get();
  NoteAt(*node, key, "is not an integer from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::int64_t> TomlFields::Seconds(std::string_view key) {
  const auto text = Text(key);
  if (!text) return std::nullopt;
  const auto seconds = ParseSeconds(*text);
  if (!seconds) Note(key, "\"" + *text + "\" is not a duration; write \"30s\", \"5m\", \"1h\" or \"2d\"");
  return seconds;
}

std::vector<std::string> TomlFields::Texts(std::string_view key) {
  const toml::node* node = Find(key);
  std::vector<std::string> texts;
  if (node == nullptr) return texts;
  if (const auto* text = node->as_string()) {
    texts.push_back(text->get());
  } else if (const auto* array = node->as_array()) {
    for (const toml::node& element : *array) {
      if (const auto* item = element.as_string()) {
        texts.push_back(item->get());
      } else {
        NoteAt(element, key, "has an element that is not a string");
      }
    }
  } else {
    NoteAt(*node, key, "is neither a string nor an array of strings");
  }
  return texts;
}

std::optional<JsonPointer> TomlFields::Pointer(std::string_view key) {
  const auto text = Text(key);
  if (!text) return std::nullopt;
  auto pointer = JsonPointer::Parse(*text);
  if (pointer) return *std::move(pointer);
  Note(key, pointer.error());
  return std::nullopt;
}

std::optional<Template> TomlFields::ParseTemplate(const toml::node& node, std::string_view key) {
  const auto* text = node.as_string();
  if (text == nullptr) {
    NoteAt(node, key, "is not a string");
    return std::nullopt;
  }
  auto parsed = Template::Parse(text->get());
  if (parsed) return *std::move(parsed);
  // The node begins at its quote; a template's first character stands one past it.
  NoteAt(
      node, key,
      "at character " + std::to_string(parsed.error().column) + " of the template: " + parsed.error().reason,
      parsed.error().column);
  return std::nullopt;
}

std::optional<Template> TomlFields::TemplateText(std::string_view key) {
  const toml::node* node = Find(key);
  return node == nullptr ? std::nullopt : ParseTemplate(*node, key);
}

std::vector<Template> TomlFields::Templates(std::string_view key) {
  std::vector<Template> templates;
  const toml::node* node = Find(key);
  if (node == nullptr) return templates;
  const auto add = [&](const toml::node& element) {
    if (auto parsed = ParseTemplate(element, key)) templates.push_back(*std::move(parsed));
  };
  if (const auto* array = node->as_array()) {
    for (const toml::node& element : *array) add(element);
  } else {
    add(*node);
  }
  return templates;
}

const toml::table* TomlFields::Table(std::string_view key) {
  const toml::node* node = Find(key);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr) NoteAt(*node, key, "is not a table");
  return node->as_table();
}

const toml::array* TomlFields::Tables(std::string_view key) {
  const toml::node* node = Find(key);
  if (node == nullptr) return nullptr;
  const toml::array* array = node->as_array();
  if (array == nullptr || !std::ranges::all_of(*array, [](const toml::node& n) { return n.is_table(); })) {
    NoteAt(*node, key, "is not an array of tables");
    return nullptr;
  }
  return array;
}

const toml::node* TomlFields::Any(std::string_view key) {
  return Find(key);
}

std::vector<std::pair<std::string, std::string>> TomlFields::TextMap(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> map;
  const toml::table* table = Table(key);
  if (table == nullptr) return map;
  for (const auto& [name, value] : *table) {
    if (const auto* text = value.as_string()) {
      map.emplace_back(std::string(name.str()), text->get());
    } else {
      NoteAt(value, key, "has a value that is not a string: " + std::string(name.str()));
    }
  }
  return map;
}

void TomlFields::CheckFieldName(std::string_view key, std::string_view name) {
  if (!name.empty() && std::ranges::all_of(name, http::IsTokenChar)) return;
  Note(key, "\"" + std::string(name) + "\" can be no header field's name (RFC 9110 §5.1)");
}

void TomlFields::CheckFieldValue(std::string_view key, std::string_view what, std::string_view value) {
  const std::string said = what.empty() ? std::string() : std::string(what) + ' ';
  if (http::TrimWhitespace(value) != value) {
    Note(key, said + "begins or ends with a space, which no field's value does");
  } else if (!std::ranges::all_of(value, http::IsValueChar)) {
    Note(key, said + "holds a control character, which no field's value does");
  }
}

void TomlFields::RefuseUnknown() {
  for (const auto& [name, value] : table_) {
    if (std::ranges::find(known_, name.str()) != known_.end()) continue;
    std::string allowed;
    for (const std::string& key : known_) allowed += (allowed.empty() ? "" : ", ") + key;
    errors_.push_back({.line = name.source().begin.line,
                       .column = name.source().begin.column,
                       .key = KeyPath(name.str()),
                       .reason = "unknown key; known here are " + allowed});
  }
}

std::optional<Location> ReadLocation(TomlFields& fields) {
  using From = Location::From;
  constexpr std::pair<std::string_view, From> kNamed[] = {
      {"header", From::kHeader}, {"form", From::kForm},   {"query", From::kQuery},
      {"field", From::kField},   {"claim", From::kClaim}, {"constant", From::kConstant},
  };
  constexpr std::pair<std::string_view, From> kPointers[] = {{"json", From::kJson},
                                                             {"envelope", From::kEnvelope}};

  std::optional<Location> found;
  unsigned count = 0;
  for (const auto& [key, from] : kNamed) {
    const auto name = fields.Text(key);
    if (!name) continue;
    ++count;
    if (name->empty()) {
      fields.Note(key, "is empty");
    } else if (from == From::kHeader) {
      fields.CheckFieldName(key, *name);
    }
    found = Location{.from = from, .name = from == From::kHeader ? Lower(*name) : *name, .pointer = {}};
  }
  for (const auto& [key, from] : kPointers) {
    if (!fields.Has(key)) continue;
    ++count;
    if (auto pointer = fields.Pointer(key))
      found = Location{.from = from, .name = {}, .pointer = *std::move(pointer)};
  }
  if (const auto hash = fields.Text("body")) {
    ++count;
    if (*hash != "sha256") fields.Note("body", "\"" + *hash + "\" is not one of sha256");
    found = Location{.from = From::kBodySha256, .name = {}, .pointer = {}};
  }
  if (count == 1) return found;
  if (count > 1) {
    fields.Note("",
                "names more than one place; it takes one of header, json, form, query, field, envelope, "
                "body, constant");
  } else {
    fields.Note(
        "",
        "names no place; it takes one of header, json, form, query, field, claim, envelope, body, constant");
  }
  return std::nullopt;
}

}  // namespace weir::source
