#include <algorithm>

#include "engine/source/scheme_parts.h"

namespace weir::source {
namespace {

// A location, or an array of which the first present one counts.
ExtractorPart ReadPart(const toml::node& node, std::string_view key, TomlFields& parent) {
  ExtractorPart part;
  const auto read_one = [&](const toml::node& element) {
    const toml::table* table = element.as_table();
    if (table == nullptr) {
      parent.NoteAt(element, key, "is not a table such as { json = \"/id\" } or { header = \"X-Id\" }");
      return;
    }
    TomlFields fields(*table, parent.KeyPath(key), parent.errors());
    if (auto location = ReadLocation(fields)) part.first_of.push_back(*std::move(location));
    part.optional |= fields.Boolean("optional").value_or(false);
    fields.RefuseUnknown();
  };
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& element : *array) read_one(element);
    if (array->empty()) parent.NoteAt(node, key, "is an empty array");
  } else {
    read_one(node);
  }
  return part;
}

Extractor ReadExtractor(TomlFields& fields, std::string_view key) {
  Extractor extractor;
  const toml::node* node = fields.Any(key);
  if (node == nullptr) return extractor;
  const toml::table* table = node->as_table();
  if (table == nullptr || !table->contains("join")) {
    ExtractorPart part = ReadPart(*node, key, fields);
    if (!part.first_of.empty()) extractor.parts.push_back(std::move(part));
    return extractor;
  }
  TomlFields joined(*table, fields.KeyPath(key), fields.errors());
  extractor.separator = joined.Text("separator").value_or(".");
  const toml::node* parts = joined.Any("join");
  const toml::array* array = parts->as_array();
  if (array == nullptr || array->empty()) {
    joined.Note("join", "is not an array of locations");
    return extractor;
  }
  for (const toml::node& element : *array) {
    ExtractorPart part = ReadPart(element, "join", joined);
    if (!part.first_of.empty()) extractor.parts.push_back(std::move(part));
  }
  joined.RefuseUnknown();
  return extractor;
}

void ReadBatch(TomlFields& fields, EventRules& rules) {
  const toml::node* node = fields.Any("batch");
  if (node == nullptr) return;
  if (node->is_string()) {
    rules.batch = fields.Pointer("batch");
    return;
  }
  const toml::table* table = fields.Table("batch");
  if (table == nullptr) return;
  TomlFields batch(*table, fields.KeyPath("batch"), fields.errors());
  rules.batch = batch.Pointer("json");
  if (!rules.batch && !batch.Has("json")) batch.Note("json", "is missing: where the array of events is");
  rules.batch_optional = batch.Boolean("optional").value_or(false);
  batch.RefuseUnknown();
}

// Whether some proof signs the thing at `location`, for every proof of the scheme.
bool Covered(const Location& location, const Proof& proof) {
  using From = Location::From;
  switch (location.from) {
    case From::kJson:
    case From::kEnvelope:
    case From::kForm:
    case From::kBodySha256:
      return proof.covers_body;
    case From::kConstant:
    case From::kClaim:
      return true;
    case From::kQuery:
      if (proof.needs_url) return true;
      break;
    case From::kHeader:
    case From::kField:
      break;
  }
  return !proof.signed_variants.empty() &&
         std::ranges::all_of(proof.signed_variants, [&](const Template& variant) {
           return std::ranges::any_of(variant.segments, [&](const Segment& segment) {
             if (segment.kind == Segment::Kind::kId) return proof.id && proof.id->name == location.name;
             return segment.kind == Segment::Kind::kLocation && segment.location.from == location.from &&
                    segment.location.name == location.name;
           });
         });
}

bool Covered(const Extractor& extractor, const Proof& proof) {
  return std::ranges::all_of(extractor.parts, [&proof](const ExtractorPart& part) {
    return std::ranges::all_of(part.first_of, [&proof](const Location& at) { return Covered(at, proof); });
  });
}

}  // namespace

EventRules ReadEventRules(TomlFields& fields) {
  EventRules rules;
  rules.id = ReadExtractor(fields, "event_id");
  rules.type = ReadExtractor(fields, "event_type");
  const auto missing = fields.Choice<MissingId>("missing_id", {{"malformed", MissingId::kMalformed},
                                                               {"content_hash", MissingId::kContentHash},
                                                               {"unique", MissingId::kUnique}});
  if (missing) rules.missing_id = *missing;
  if (rules.id.empty() && !missing && !fields.Has("event_id")) {
    fields.Note("event_id",
                "is missing: { json = \"/id\" } or { header = \"X-Id\" }; for a sender without ids say "
                "missing_id = \"content_hash\" or \"unique\"");
  }
  ReadBatch(fields, rules);
  if (const toml::table* payload = fields.Table("payload")) {
    TomlFields form(*payload, fields.KeyPath("payload"), fields.errors());
    rules.payload_form_field = form.Text("form").value_or("");
    rules.payload_is_event = form.Boolean("deliver").value_or(false);
    form.RefuseUnknown();
  }
  return rules;
}

void MarkUnsigned(Scheme& scheme) {
  scheme.event.id_signed = std::ranges::all_of(scheme.proofs, [&scheme](const Proof& proof) {
    return proof.id ? Covered(*proof.id, proof) : Covered(scheme.event.id, proof);
  });
  scheme.event.type_signed = std::ranges::all_of(
      scheme.proofs, [&scheme](const Proof& proof) { return Covered(scheme.event.type, proof); });
}

}  // namespace weir::source
