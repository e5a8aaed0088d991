#include "engine/source/scheme_parts.h"

namespace weir::source {
namespace {

using Guard = HandshakeRule::Guard;

std::optional<http::Method> ReadMethod(TomlFields& fields, std::string_view key) {
  return fields.Choice<http::Method>(key, {{"GET", http::Method::kGet},
                                           {"HEAD", http::Method::kHead},
                                           {"POST", http::Method::kPost},
                                           {"PUT", http::Method::kPut},
                                           {"OPTIONS", http::Method::kOptions}});
}

std::vector<FieldRule> ReadRules(TomlFields& fields, std::string_view key) {
  std::vector<FieldRule> rules;
  for (auto& [name, value] : fields.TextMap(key)) rules.push_back({name, value == "*" ? "" : value});
  return rules;
}

void ReadMatch(TomlFields& handshake, HandshakeRule& rule) {
  const toml::table* table = handshake.Table("match");
  if (table == nullptr) {
    if (!handshake.Has("match")) handshake.Note("match", "is missing: which requests are this handshake");
    return;
  }
  TomlFields fields(*table, handshake.KeyPath("match"), handshake.errors());
  rule.method = ReadMethod(fields, "method").value_or(http::Method::kPost);
  rule.headers = ReadRules(fields, "headers");
  rule.headers_absent = fields.Texts("headers_absent");
  rule.query = ReadRules(fields, "query");
  rule.form = ReadRules(fields, "form");
  rule.body = fields.Text("body").value_or("");
  for (auto& [name, value] : fields.TextMap("json")) {
    auto pointer = JsonPointer::Parse(name);
    if (pointer) {
      rule.json.emplace_back(*std::move(pointer), value == "*" ? "" : value);
    } else {
      fields.Note("json", pointer.error());
    }
  }
  fields.RefuseUnknown();
}

std::vector<std::pair<std::string, Template>> ReadTemplateMap(TomlFields& fields, std::string_view key) {
  std::vector<std::pair<std::string, Template>> map;
  const toml::table* table = fields.Table(key);
  if (table == nullptr) return map;
  for (const auto& [name, value] : *table) {
    if (auto parsed = fields.ParseTemplate(value, key))
      map.emplace_back(std::string(name.str()), *std::move(parsed));
  }
  return map;
}

void ReadReply(TomlFields& handshake, HandshakeRule& rule) {
  const toml::table* table = handshake.Table("reply");
  if (table == nullptr) return;
  TomlFields fields(*table, handshake.KeyPath("reply"), handshake.errors());
  rule.status = static_cast<int>(fields.Integer("status", 200, 299).value_or(200));
  rule.content_type = fields.Text("content_type").value_or("");
  rule.reply_text = fields.TemplateText("text");
  rule.reply_json = ReadTemplateMap(fields, "json");
  rule.reply_headers = ReadTemplateMap(fields, "headers");
  if (rule.reply_text && !rule.reply_json.empty()) fields.Note("text", "and json exclude each other");
  fields.RefuseUnknown();
}

std::optional<Location> ReadPlace(TomlFields& handshake, std::string_view key) {
  const toml::table* table = handshake.Table(key);
  if (table == nullptr) return std::nullopt;
  TomlFields place(*table, handshake.KeyPath(key), handshake.errors());
  auto location = ReadLocation(place);
  place.RefuseUnknown();
  return location;
}

HandshakeRule ReadHandshake(TomlFields& fields) {
  HandshakeRule rule;
  rule.name = fields.Text("name").value_or("");
  if (const auto guard = fields.Choice<Guard>("guard", {{"signature", Guard::kSignature},
                                                        {"none", Guard::kNone},
                                                        {"parameter", Guard::kParameter},
                                                        {"pending", Guard::kPending}})) {
    rule.guard = *guard;
  }
  rule.guarded = ReadPlace(fields, "guarded");
  rule.guard_parameter = fields.Text("guard_parameter").value_or("");
  rule.refused_status = static_cast<int>(fields.Integer("refused", 400, 499).value_or(0));
  if (rule.guard == Guard::kParameter && (!rule.guarded || rule.guard_parameter.empty())) {
    fields.Note("guard", "= \"parameter\" needs guarded = { query = … } and guard_parameter");
  }
  ReadMatch(fields, rule);
  ReadReply(fields, rule);
  rule.capture = ReadPlace(fields, "capture");
  if (rule.capture && rule.guard != Guard::kPending) {
    fields.Note("capture", "needs guard = \"pending\": who asks first must not win twice");
  }
  rule.confirm = ReadPlace(fields, "confirm");
  if (rule.confirm && rule.guard != Guard::kSignature) {
    fields.Note("confirm", "needs guard = \"signature\": nobody else may name a URL to visit");
  }
  fields.RefuseUnknown();
  return rule;
}

}  // namespace

std::vector<HandshakeRule> ReadHandshakes(TomlFields& fields) {
  std::vector<HandshakeRule> rules;
  const toml::array* array = fields.Tables("handshake");
  if (array == nullptr) return rules;
  std::size_t position = 0;
  for (const toml::node& element : *array) {
    TomlFields handshake(*element.as_table(), fields.KeyPath("handshake[" + std::to_string(position++) + "]"),
                         fields.errors());
    rules.push_back(ReadHandshake(handshake));
  }
  return rules;
}

}  // namespace weir::source
