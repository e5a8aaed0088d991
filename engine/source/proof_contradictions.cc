// What a proof says that contradicts itself, so that no request would ever pass it, or any would.
#include <algorithm>

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
