// What the parts of a scheme say against each other, so that none of the sender's requests would be an event.
#include <algorithm>

#include "engine/http/tokens.h"
#include "engine/source/scheme_parts.h"

namespace weir::source {
namespace {

using From = Location::From;

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

// "application/json": what comes before a parameter in Content-Type (RFC 9110 §8.3.1).
bool IsMediaTypeName(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto is_token = [](std::string_view part) {
    return !part.empty() && part != "*" && std::ranges::all_of(part, http::IsTokenChar);
  };
  return is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

bool AllFrom(const std::vector<Location>& places, From from) {
  return !places.empty() &&
         std::ranges::all_of(places, [from](const Location& at) { return at.from == from; });
}

// Whether there is no id unless the request has something of `from`.
bool NeedsFrom(const Extractor& extractor, From from) {
  const auto needs = [from](const Extractor& one) {
    return std::ranges::any_of(one.parts, [from](const ExtractorPart& part) {
      return !part.optional && !part.when && AllFrom(part.first_of, from);
    });
  };
  return needs(extractor) && std::ranges::all_of(extractor.otherwise, needs);
}

void CheckContentTypes(const Scheme& scheme, TomlFields& fields) {
  for (const std::string& type : scheme.content_types) {
    if (IsMediaTypeName(type)) continue;
    fields.Note("content_types", "\"" + type +
                                     "\" is no type and subtype, such as \"application/json\"; parameters "
                                     "such as charset are not looked at");
    return;
  }
  if (scheme.content_types.empty()) return;
  const auto is_form = [](const std::string& type) { return http::EqualsIgnoreCase(type, kForm); };
  const bool takes_forms = std::ranges::any_of(scheme.content_types, is_form);
  const bool takes_others = !std::ranges::all_of(scheme.content_types, is_form);
  const auto needs = [&scheme](From from) {
    const bool to_verify = std::ranges::all_of(scheme.proofs, [from](const Proof& proof) {
      return AllFrom(proof.signature.first_of, from) || (proof.timestamp && proof.timestamp->at.from == from);
    });
    return (to_verify && !scheme.proofs.empty()) || NeedsFrom(scheme.event.id, from);
  };
  if (!takes_forms && needs(From::kForm)) {
    fields.Note("content_types",
                "have no " + std::string(kForm) + ", and a form field is needed of each request");
  }
  if (!takes_others && scheme.event.payload_form_field.empty() && needs(From::kJson)) {
    fields.Note("content_types", "are forms alone, and JSON is needed of each request");
  }
}

void CheckId(const EventRules& event, TomlFields& fields) {
  const auto is_constant = [](const Extractor& extractor) {
    return !extractor.empty() && std::ranges::all_of(extractor.parts, [](const ExtractorPart& part) {
      return std::ranges::any_of(part.first_of,
                                 [](const Location& at) { return at.from == From::kConstant; });
    });
  };
  if (is_constant(event.id) || std::ranges::any_of(event.id.otherwise, is_constant)) {
    fields.Note("event_id",
                "may be a constant alone, so that all such events but the first would be duplicates");
  }
  const bool from_list = event.batch && event.batch->tokens.empty() && !event.batch_optional;
  const auto is_in_list = [](const Location& at) {
    return at.from != From::kEnvelope ||
           (!at.pointer.tokens.empty() &&
            at.pointer.tokens.front().find_first_not_of("0123456789") == std::string::npos);
  };
  const bool outside = from_list && std::ranges::any_of(event.id.parts, [&](const ExtractorPart& part) {
                         return !part.optional && std::ranges::none_of(part.first_of, is_in_list);
                       });
  if (outside)
    fields.Note("event_id", "is in the envelope of a batch that has none: its body is the array itself");
  const auto is_whole = [](const Location& at) {
    return at.from == From::kJson && at.pointer.tokens.empty();
  };
  const bool whole = std::ranges::any_of(event.id.parts, [&](const ExtractorPart& part) {
    return !part.optional && !part.first_of.empty() && std::ranges::all_of(part.first_of, is_whole);
  });
  if (whole)
    fields.Note("event_id", "is the whole document, which is an id only where it is a lone string or number");
  const auto is_envelope = [](const Location& at) { return at.from == From::kEnvelope; };
  const bool enveloped = !event.batch && std::ranges::any_of(event.id.parts, [&](const ExtractorPart& part) {
    return std::ranges::any_of(part.first_of, is_envelope);
  });
  if (enveloped) fields.Note("event_id", "is in the envelope of a batch, and batch is missing");
  if (std::ranges::find(event.test_ids, "") != event.test_ids.end()) {
    fields.Note("test_ids", "has an empty one, which no id is");
  }
}

}  // namespace

void CheckScheme(const Scheme& scheme, TomlFields& fields) {
  CheckContentTypes(scheme, fields);
  CheckId(scheme.event, fields);
}

}  // namespace weir::source
