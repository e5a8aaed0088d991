#include <algorithm>

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
  rule.headers = ReadHeaderRules(fields, "headers");
  if (const FieldRule* twice = FirstContradiction(rule.headers)) {
    fields.Note("headers", "want " + twice->name + " to be two things at once");
  }
  rule.headers_absent = fields.Texts("headers_absent");
  for (const std::string& absent : rule.headers_absent) {
    fields.CheckFieldName("headers_absent", absent);
    const bool wanted = std::ranges::any_of(rule.headers, [&absent](const FieldRule& header) {
      return http::EqualsIgnoreCase(header.name, absent);
    });
    if (wanted) fields.Note("headers_absent", "and headers both name " + absent);
  }
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

// What a reply can say: text, parameters, places of the request and, once a key has matched, their HMAC.
void CheckReply(const Scheme& scheme, const HandshakeRule& rule, const Template& text, std::string_view key,
                TomlFields& fields) {
  using Kind = Segment::Kind;
  CheckParameters(scheme, text, key, fields);
  const bool sayable = std::ranges::all_of(text.segments, [](const Segment& segment) {
    return segment.kind == Kind::kLiteral || segment.kind == Kind::kParameter ||
           segment.kind == Kind::kLocation || segment.kind == Kind::kHmacHex;
  });
  if (!sayable) {
    fields.Note(key, "can say text, {parameter:NAME}, the places of the request and {hmac_hex(PLACE)} alone");
  } else if (text.Uses(Kind::kHmacHex) && rule.guard != Guard::kSignature) {
    fields.Note(key,
                "uses {hmac_hex(…)}, which needs guard = \"signature\": the key is the one that matched");
  }
}

void ReadReply(const Scheme& scheme, TomlFields& handshake, HandshakeRule& rule) {
  const toml::table* table = handshake.Table("reply");
  if (table == nullptr) return;
  TomlFields fields(*table, handshake.KeyPath("reply"), handshake.errors());
  rule.status = static_cast<int>(fields.Integer("status", 200, 299).value_or(200));
  rule.content_type = fields.Text("content_type").value_or("");
  rule.reply_text = fields.TemplateText("text");
  rule.reply_json = ReadTemplateMap(fields, "json");
  rule.reply_headers = ReadTemplateMap(fields, "headers");
  if (rule.reply_text && !rule.reply_json.empty()) fields.Note("text", "and json exclude each other");
  if (rule.reply_text) CheckReply(scheme, rule, *rule.reply_text, "text", fields);
  for (const auto& [name, text] : rule.reply_json) CheckReply(scheme, rule, text, "json", fields);
  for (const auto& [name, text] : rule.reply_headers) {
    fields.CheckFieldName("headers", name);
    CheckReply(scheme, rule, text, "headers", fields);
  }
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

// Events would be taken for the handshake, answered and not stored.
bool TakesEveryEvent(const Scheme& scheme, const HandshakeRule& rule) {
  const bool anything = rule.headers.empty() && rule.headers_absent.empty() && rule.query.empty() &&
                        rule.form.empty() && rule.json.empty() && rule.body.empty();
  return anything && rule.guard != Guard::kPending && Delivers(scheme, rule.method);
}

HandshakeRule ReadHandshake(const Scheme& scheme, TomlFields& fields) {
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
  CheckParameter(scheme, rule.guard_parameter, "guard_parameter", fields);
  ReadMatch(fields, rule);
  if (fields.Has("match") && TakesEveryEvent(scheme, rule)) {
    fields.Note("match", "is every " + std::string(http::MethodName(rule.method)) +
                             ", so that no event would be stored; name what only the handshake has");
  }
  ReadReply(scheme, fields, rule);
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

std::vector<HandshakeRule> ReadHandshakes(const Scheme& scheme, TomlFields& fields) {
  std::vector<HandshakeRule> rules;
  const toml::array* array = fields.Tables("handshake");
  if (array == nullptr) return rules;
  std::size_t position = 0;
  for (const toml::node& element : *array) {
    TomlFields handshake(*element.as_table(), fields.KeyPath("handshake[" + std::to_string(position++) + "]"),
                         fields.errors());
    rules.push_back(ReadHandshake(scheme, handshake));
  }
  return rules;
}

}  // namespace weir::source
