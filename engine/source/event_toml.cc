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
    if (const toml::table* when = fields.Table("when")) {
      TomlFields condition(*when, fields.KeyPath("when"), fields.errors());
      const auto value = condition.Text("is");
      if (!value) condition.Note("is", "is missing: the value that it must have");
      auto at = ReadLocation(condition);
      if (at) part.when = {.at = *std::move(at), .value = value.value_or("")};
      condition.RefuseUnknown();
    }
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

Extractor ReadJoin(const toml::table& table, std::string_view key, TomlFields& parent) {
  Extractor extractor;
  TomlFields joined(table, parent.KeyPath(key), parent.errors());
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

const toml::table* AsJoin(const toml::node& node) {
  const toml::table* table = node.as_table();
  return table != nullptr && table->contains("join") ? table : nullptr;
}

// A place or a join.
Extractor ReadOne(const toml::node& node, std::string_view key, TomlFields& fields) {
  if (const toml::table* join = AsJoin(node)) return ReadJoin(*join, key, fields);
  Extractor extractor;
  ExtractorPart part = ReadPart(node, key, fields);
  if (!part.first_of.empty()) extractor.parts.push_back(std::move(part));
  return extractor;
}

// Places and joins, of which the first that gives a value counts.
Extractor ReadExtractor(TomlFields& fields, std::string_view key) {
  const toml::node* node = fields.Any(key);
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  const bool alternatives = array != nullptr && std::ranges::any_of(*array, [](const toml::node& element) {
                              return AsJoin(element) != nullptr;
                            });
  if (!alternatives) return ReadOne(*node, key, fields);
  Extractor extractor = ReadOne(array->front(), key, fields);
  for (std::size_t i = 1; i < array->size(); ++i) {
    extractor.otherwise.push_back(ReadOne((*array)[i], key, fields));
  }
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
  return std::ranges::all_of(extractor.parts,
                             [&proof](const ExtractorPart& part) {
                               return std::ranges::all_of(part.first_of, [&proof](const Location& at) {
                                 return Covered(at, proof);
                               });
                             }) &&
         std::ranges::all_of(extractor.otherwise,
                             [&proof](const Extractor& other) { return Covered(other, proof); });
}

// A place, or an array of places.
std::vector<Location> ReadPlaces(TomlFields& fields, std::string_view key) {
  const toml::node* node = fields.Any(key);
  return node == nullptr ? std::vector<Location>{} : ReadPart(*node, key, fields).first_of;
}

std::vector<JsonPointer> ReadPointers(TomlFields& fields, std::string_view key) {
  std::vector<JsonPointer> pointers;
  for (const std::string& text : fields.Texts(key)) {
    auto pointer = JsonPointer::Parse(text);
    if (!pointer) {
      fields.Note(key, pointer.error());
    } else if (pointer->tokens.empty()) {
      fields.Note(key, "names the whole document, so that all events would be one");
    } else if (std::ranges::count(pointer->tokens, "*") > 1) {
      fields.Note(key, "has more than one *");
    } else {
      pointers.push_back(*std::move(pointer));
    }
  }
  return pointers;
}

void ReadIdentity(TomlFields& fields, EventRules& rules) {
  rules.lasting_without = ReadPointers(fields, "volatile");
  rules.on_conflict = fields
                          .Choice<OnConflict>("on_conflict", {{"duplicate", OnConflict::kDuplicate},
                                                              {"store", OnConflict::kStore},
                                                              {"reject", OnConflict::kReject}})
                          .value_or(OnConflict::kDuplicate);
  rules.test_ids = fields.Texts("test_ids");
  rules.retry_counter = ReadPlaces(fields, "retry_counter");
  rules.dedupe_window_s = fields.Seconds("dedupe_window").value_or(0);
  if (fields.Has("dedupe_window") &&
      (rules.dedupe_window_s < kDedupeWindowMinS || rules.dedupe_window_s > kDedupeWindowMaxS)) {
    fields.Note("dedupe_window", "is not between 1m and 91d");
  }
  rules.redelivered_by_hand = fields.Boolean("redelivered_by_hand").value_or(false);
}

}  // namespace

EventRules ReadEventRules(TomlFields& fields) {
  EventRules rules;
  rules.id = ReadExtractor(fields, "event_id");
  rules.type = ReadExtractor(fields, "event_type");
  rules.whole_types = fields.Texts("whole_types");
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
  ReadIdentity(fields, rules);
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
