#include <algorithm>

#include "engine/limits.h"
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

bool IsCredential(Algorithm algorithm) {
  return algorithm == Algorithm::kToken || algorithm == Algorithm::kBasic;
}

// RFC 7617 §2: what follows "Basic " is base64, and nothing else is.
void CompleteBasic(Proof& proof, TomlFields& fields) {
  if (proof.algorithm != Algorithm::kBasic) return;
  SignatureField& signature = proof.signature;
  const toml::table* table = fields.table()["signature"].as_table();
  if (table != nullptr && table->contains("encoding") && signature.encoding != Encoding::kBase64) {
    TomlFields(*table, fields.KeyPath("signature"), fields.errors())
        .Note("encoding", "of algorithm = \"basic\" is base64");
  }
  signature.encoding = Encoding::kBase64;
  if (signature.prefix.empty()) signature.prefix = "Basic ";
}

// Settings that contradict each other, so that no request would ever be taken.
void CheckSignatureField(const Proof& proof, TomlFields& proof_fields) {
  const toml::table* table = proof_fields.table()["signature"].as_table();
  if (table == nullptr) return;
  TomlFields fields(*table, proof_fields.KeyPath("signature"), proof_fields.errors());
  const SignatureField& signature = proof.signature;
  const bool in_header = std::ranges::all_of(
      signature.first_of, [](const Location& at) { return at.from == Location::From::kHeader; });
  const bool as_text = proof.algorithm == Algorithm::kToken || proof.algorithm == Algorithm::kJwt;
  if (as_text && fields.Has("encoding")) {
    fields.Note("encoding", "means nothing with algorithm = \"" +
                                std::string(AlgorithmName(proof.algorithm)) +
                                "\": the field is taken as it is");
  }
  if (signature.repetition != Repetition::kRefused && (!in_header || signature.first_of.size() != 1)) {
    fields.Note("repeated", "is for a signature in one header field");
  }
  if (signature.upper_case_hex && signature.encoding != Encoding::kHex) {
    fields.Note("upper_case", "means nothing where the encoding is not hex");
  }
  if (signature.padded && signature.encoding != Encoding::kBase64Url) {
    fields.Note("padded", "means nothing where the encoding is not base64url");
  }
  if (signature.prefix.starts_with(' ')) {
    fields.Note("prefix", "begins with a space, which no field's value does");
  }
  for (const FieldRule& rule : proof.required) {
    if (rule.value.starts_with(' ') || rule.value.ends_with(' ')) {
      proof_fields.Note("require", rule.name + " begins or ends with a space, which no field's value does");
    }
  }
}

bool UsesListField(const Template& text) {
  return std::ranges::any_of(text.segments, [](const Segment& segment) {
    return segment.kind == Segment::Kind::kLocation && segment.location.from == Location::From::kField;
  });
}

// Places that the request of this proof never has.
void CheckPlaces(const Proof& proof, const EventRules& event, TomlFields& fields) {
  const auto has = [&event](Location::From from, const auto& allowed) {
    const auto outside = [&](const Extractor& extractor) {
      return std::ranges::any_of(extractor.parts, [&](const ExtractorPart& part) {
        return std::ranges::any_of(part.first_of,
                                   [&](const Location& at) { return at.from == from && !allowed(at.name); });
      });
    };
    return outside(event.id) || outside(event.type);
  };
  const bool list = proof.signature.list.has_value();
  const bool timestamp_in_list = proof.timestamp && proof.timestamp->at.from == Location::From::kField;
  if (!list && timestamp_in_list) {
    fields.Note("timestamp", "is a field of the signature's list, and signature has no list");
  }
  if (!list && std::ranges::any_of(proof.signed_variants, UsesListField)) {
    fields.Note("signed", "uses {field:…} of the signature's list, and signature has no list");
  }
  if (!list && has(Location::From::kField, [](const std::string&) { return false; })) {
    fields.Note("signature", "has no list, and event_id or event_type names a field of it");
  }
  const auto is_required = [&proof](const std::string& claim) {
    return proof.jwt &&
           std::ranges::find(proof.jwt->required_claims, claim) != proof.jwt->required_claims.end();
  };
  if (has(Location::From::kClaim, is_required)) {
    fields.Note("jwt", "has to require the claims that event_id and event_type name");
  }
}

bool IsHmac(Algorithm algorithm) {
  return algorithm <= Algorithm::kHmacSha512;
}

