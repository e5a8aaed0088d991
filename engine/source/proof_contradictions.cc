// What a proof says that contradicts itself, so that no request would ever pass it, or any would.
#include <algorithm>
#include <array>

#include "engine/http/tokens.h"
#include "engine/source/content_coding.h"
#include "engine/source/scheme_parts.h"

namespace weir::source {
namespace {

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

// Whether `c` may stand in a signature, so that it separates nothing there.
bool IsOfAlphabet(char c, Encoding encoding) {
  if (encoding == Encoding::kHex) return http::IsHexDigit(c);
  const char lower = http::ToLower(c);
  const std::string_view others = encoding == Encoding::kBase64 ? "+/=" : "-_=";
  return http::IsDigit(c) || (lower >= 'a' && lower <= 'z') || others.contains(c);
}

void CheckList(const SignatureField& signature, TomlFields& fields) {
  if (!signature.list) return;
  const ListSyntax& list = *signature.list;
  const toml::table* table = fields.table()["list"].as_table();
  TomlFields in_list(*table, fields.KeyPath("list"), fields.errors());
  if (IsOfAlphabet(list.item_separator, signature.encoding)) {
    in_list.Note("separator", "may stand in a signature of this encoding, which it would cut");
  }
  const auto is_name = [&list](std::string_view name) {
    const bool blanks = list.trim && (name.starts_with(' ') || name.ends_with(' '));
    return !blanks && !name.contains(list.item_separator) && !name.contains(list.value_separator);
  };
  for (const std::string& name : list.picked) {
    if (!is_name(name)) in_list.Note("pick", "\"" + name + "\" can be no item's name");
  }
  if (!is_name(list.first_name)) in_list.Note("first", "can be no item's name");
}

// Fields that HTTP itself reads: a request with a signature in one of them is refused, or says another thing.
constexpr std::array<std::string_view, 10> kOfHttp = {
    "connection", "content-encoding", "content-length", "expect",           "host", "keep-alive",
    "te",         "trailer",          "upgrade",        "transfer-encoding"};

void CheckSignaturePlace(const Location& at, TomlFields& fields) {
  using From = Location::From;
  const bool possible =
      at.from == From::kHeader || at.from == From::kQuery || at.from == From::kForm || at.from == From::kJson;
  if (!possible) {
    fields.Note(
        "", "is in a " + ToString(at) + ", where no sender can put it; it takes header, query, form or json");
  } else if (at.from == From::kHeader && std::ranges::find(kOfHttp, at.name) != kOfHttp.end()) {
    fields.Note("header", "\"" + at.name + "\" is a field that HTTP itself reads, and can hold no signature");
  }
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
  const std::string_view prefix = signature.prefix;
  fields.CheckFieldValue("prefix", {}, prefix.substr(0, prefix.find_last_not_of(' ') + 1));
  if (!as_text) CheckList(signature, fields);
  for (const Location& at : signature.first_of) CheckSignaturePlace(at, fields);
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

bool IsSamePlace(const Location& a, const Location& b) {
  return a.from == b.from && a.name == b.name && a.pointer.tokens == b.pointer.tokens;
}

// What is read from the signature's own field, which says nothing but the signature.
void CheckOwnField(const Proof& proof, const EventRules& event, TomlFields& fields) {
  const auto is_own = [&proof](const Location& at) {
    return std::ranges::any_of(proof.signature.first_of,
                               [&at](const Location& own) { return IsSamePlace(own, at); });
  };
  const auto names_own = [&is_own](const Template& text) {
    return std::ranges::any_of(text.segments, [&is_own](const Segment& segment) {
      return segment.kind == Segment::Kind::kLocation && is_own(segment.location);
    });
  };
  if (proof.timestamp && is_own(proof.timestamp->at)) {
    fields.Note("timestamp", "stands in the signature's own field; of a list it is { field = \"t\" }");
  }
  if (std::ranges::any_of(proof.signed_variants, names_own)) {
    fields.Note("signed", "names the signature's own field, which cannot sign itself");
  }
  const bool in_body = std::ranges::all_of(proof.signature.first_of, [](const Location& at) {
    return at.from == Location::From::kJson || at.from == Location::From::kForm;
  });
  const bool over_body = std::ranges::any_of(proof.signed_variants, [](const Template& text) {
    return text.Uses(Segment::Kind::kBody) || text.Uses(Segment::Kind::kBodySha256Hex) ||
           text.Uses(Segment::Kind::kBodyCrc32);
  });
  if (in_body && over_body && !proof.signature.first_of.empty()) {
    fields.Note("signed", "covers the body, in which the signature itself stands");
  }
  if (!IsCredential(proof.algorithm)) return;
  const bool is_id = std::ranges::any_of(event.id.parts, [&is_own](const ExtractorPart& part) {
    return std::ranges::any_of(part.first_of, is_own);
  });
  if (is_id) {
    fields.Note("signature",
                "is the place of event_id too: the secret would be every event's id, and all but the "
                "first a duplicate");
  }
}

void CheckTimestampPlace(const Proof& proof, TomlFields& fields) {
  if (!proof.timestamp) return;
  const Location& at = proof.timestamp->at;
  if (at.from == Location::From::kConstant || at.from == Location::From::kBodySha256) {
    fields.Note("timestamp", "is no time that a request brings: " + ToString(at));
  }
  if (proof.timestamp->json_number &&
      (proof.timestamp->unit == TimeUnit::kRfc3339 || at.from != Location::From::kJson)) {
    fields.Note("timestamp", "has number = true, which is for a Unix time in JSON");
  }
  if (proof.timestamp->bounded && proof.timestamp->past_s == 0) {
    fields.Note("timestamp", "takes nothing that is a second old; write a tolerance such as \"5m\"");
  }
  const bool picked =
      at.from == Location::From::kField && proof.signature.list &&
      std::ranges::find(proof.signature.list->picked, at.name) != proof.signature.list->picked.end();
  if (picked) fields.Note("timestamp", "is a field that signature.list.pick takes for a signature");
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
             return segment.kind == Segment::Kind::kLocation && IsSamePlace(segment.location, at);
           });
  });
}

}  // namespace

