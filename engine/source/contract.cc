#include "engine/source/contract.h"

#include <string_view>

namespace weir::source {
namespace {

void Add(ContractPart& part, std::string_view name, std::string value) {
  if (!value.empty()) part.lines.push_back({std::string(name), std::move(value)});
}

std::string Quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string Joined(const std::vector<Location>& locations) {
  std::string text;
  for (const Location& location : locations) text += (text.empty() ? "" : ", else ") + ToString(location);
  return text;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string Describe(const Extractor& extractor) {
  std::string text;
  for (const ExtractorPart& part : extractor.parts) {
    if (!text.empty()) text += " + ";
    const bool grouped = extractor.parts.size() > 1 && part.first_of.size() > 1;
    text += grouped ? "(" + Joined(part.first_of) + ")" : Joined(part.first_of);
    if (part.optional) text += " (if there)";
    if (part.when) text += " (where " + ToString(part.when->at) + " is " + part.when->value + ")";
  }
  for (const Extractor& other : extractor.otherwise) text += ", else " + Describe(other);
  return text;
}

bool IsCredential(Algorithm algorithm) {
  return algorithm == Algorithm::kToken || algorithm == Algorithm::kBasic;
}

bool IsPublicKey(const Proof& proof) {
  switch (proof.algorithm) {
    case Algorithm::kEd25519:
    case Algorithm::kEcdsaP256Sha256:
    case Algorithm::kRsaSha256:
      return true;
    case Algorithm::kJwt:
      return proof.key.text == KeyText::kJwk || proof.key.text == KeyText::kPem;
    case Algorithm::kHmacSha1:
    case Algorithm::kHmacSha256:
    case Algorithm::kHmacSha384:
    case Algorithm::kHmacSha512:
    case Algorithm::kSha256:
    case Algorithm::kToken:
    case Algorithm::kBasic:
      return false;
  }
  return false;
}

std::string DescribeList(const ListSyntax& list) {
  std::string text = "a list separated by '" + std::string(1, list.item_separator) + "', of which ";
  bool first = true;
  for (const std::string& name : list.picked) {
    text += (first ? "" : " and ") + Quoted(name + list.value_separator);
    first = false;
  }
  return text + " counts";
}

std::string DescribeKey(const Proof& proof) {
  constexpr std::string_view kForms[] = {"as text", "hex", "base64", "PEM", "a JWK"};
  const KeyFormat& key = proof.key;
  const std::string_view form = kForms[static_cast<std::size_t>(key.text)];
  std::string text = (IsPublicKey(proof) ? "public key, " : "the secret, ") + std::string(form);
  if (!key.strip_prefix.empty()) text += " after " + Quoted(key.strip_prefix);
  if (key.decode_prefixed_only) text += "; one without that prefix as text";
  if (key.nfkd) text += ", normalised (NFKD) first";
  if (key.html_unescape) text += ", HTML entities decoded first";
  if (!key.only_prefix.empty()) text += "; only secrets that begin with " + Quoted(key.only_prefix);
  if (!key.not_prefix.empty()) text += "; only secrets that do not begin with " + Quoted(key.not_prefix);
  if (key.slots > 1)
    text += "; number " + std::to_string(key.slot + 1) + " of every " + std::to_string(key.slots);
  if (proof.certificate)
    text += "; of the certificate that " + ToString(proof.certificate->url) + " names, on " +
            Joined(proof.certificate->hosts) +
            (proof.certificate->chain ? ", vouched for by an authority of this machine" : "");
  return text;
}

std::string DescribeJwt(const JwtRules& rules) {
  std::string text = "a JWT (" + Joined(rules.algorithms) + ")";
  if (!rules.body_hash_claim.empty()) {
    constexpr std::string_view kNames[] = {"hex", "base64", "base64url"};
    text += "; its claim " + rules.body_hash_claim + " is the body's SHA-256, " +
            std::string(kNames[static_cast<std::size_t>(rules.body_hash_encoding)]);
  }
  if (!rules.required_claims.empty()) text += "; required: " + Joined(rules.required_claims);
  if (!rules.issuer_parameter.empty()) text += "; iss is the parameter " + rules.issuer_parameter;
  if (rules.max_age_s > 0) text += "; iat at most " + std::to_string(rules.max_age_s) + " s old";
  return text;
}

std::string DescribeTimestamp(const TimestampRule& rule) {
  constexpr std::string_view kUnits[] = {"Unix seconds", "Unix milliseconds", "RFC 3339"};
  std::string text = ToString(rule.at) + ", " + std::string(kUnits[static_cast<std::size_t>(rule.unit)]);
  if (!rule.bounded) return text + ", any age unless the source sets a tolerance";
  return text + ", at most " + std::to_string(rule.past_s) + " s old and " + std::to_string(rule.future_s) +
         " s ahead";
}

ContractPart DescribeProof(const Proof& proof) {
  ContractPart part{.title = proof.name, .lines = {}};
  Add(part, "algorithm", std::string(AlgorithmName(proof.algorithm)));
  Add(part, "signature", SignatureLine(proof));
  Add(part, "key", DescribeKey(proof));
  if (proof.signed_variants.empty()) Add(part, "signed", SignedText(proof));
  for (const Template& variant : proof.signed_variants) Add(part, "signed", variant.text);
  if (proof.timestamp) Add(part, "timestamp", DescribeTimestamp(*proof.timestamp));
  const auto add_fields = [&part](std::string_view name, const std::vector<FieldRule>& rules) {
    for (const FieldRule& rule : rules) {
      Add(part, name, "header " + rule.name + (rule.value.empty() ? "" : ": " + rule.value));
    }
  };
  add_fields("told by", proof.select);
  add_fields("requires", proof.required);
  if (!proof.covers_body) Add(part, "warning", "the body is not covered by the signature");
  return part;
}

std::string DescribeWindow(std::int64_t seconds) {
  constexpr std::int64_t kDayS = 86'400;
  return seconds % kDayS == 0 ? std::to_string(seconds / kDayS) + " days" : std::to_string(seconds) + " s";
}

void AddIdentity(ContractPart& part, const EventRules& event) {
  const auto conflict = [&event]() -> std::string_view {
    switch (event.on_conflict) {
      case OnConflict::kDuplicate:
        return "duplicate: the id is one event's; what differs is kept for the operator";
      case OnConflict::kStore:
        return "store: every event is named by its id and its content, id#hash";
      case OnConflict::kReject:
        return "reject: 409";
    }
    return "";
  }();
  Add(part, "on conflict", std::string(conflict));
  std::string left_out;
  for (const JsonPointer& pointer : event.lasting_without) {
    left_out += (left_out.empty() ? "json " : ", ") + pointer.ToString();
  }
  Add(part, "volatile", std::move(left_out));
  Add(part, "retry counter", Joined(event.retry_counter));
  Add(part, "test ids", Joined(event.test_ids));
  if (event.dedupe_window_s != 0) Add(part, "dedupe window", DescribeWindow(event.dedupe_window_s));
  if (event.redelivered_by_hand) Add(part, "asked for again by hand", "comes under its old id: a duplicate");
}

void AddEvents(ContractPart& part, const EventRules& event) {
  if (event.batch) {
    const std::string where =
        event.batch->tokens.empty() ? "the document, an array" : "json " + event.batch->ToString();
    Add(part, "batch",
        "each element of " + where + " is an event" +
            (event.batch_optional ? "; a body without it is one event" : ""));
  }
  if (!event.payload_form_field.empty())
    Add(part, "payload",
        "of a form, the JSON in its field " + event.payload_form_field +
            (event.payload_is_event ? ", which is what is stored and delivered" : ""));
  Add(part, "event id", EventIdLine(event));
  if (event.missing_id == MissingId::kContentHash) Add(part, "without id", "SHA-256 of the event's bytes");
  if (event.missing_id == MissingId::kUnique) Add(part, "without id", "every request is its own event");
  if (event.missing_id == MissingId::kMalformed) Add(part, "without id", "stored and dead-lettered");
  AddIdentity(part, event);
  Add(part, "event type", EventTypeLine(event));
  const bool id_unsigned = !event.id.empty() && !event.id_signed;
  const bool type_unsigned = !event.type.empty() && !event.type_signed;
  if (id_unsigned || type_unsigned) {
    const std::string what = id_unsigned && type_unsigned ? "id and type are"
                             : id_unsigned                ? "the id is"
                                                          : "the type is";
    Add(part, "unsigned", what + " not covered by the signature");
  }
}

void AddAnswers(ContractPart& part, const Scheme& scheme) {
  Add(part, "goes along", Joined(scheme.forward_headers));
  if (scheme.body_bytes != 0) Add(part, "body", "at most " + std::to_string(scheme.body_bytes) + " bytes");
  if (!scheme.encoded_fields.empty()) {
    Add(part, "encoded",
        "header " + scheme.encoded_fields + "*: percent-encoded UTF-8, anything else is refused");
  }
  Add(part, "methods", AllowedMethods(scheme));
  for (const HandshakeRule& rule : scheme.handshakes) Add(part, "handshake", rule.name);
  if (scheme.accepted.status != 0) {
    Add(part, "answers",
        std::to_string(scheme.accepted.status) +
            (scheme.accepted.body.empty() ? ", empty" : " " + scheme.accepted.body));
  }
  Add(part, "bad signature",
      std::to_string(scheme.invalid_status) + (scheme.rejected_without_body ? ", empty" : ""));
  for (const ParameterRule& rule : scheme.parameters) {
    Add(part, "parameter", rule.name + (rule.required ? ": " : " (optional): ") + rule.help);
  }
  if (NeedsPublicUrl(scheme)) Add(part, "needs", "public_url, the URL as the sender has it");
}

}  // namespace

std::string SignatureLine(const Proof& proof) {
  const SignatureField& field = proof.signature;
  std::string text = Joined(field.first_of);
  if (field.repetition == Repetition::kNumbered) text += "-1, -2, …";
  if (field.list) text += ", " + DescribeList(*field.list);
  if (!field.prefix.empty()) text += ", after " + Quoted(field.prefix);
  if (proof.algorithm == Algorithm::kToken) return text + ", the secret itself";
  if (proof.algorithm == Algorithm::kBasic) return text + ", user:password in base64";
  if (proof.jwt) return text + ", a JWT";
  constexpr std::string_view kNames[] = {"hex", "base64", "base64url"};
  return text + ", " + std::string(kNames[static_cast<std::size_t>(field.encoding)]);
}

std::string SignedText(const Proof& proof) {
  switch (proof.procedure) {
    case Procedure::kTwilio:
      return "the URL and the form's parameters, sorted; or the URL with bodySHA256 of the body in its query";
    case Procedure::kAdyenItems:
      return "of each item, eight of its fields joined by ':'";
    case Procedure::kSns:
      return "names and values of the message's fields, a line each";
    case Procedure::kTemplate:
      break;
  }
  if (proof.jwt) return DescribeJwt(*proof.jwt);
  if (IsCredential(proof.algorithm)) return "nothing";
  return proof.signed_variants.empty() ? std::string() : proof.signed_variants.front().text;
}

std::string EventIdLine(const EventRules& event) {
  if (event.id.empty()) return "none";
  return Describe(event.id) + (event.id_signed ? "" : "  (unsigned)");
}

std::string EventTypeLine(const EventRules& event) {
  if (event.type.empty()) return "none";
  return Describe(event.type) + (event.type_signed ? "" : "  (unsigned)");
}

std::vector<ContractPart> ContractOf(const Kind& kind) {
  const Scheme& scheme = *kind.scheme;
  std::vector<ContractPart> parts;
  parts.reserve(scheme.proofs.size() + 1);
  for (const Proof& proof : scheme.proofs) parts.push_back(DescribeProof(proof));
  if (parts.size() > 1) parts.emplace_back();
  ContractPart& rest = parts.back();
  AddEvents(rest, scheme.event);
  AddAnswers(rest, scheme);
  Add(rest, "timeout", scheme.about.timeout);
  Add(rest, "retries", scheme.about.retries);
  Add(rest, "other names", Joined(scheme.about.aliases));
  Add(rest, "documented at", scheme.about.documentation);
  for (const std::string& note : scheme.about.notes) Add(rest, "note", note);
  for (const std::string& note : scheme.about.unverified) Add(rest, "unverified", note);
  return parts;
}

}  // namespace weir::source