bool CoversBody(const Proof& proof) {
  if (proof.procedure != Procedure::kTemplate) return true;
  if (proof.jwt) return !proof.jwt->body_hash_claim.empty();
  using Kind = Segment::Kind;
  return !proof.signed_variants.empty() &&
         std::ranges::all_of(proof.signed_variants, [](const Template& variant) {
           return variant.Uses(Kind::kBody) || variant.Uses(Kind::kBodySha256Hex) ||
                  variant.Uses(Kind::kBodyCrc32) || variant.Uses(Kind::kBodyEscaped) ||
                  variant.Uses(Kind::kBodyEscapedSlash) || variant.Uses(Kind::kFormSorted);
         });
}

bool SignsTimestamp(const Proof& proof) {
  const Location& at = proof.timestamp->at;
  if (proof.procedure != Procedure::kTemplate || proof.jwt) return true;
  if (at.from == Location::From::kJson && proof.covers_body) return true;
  return std::ranges::all_of(proof.signed_variants, [&at](const Template& variant) {
    return variant.Uses(Segment::Kind::kTimestamp) ||
           std::ranges::any_of(variant.segments, [&at](const Segment& segment) {
             return segment.kind == Segment::Kind::kLocation && segment.location.from == at.from &&
                    segment.location.name == at.name && segment.location.pointer.tokens == at.pointer.tokens;
           });
  });
}

}  // namespace

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
  const auto field_rules = [&fields](std::string_view key, std::vector<FieldRule>& rules) {
    for (auto& [name, value] : fields.TextMap(key)) rules.push_back({name, value == "*" ? "" : value});
  };
  field_rules("select", proof.select);
  field_rules("require", proof.required);
  return proof;
}

void CheckProof(Proof& proof, const EventRules& event, TomlFields& fields) {
  CompleteBasic(proof, fields);
  CheckSignatureField(proof, fields);
  CheckPlaces(proof, event, fields);
  const bool by_template = proof.procedure == Procedure::kTemplate && proof.algorithm != Algorithm::kJwt &&
                           !IsCredential(proof.algorithm);
  if (by_template && proof.signed_variants.empty() && !fields.Has("signed")) {
    fields.Note("signed", "is missing: what the sender signs, such as \"{timestamp}.{body}\"");
  }
  if (!by_template && !proof.signed_variants.empty() && proof.procedure == Procedure::kTemplate) {
    fields.Note("signed",
                "means nothing with algorithm = \"" + std::string(AlgorithmName(proof.algorithm)) + "\"");
  }
  if (proof.algorithm == Algorithm::kJwt && !proof.jwt)
    fields.Note("jwt", "is missing: { algorithms = [\"ES256\"] }");

  const bool body_covered = CoversBody(proof);
  const auto stated = fields.Boolean("covers_body");
  if (by_template && !body_covered && stated.value_or(true) && !proof.signed_variants.empty()) {
    fields.Note("signed",
                "does not contain {body}; say covers_body = false if the sender really signs no payload");
  }
  proof.covers_body = body_covered;
  for (const Template& variant : proof.signed_variants) {
    if (variant.Uses(Segment::Kind::kTimestamp) && !proof.timestamp) {
      fields.Note("signed", "uses {timestamp}, but there is no timestamp = { header = …, unit = … }");
    }
    if (variant.Uses(Segment::Kind::kId)) {
      if (!proof.id && event.id.parts.empty()) fields.Note("signed", "uses {id}, but there is no event_id");
      if (!proof.id && !event.id.parts.empty()) proof.id = event.id.parts.front().first_of.front();
    }
    if (variant.Uses(Segment::Kind::kHmacHex))
      fields.Note("signed", "uses {hmac_hex(…)}, which is for replies only");
    if (proof.algorithm == Algorithm::kSha256 && !variant.Uses(Segment::Kind::kSecret)) {
      fields.Note("signed", "does not contain {secret}, so anyone could make it");
    }
    if (proof.algorithm != Algorithm::kSha256 && variant.Uses(Segment::Kind::kSecret)) {
      fields.Note("signed", "contains {secret}, which is for algorithm = \"sha256\" only");
    }
    proof.needs_url |= variant.Uses(Segment::Kind::kUrl) || variant.Uses(Segment::Kind::kUrlDecoded);
  }
  proof.needs_url |= proof.procedure == Procedure::kTwilio;
  if (proof.timestamp && !proof.signed_variants.empty() && !SignsTimestamp(proof)) {
    fields.Note("timestamp", "is not part of what is signed, so its age proves nothing; leave it out");
  }
  if (IsHmac(proof.algorithm) && (proof.key.text == KeyText::kPem || proof.key.text == KeyText::kJwk)) {
    fields.Note("key", "of an HMAC is utf8, hex or base64");
  }
}

}  // namespace weir::source
