#include "engine/source/scheme_parts.h"

namespace weir::source {
namespace {

void ReadList(TomlFields& signature, SignatureField& field) {
  const toml::table* table = signature.Table("list");
  if (table == nullptr) return;
  TomlFields fields(*table, signature.KeyPath("list"), signature.errors());
  ListSyntax list;
  const auto one_character = [&](std::string_view key, char& into) {
    const auto text = fields.Text(key);
    if (!text) return;
    if (text->size() == 1) {
      into = text->front();
    } else {
      fields.Note(key, "is not one character");
    }
  };
  one_character("separator", list.item_separator);
  one_character("assign", list.value_separator);
  if (list.item_separator == list.value_separator) fields.Note("assign", "is the same as separator");
  list.trim = fields.Boolean("trim").value_or(false);
  list.picked = fields.Texts("pick");
  if (list.picked.empty())
    fields.Note("pick", "is missing: the names whose values are signatures, such as [\"v1\"]");
  list.first_name = fields.Text("first").value_or("");
  fields.RefuseUnknown();
  field.list = std::move(list);
}

// The location stands in the same table as the syntax, so only the keys of a location are handed on.
void ReadSignatureLocation(TomlFields& signature, SignatureField& field) {
  if (const toml::node* any = signature.Any("any"); any != nullptr) {
    const toml::array* array = signature.Tables("any");
    if (array == nullptr) return;
    if (array->empty()) signature.Note("any", "is empty, so that no signature would be found");
    for (const toml::node& element : *array) {
      TomlFields place(*element.as_table(), signature.KeyPath("any"), signature.errors());
      if (auto location = ReadLocation(place)) field.first_of.push_back(*std::move(location));
      place.RefuseUnknown();
    }
    return;
  }
  if (auto location = ReadLocation(signature)) field.first_of.push_back(*std::move(location));
}

SignatureField ReadSignature(TomlFields& proof) {
  SignatureField field;
  const toml::table* table = proof.Table("signature");
  if (table == nullptr) {
    if (!proof.Has("signature")) {
      proof.Note("signature", "is missing: { header = \"X-Signature\", encoding = \"hex\" }");
    }
    return field;
  }
  TomlFields fields(*table, proof.KeyPath("signature"), proof.errors());
  ReadSignatureLocation(fields, field);
  field.prefix = fields.Text("prefix").value_or("");
  if (const auto encoding = fields.Choice<Encoding>(
          "encoding",
          {{"hex", Encoding::kHex}, {"base64", Encoding::kBase64}, {"base64url", Encoding::kBase64Url}})) {
    field.encoding = *encoding;
  }
  field.padded = fields.Boolean("padded").value_or(false);
  field.upper_case_hex = fields.Boolean("upper_case").value_or(false);
  if (const auto repetition = fields.Choice<Repetition>("repeated", {{"refused", Repetition::kRefused},
                                                                     {"joined", Repetition::kJoined},
                                                                     {"numbered", Repetition::kNumbered}})) {
    field.repetition = *repetition;
  }
  ReadList(fields, field);
  fields.RefuseUnknown();
  return field;
}

KeyFormat ReadKey(TomlFields& proof) {
  KeyFormat key;
  const toml::table* table = proof.Table("key");
  if (table == nullptr) return key;
  TomlFields fields(*table, proof.KeyPath("key"), proof.errors());
  if (const auto text = fields.Choice<KeyText>("encoding", {{"utf8", KeyText::kUtf8},
                                                            {"hex", KeyText::kHex},
                                                            {"base64", KeyText::kBase64},
                                                            {"pem", KeyText::kPem},
                                                            {"jwk", KeyText::kJwk}})) {
    key.text = *text;
  }
  key.strip_prefix = fields.Text("strip").value_or("");
  key.only_prefix = fields.Text("only").value_or("");
  key.not_prefix = fields.Text("not").value_or("");
  key.decode_prefixed_only = fields.Boolean("decode_prefixed_only").value_or(false);
  key.nfkd = fields.Boolean("nfkd").value_or(false);
  key.html_unescape = fields.Boolean("html_unescape").value_or(false);
  key.slots = static_cast<unsigned>(fields.Integer("slots", 1, 4).value_or(1));
  key.slot = static_cast<unsigned>(fields.Integer("slot", 0, 3).value_or(0));
  if (key.slot >= key.slots) fields.Note("slot", "is not below slots");
  fields.RefuseUnknown();
  return key;
}

std::optional<TimestampRule> ReadTimestamp(TomlFields& proof) {
  const toml::table* table = proof.Table("timestamp");
  if (table == nullptr) return std::nullopt;
  TomlFields fields(*table, proof.KeyPath("timestamp"), proof.errors());
  TimestampRule rule;
  if (auto location = ReadLocation(fields)) rule.at = *std::move(location);
  if (const auto unit = fields.Choice<TimeUnit>(
          "unit",
          {{"s", TimeUnit::kSeconds}, {"ms", TimeUnit::kMilliseconds}, {"rfc3339", TimeUnit::kRfc3339}})) {
    rule.unit = *unit;
  }
  if (const auto both = fields.Seconds("tolerance")) rule.past_s = rule.future_s = *both;
  rule.past_s = fields.Seconds("past").value_or(rule.past_s);
  rule.future_s = fields.Seconds("future").value_or(rule.future_s);
  rule.bounded = fields.Boolean("bounded").value_or(true);
  rule.json_number = fields.Boolean("number").value_or(false);
  fields.RefuseUnknown();
  return rule;
}

std::optional<JwtRules> ReadJwt(TomlFields& proof) {
  const toml::table* table = proof.Table("jwt");
  if (table == nullptr) return std::nullopt;
  TomlFields fields(*table, proof.KeyPath("jwt"), proof.errors());
  JwtRules rules;
  rules.algorithms = fields.Texts("algorithms");
  for (const std::string& name : rules.algorithms) {
    if (name != "HS256" && name != "ES256" && name != "RS256") {
      fields.Note("algorithms", "\"" + name + "\" is not one of HS256, ES256, RS256");
    }
  }
  if (rules.algorithms.empty())
    fields.Note("algorithms", "is missing: which of HS256, ES256, RS256 are accepted");
  rules.body_hash_claim = fields.Text("body_hash").value_or("");
  if (const auto encoding = fields.Choice<Encoding>(
          "body_hash_encoding", {{"hex", Encoding::kHex}, {"base64", Encoding::kBase64}})) {
    rules.body_hash_encoding = *encoding;
  }
  rules.issuer_parameter = fields.Text("issuer_parameter").value_or("");
  rules.audience_parameter = fields.Text("audience_parameter").value_or("");
  rules.required_claims = fields.Texts("required");
  rules.leeway_s = fields.Seconds("leeway").value_or(0);
  rules.max_age_s = fields.Seconds("max_age").value_or(0);
  fields.RefuseUnknown();
  return rules;
}

std::optional<CertificateRule> ReadCertificate(TomlFields& proof) {
  const toml::table* table = proof.Table("certificate");
  if (table == nullptr) return std::nullopt;
  TomlFields fields(*table, proof.KeyPath("certificate"), proof.errors());
  CertificateRule rule;
  if (auto location = ReadLocation(fields)) rule.url = *std::move(location);
  rule.hosts = fields.Texts("hosts");
  if (rule.hosts.empty()) fields.Note("hosts", "is missing: whose certificates are trusted");
  rule.chain = fields.Boolean("chain").value_or(false);
  fields.RefuseUnknown();
  return rule;
}

}  // namespace

std::vector<FieldRule> ReadHeaderRules(TomlFields& fields, std::string_view key) {
  std::vector<FieldRule> rules;
  for (auto& [name, value] : fields.TextMap(key)) {
    fields.CheckFieldName(key, name);
    fields.CheckFieldValue(key, name, value);
    rules.push_back({name, value == "*" ? "" : value});
  }
  return rules;
}

Proof ReadProof(TomlFields& fields) {
  Proof proof;
  proof.name = fields.Text("name").value_or("");
  const auto algorithm =
      fields.Choice<Algorithm>("algorithm", {{"hmac-sha256", Algorithm::kHmacSha256},
                                             {"hmac-sha1", Algorithm::kHmacSha1},
                                             {"hmac-sha384", Algorithm::kHmacSha384},
                                             {"hmac-sha512", Algorithm::kHmacSha512},
                                             {"sha256", Algorithm::kSha256},
                                             {"ed25519", Algorithm::kEd25519},
                                             {"ecdsa-p256-sha256", Algorithm::kEcdsaP256Sha256},
                                             {"rsa-sha256", Algorithm::kRsaSha256},
                                             {"jwt", Algorithm::kJwt},
                                             {"token", Algorithm::kToken},
                                             {"basic", Algorithm::kBasic}});
  if (algorithm) {
    proof.algorithm = *algorithm;
  } else if (!fields.Has("algorithm")) {
    fields.Note("algorithm", "is missing: hmac-sha256, hmac-sha1, ed25519, ecdsa-p256-sha256, jwt, token, …");
  }
  if (const auto code = fields.Choice<Procedure>("code", {{"twilio", Procedure::kTwilio},
                                                          {"adyen-items", Procedure::kAdyenItems},
                                                          {"sns", Procedure::kSns}})) {
    proof.procedure = *code;
  }
  proof.signature = ReadSignature(fields);
  proof.key = ReadKey(fields);
  proof.signed_variants = fields.Templates("signed");
  proof.timestamp = ReadTimestamp(fields);
  proof.jwt = ReadJwt(fields);
  proof.certificate = ReadCertificate(fields);
  if (const toml::table* id = fields.Table("id")) {
    TomlFields place(*id, fields.KeyPath("id"), fields.errors());
    proof.id = ReadLocation(place);
    place.RefuseUnknown();
  }
  proof.select = ReadHeaderRules(fields, "select");
  proof.required = ReadHeaderRules(fields, "require");
  return proof;
}

}  // namespace weir::source