const FieldRule* FirstContradiction(const std::vector<FieldRule>& rules) {
  for (auto rule = rules.begin(); rule != rules.end(); ++rule) {
    const bool contradicted = std::any_of(rules.begin(), rule, [&rule](const FieldRule& other) {
      return !rule->value.empty() && !other.value.empty() && http::EqualsIgnoreCase(rule->name, other.name) &&
             !http::EqualsIgnoreCase(rule->value, other.value);
    });
    if (contradicted) return &*rule;
  }
  return nullptr;
}

void CheckParameter(const Scheme& scheme, std::string_view name, std::string_view key, TomlFields& fields) {
  if (name.empty() ||
      std::ranges::find(scheme.parameters, name, &ParameterRule::name) != scheme.parameters.end())
    return;
  fields.Note(key, "names the parameter \"" + std::string(name) + "\", which [parameters] does not declare");
}

void CheckParameters(const Scheme& scheme, const Template& text, std::string_view key, TomlFields& fields) {
  for (const Segment& segment : text.segments) {
    if (segment.kind == Segment::Kind::kParameter) CheckParameter(scheme, segment.text, key, fields);
  }
}

void CheckProof(Proof& proof, const Scheme& scheme, TomlFields& fields) {
  const EventRules& event = scheme.event;
  CompleteBasic(proof, fields);
  CheckSignatureField(proof, fields);
  CheckTimestampPlace(proof, fields);
  CheckOwnField(proof, event, fields);
  CheckPlaces(proof, event, fields);
  std::vector<FieldRule> wanted = proof.select;
  wanted.insert(wanted.end(), proof.required.begin(), proof.required.end());
  if (const FieldRule* rule = FirstContradiction(wanted)) {
    fields.Note("require", "and select want header " + rule->name + " to be two things at once");
  }
  for (const FieldRule& rule : wanted) {
    const bool coded = http::EqualsIgnoreCase(rule.name, "content-encoding") && !NamesNoCoding(rule.value);
    if (coded)
      fields.Note("require", "wants a Content-Encoding, and what names a coding is refused before (415)");
  }
  if (proof.jwt) {
    CheckParameter(scheme, proof.jwt->issuer_parameter, "jwt", fields);
    CheckParameter(scheme, proof.jwt->audience_parameter, "jwt", fields);
  }
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
    CheckParameters(scheme, variant, "signed", fields);
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
