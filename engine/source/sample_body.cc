#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/http/response_writer.h"
#include "engine/source/scheme.h"
#include "engine/source/signer.h"
#include "engine/source/timestamp.h"
#include "engine/source/type_parts.h"
#include "engine/text/json_string.h"
#include "storage/check.h"

namespace weir::source {
namespace {

// A JSON value under construction: an object when it has members, else a string or bare text.
struct Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> members;
  std::string text;
  bool bare = false;  // a number, written without quotes

  Node& At(const JsonPointer& pointer) {
    Node* node = this;
    for (const std::string& token : pointer.tokens) {
      const auto found =
          std::ranges::find(node->members, token, [](const auto& member) { return member.first; });
      if (found != node->members.end()) {
        node = found->second.get();
        continue;
      }
      node->members.emplace_back(token, std::make_unique<Node>());
      node = node->members.back().second.get();
    }
    return *node;
  }

  void Write(std::string& out) const {
    if (members.empty()) {
      if (!bare) out += '"';
      text::AppendJsonEscaped(out, text);
      if (!bare) out += '"';
      return;
    }
    out += '{';
    for (const auto& [name, node] : members) {
      if (out.back() != '{') out += ',';
      out += '"';
      text::AppendJsonEscaped(out, name);
      out += "\":";
      node->Write(out);
    }
    out += '}';
  }
};

const Location* FirstOf(const ExtractorPart& part, Location::From from) {
  const auto found = std::ranges::find(part.first_of, from, &Location::from);
  return found == part.first_of.end() ? nullptr : &*found;
}

// The same value in each part that a sender has to give; where it may leave out the others, `value` alone is the id.
std::vector<std::string> Repeat(const Extractor& extractor, std::string_view value) {
  const bool all_optional = std::ranges::all_of(extractor.parts, &ExtractorPart::optional);
  std::vector<std::string> pieces;
  pieces.reserve(extractor.parts.size());
  for (const ExtractorPart& part : extractor.parts)
    pieces.emplace_back(part.optional && !all_optional ? std::string_view() : value);
  return pieces;
}

// Whether it has a place for `value`.
bool Place(Node& event, const Extractor& extractor, std::string_view value, bool split) {
  bool placed = false;
  const auto pieces = split ? SplitType(extractor, value) : Repeat(extractor, value);
  for (std::size_t i = 0; i < extractor.parts.size() && i < pieces.size(); ++i) {
    const Location* at = FirstOf(extractor.parts[i], Location::From::kJson);
    const bool left_out = extractor.parts[i].optional && pieces[i].empty();
    if (at == nullptr || at->pointer.tokens.empty() || left_out) continue;
    event.At(at->pointer).text = pieces[i];
    placed = true;
  }
  return placed;
}

// Where ids are looked for first, in a form or in JSON.
bool IsForm(const Scheme& scheme) {
  for (const Extractor* extractor : {&scheme.event.id, &scheme.event.type}) {
    for (const ExtractorPart& part : extractor->parts) {
      for (const Location& at : part.first_of) {
        if (at.from == Location::From::kForm) return true;
        if (at.from == Location::From::kJson) return false;
      }
    }
  }
  return false;
}

std::string FormBody(const Scheme& scheme, std::string_view id, std::string_view type, std::size_t bytes) {
  std::string body;
  const auto add = [&body](std::string_view name, std::string_view value) {
    if (!body.empty()) body += '&';
    body.append(name).append("=").append(value);
  };
  for (const auto& [extractor, value] :
       {std::pair{&scheme.event.id, id}, std::pair{&scheme.event.type, type}}) {
    for (const ExtractorPart& part : extractor->parts) {
      const Location* at = FirstOf(part, Location::From::kForm);
      if (at != nullptr && !part.optional) add(at->name, value);
    }
  }
  add("Body", "");
  if (body.size() < bytes) body.append(bytes - body.size(), 'x');
  return body;
}

std::string JsonEvent(const Scheme& scheme, std::string_view id, std::string_view type,
                      std::int64_t at_unix_s, std::size_t bytes) {
  Node event;
  const bool says_id = Place(event, scheme.event.id, id, false);
  Place(event, scheme.event.type, type, true);
  // Two events of a sender without ids in their bodies differ in something all the same.
  if (!says_id) event.At(JsonPointer{{"weir_id"}}).text = id;
  for (const Proof& proof : scheme.proofs) {
    if (!proof.timestamp || proof.timestamp->at.from != Location::From::kJson) continue;
    Node& time = event.At(proof.timestamp->at.pointer);
    time.text = FormatTimestamp(at_unix_s, proof.timestamp->unit);
    time.bare = proof.timestamp->unit != TimeUnit::kRfc3339;
  }
  if (!scheme.event.batch || scheme.event.batch->tokens.size() > 1) {
    Node& created = event.At(JsonPointer{{"created"}});
    created.text = std::to_string(at_unix_s);
    created.bare = true;
  }
  Node& padding = event.At(JsonPointer{{"weir_padding"}});
  std::string text;
  event.Write(text);
  if (text.size() < bytes) {
    padding.text.assign(bytes - text.size(), 'x');
    text.clear();
    event.Write(text);
  }
  return text;
}

// `events` are separated by commas.
std::string WrapBatch(const JsonPointer& at, std::string_view events) {
  std::string body = "[" + std::string(events) + "]";
  for (auto token = at.tokens.rbegin(); token != at.tokens.rend(); ++token) {
    std::string outer = "{\"";
    outer.append(*token).append("\":").append(body).append("}");
    body = std::move(outer);
  }
  return body;
}

}  // namespace

std::string SampleBody(const Scheme& scheme, std::string_view id, std::string_view type,
                       std::int64_t at_unix_s, std::size_t bytes) {
  if (IsForm(scheme)) return FormBody(scheme, id, type, bytes);
  std::string event = JsonEvent(scheme, id, type, at_unix_s, bytes);
  return scheme.event.batch ? WrapBatch(*scheme.event.batch, event) : event;
}

std::string SampleBatch(const Scheme& scheme, std::span<const std::string> ids, std::string_view type,
                        std::int64_t at_unix_s, std::size_t bytes_each) {
  WEIR_CHECK(scheme.event.batch.has_value());
  std::string events;
  for (const std::string& id : ids) {
    if (!events.empty()) events += ',';
    events += JsonEvent(scheme, id, type, at_unix_s, bytes_each);
  }
  return WrapBatch(*scheme.event.batch, events);
}

}  // namespace weir::source
