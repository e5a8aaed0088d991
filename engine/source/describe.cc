#include <string>

#include "engine/source/kinds.h"
#include "engine/source/scheme.h"

namespace weir::source {
namespace {

void Line(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  constexpr std::size_t kColumn = 14;
  out.append("  ").append(name);
  out.append(name.size() < kColumn ? kColumn - name.size() : 1, ' ');
  out.append(value).append("\n");
}

std::string Joined(const std::vector<Location>& locations) {
  std::string text;
  for (const Location& location : locations) text += (text.empty() ? "" : ", else ") + ToString(location);
  return text;
}

std::string Describe(const Extractor& extractor) {
  std::string text;
  for (const ExtractorPart& part : extractor.parts) {
    if (!text.empty()) text += " + ";
    text += Joined(part.first_of);
    if (part.optional) text += " (if there)";
  }
  return text;
}

std::string DescribeSignature(const SignatureField& field) {
  std::string text = Joined(field.first_of);
  if (field.repetition == Repetition::kNumbered) text += "-1, -2, …";
  if (field.list) {
    text += ", a list separated by '" + std::string(1, field.list->item_separator) + "', of which";
    for (const std::string& name : field.list->picked)
      text += " " + name + std::string(1, field.list->value_separator);
    text += " counts";
  }
  if (!field.prefix.empty()) text += ", after \"" + field.prefix + "\"";
  constexpr std::string_view kNames[] = {"hex", "base64", "base64url"};
  return text + ", " + std::string(kNames[static_cast<std::size_t>(field.encoding)]);
}

std::string DescribeTimestamp(const TimestampRule& rule) {
  constexpr std::string_view kUnits[] = {"Unix seconds", "Unix milliseconds", "RFC 3339"};
  std::string text = ToString(rule.at) + ", " + std::string(kUnits[static_cast<std::size_t>(rule.unit)]);
  if (!rule.bounded) return text + ", any age unless the source sets a tolerance";
  return text + ", at most " + std::to_string(rule.past_s) + " s old and " + std::to_string(rule.future_s) +
         " s ahead";
}

void DescribeProof(std::string& out, const Proof& proof) {
  if (!proof.name.empty()) out += "\n" + proof.name + "\n";
  Line(out, "algorithm", AlgorithmName(proof.algorithm));
  Line(out, "signature", DescribeSignature(proof.signature));
  for (const Template& variant : proof.signed_variants) Line(out, "signed", variant.text);
  if (proof.timestamp) Line(out, "timestamp", DescribeTimestamp(*proof.timestamp));
  for (const FieldRule& rule : proof.required) {
    Line(out, "requires", rule.name + (rule.value.empty() ? "" : ": " + rule.value));
  }
  if (!proof.covers_body) Line(out, "warning", "the body is not covered by the signature");
}

void DescribeEvents(std::string& out, const EventRules& event) {
  if (event.batch)
    Line(out, "batch",
         "each element of " + (event.batch->tokens.empty() ? "the document" : event.batch->ToString()));
  Line(out, "event id", Describe(event.id) + (event.id_signed ? "" : "  (unsigned)"));
  if (event.missing_id == MissingId::kContentHash) Line(out, "without id", "SHA-256 of the event's bytes");
  if (event.missing_id == MissingId::kUnique) Line(out, "without id", "every request is its own event");
  Line(out, "event type",
       event.type.empty() ? "none" : Describe(event.type) + (event.type_signed ? "" : "  (unsigned)"));
}

}  // namespace

std::string DescribeKind(const Kind& kind) {
  const Scheme& scheme = *kind.scheme;
  std::string out = kind.title + "  (kind = \"" + kind.name + "\")\n";
  for (const Proof& proof : scheme.proofs) DescribeProof(out, proof);
  if (scheme.proofs.size() > 1) out += "\n";
  DescribeEvents(out, scheme.event);
  Line(out, "methods", AllowedMethods(scheme));
  for (const HandshakeRule& rule : scheme.handshakes) Line(out, "handshake", rule.name);
  if (scheme.accepted.status != 0)
    Line(out, "answers", std::to_string(scheme.accepted.status) + " " + scheme.accepted.body);
  Line(out, "bad signature", std::to_string(scheme.invalid_status));
  for (const ParameterRule& rule : scheme.parameters) {
    Line(out, "parameter", rule.name + (rule.required ? ": " : " (optional): ") + rule.help);
  }
  if (NeedsPublicUrl(scheme)) Line(out, "needs", "public_url, the URL as the sender has it");
  Line(out, "timeout", scheme.about.timeout);
  Line(out, "retries", scheme.about.retries);
  Line(out, "documented at", scheme.about.documentation);
  for (const std::string& note : scheme.about.notes) Line(out, "note", note);
  for (const std::string& note : scheme.about.unverified) Line(out, "unverified", note);
  return out;
}

}  // namespace weir::source
