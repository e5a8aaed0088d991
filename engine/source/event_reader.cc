#include "engine/source/event_reader.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/limits.h"
#include "engine/source/encoding.h"
#include "engine/source/form.h"
#include "engine/source/keyed_hash.h"
#include "engine/text/utf8.h"

namespace weir::source {
namespace {

// Whether a place is missed for want of JSON to look in.
bool IsInBrokenJson(const Location& at, RequestValues& element) {
  if (at.from != Location::From::kJson) return false;
  if (!element.OpenJson()) return true;
  const auto value = element.json().Value(at.pointer);
  return !value && value.error() == JsonMiss::kBroken;
}

// `text` with a '?' for every byte that no string of JSON may hold (RFC 8259 §7, §8.1), and the padding behind it:
// nothing moves, so that what is found in it stands at the same place in `text`.
std::string WithoutBadBytes(std::string_view text) {
  std::string out(text);
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    const text::Utf8Sequence sequence = text::Utf8SequenceAt(text, i);
    const char c = text[i];
    const bool control = in_string && static_cast<unsigned char>(c) < 0x20;
    if (!sequence.valid || control)
      std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(i), sequence.bytes, '?');
    if (c == '"') in_string = !in_string;
    i += sequence.bytes;
    if (in_string && c == '\\' && i < text.size() && text[i] >= 0x20) ++i;
  }
  out.append(limits::kJsonPaddingBytes, '\0');
  return out;
}

// Ids and types travel on in header fields and logs.
bool HasControlBytes(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void AppendHex64(std::string& out, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  for (int i = 7; i >= 0; --i) {
    bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
  AppendHex(out, bytes);
}

constexpr char kNameMark = '#';

std::uint64_t SubstanceOf(std::string_view text) {
  // 0 says that it is the body's bytes.
  return std::max<std::uint64_t>(XXH3_64bits(text.data(), text.size()), 1);
}

bool IsCredentialParameter(const Scheme& scheme, std::string_view pair) {
  std::string scratch;
  return std::ranges::any_of(scheme.proofs, [&](const Proof& proof) {
    return std::ranges::any_of(proof.signature.first_of, [&](const Location& at) {
      return at.from == Location::From::kQuery && FindInForm(pair, at.name, scratch).has_value();
    });
  });
}

bool IsInside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() < whole.data() + whole.size();
}

}  // namespace

std::string& EventReader::Keep() {
  if (kept_used_ == kept_.size()) kept_.emplace_back();
  std::string& text = kept_[kept_used_++];
  text.clear();
  return text;
}

std::string_view EventReader::MadeUpId(std::string_view prefix) {
  std::string& id = Keep();
  id += prefix;
  AppendHex64(id, seed_);
  AppendHex64(id, ++made_up_);
  return id;
}

std::string_view EventReader::ContentHash(std::string_view body) {
  std::string& id = Keep();
  id += "sha256-";
  AppendHex(id, Sha256Of(body).view());
  return id;
}

EventReader::Text EventReader::FirstOf(std::span<const Location> locations, RequestValues& request,
                                       RequestValues& element) {
  bool broken = false;
  for (const Location& location : locations) {
    const bool of_element = location.from == Location::From::kJson;
    const Found found = (of_element ? element : request).At(location);
    switch (found.state) {
      case Found::State::kValue:
        if (found.value.empty()) break;
        return {found.value};
      case Found::State::kAbsent:
        break;
      case Found::State::kRepeated:
        Keep() = "several fields where one carries the value: " + ToString(location);
        return {{}, kept_[kept_used_ - 1]};
      case Found::State::kUnusable:
        broken |= IsInBrokenJson(location, element);
        break;
    }
  }
  return {{}, {}, broken};
}

bool EventReader::Counts(const ExtractorPart& part, RequestValues& request, RequestValues& element) {
  return !part.when || FirstOf({&part.when->at, 1}, request, element).value == part.when->value;
}

EventReader::Text EventReader::Join(const Extractor& extractor, bool is_id, RequestValues& request,
                                    RequestValues& element) {
  if (is_id) id_parts_.clear();
  if (extractor.parts.size() == 1) {
    const Text text = FirstOf(extractor.parts.front().first_of, request, element);
    if (is_id && !text.value.empty()) id_parts_.push_back(text.value);
    return text;
  }
  std::string& joined = Keep();
  std::string_view only;
  std::size_t present = 0;
  for (const ExtractorPart& part : extractor.parts) {
    if (!Counts(part, request, element)) continue;
    const Text text = FirstOf(part.first_of, request, element);
    if (!text.fault.empty()) return text;
    // An optional part that cannot be read is not one that is left out: the rest of the type names another type.
    if (text.value.empty()) {
      if (part.optional && !text.broken) continue;
      return {{}, {}, text.broken};
    }
    if (is_id) {
      id_parts_.push_back(text.value);
      joined += std::to_string(text.value.size());
      joined += ':';
    } else if (present > 0) {
      joined += extractor.separator;
    }
    joined += text.value;
    only = text.value;
    ++present;
  }
  return {present == 1 ? only : std::string_view(joined)};
}

EventReader::Text EventReader::Extract(const Extractor& extractor, bool is_id, RequestValues& request,
                                       RequestValues& element) {
  Text text = Join(extractor, is_id, request, element);
  for (const Extractor& other : extractor.otherwise) {
    if (!text.value.empty() || !text.fault.empty()) break;
    const bool broken = text.broken;
    text = Join(other, is_id, request, element);
    text.broken |= broken;
  }
  return text;
}

// A request without a body says everything in its query. What proves the sender is not part of what it says.
std::string_view EventReader::QueryText(const Scheme& scheme, const http::Request& request) {
  std::string& text = Keep();
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (IsCredentialParameter(scheme, pair)) continue;
    if (!text.empty()) text += '&';
    text += pair;
  }
  return text;
}

std::uint32_t EventReader::AttemptOf(const EventRules& rules, RequestValues& request,
                                     RequestValues& element) {
  if (rules.retry_counter.empty()) return 0;
  const std::string_view text = FirstOf(rules.retry_counter, request, element).value;
  std::uint32_t attempt = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), attempt);
  return error == std::errc() && end == text.data() + text.size() ? attempt : 0;
}

// The name under which the log knows the event: the sender's id, or what stands in for it.
void EventReader::Name(const EventRules& rules, std::string_view lasting, VerifiedEvent& event) {
  if (event.id.empty() && rules.missing_id == MissingId::kContentHash) {
    event.id = ContentHash(lasting);
    return;
  }
  if (event.id.empty() && rules.missing_id == MissingId::kUnique) {
    event.id = MadeUpId("unique-");
    return;
  }
  event.test = std::ranges::any_of(id_parts_, [&rules](std::string_view part) {
    return std::ranges::find(rules.test_ids, part) != rules.test_ids.end();
  });
  if (event.id.empty() || (!event.test && on_conflict_ != OnConflict::kStore)) return;
  std::string& name = Keep();
  name += event.id;
  name += kNameMark;
  if (event.test) {
    ++made_up_;
    AppendHex64(name, XXH3_64bits_withSeed(&made_up_, sizeof made_up_, seed_));
  } else {
    AppendHex64(name, event.substance != 0 ? event.substance : SubstanceOf(lasting));
  }
  event.id = name;
}

void EventReader::Identify(const EventRules& rules, RequestValues& request, RequestValues& element,
                           VerifiedEvent& event) {
  std::string_view lasting = event.body;
  if (!rules.lasting_without.empty() && element.OpenJson()) {
    lasting = lasting_.Of(element.json(), element.payload(), rules.lasting_without);
    event.substance = SubstanceOf(lasting);
  }
  event.attempt = AttemptOf(rules, request, element);
  Name(rules, lasting, event);
}

VerifiedEvent EventReader::ReadOne(const EventRules& rules, RequestValues& request, RequestValues& element,
                                   std::string_view body) {
  VerifiedEvent event{.id = {}, .type = {}, .malformed = {}, .body = body};
  const Text type = Extract(rules.type, false, request, element);
  id_parts_.clear();
  const Text id = proof_->id         ? FirstOf({&*proof_->id, 1}, request, element)
                  : rules.id.empty() ? Text{}
                                     : Extract(rules.id, true, request, element);
  if (proof_->id) id_parts_.assign(1, id.value);
  event.type = type.value;
  event.id = id.value;
  event.untyped = !rules.type.empty() && event.type.empty();
  if (id.fault.empty()) Identify(rules, request, element, event);

  if (!id.fault.empty()) {
    event.malformed = id.fault;
  } else if (event.id.empty() && id.broken) {
    event.malformed = "body is not JSON";
  } else if (event.id.empty()) {
    Keep() = "no event id at " + (rules.id.parts.empty() ? std::string("any place")
                                                         : ToString(rules.id.parts.front().first_of.front()));
    event.malformed = kept_[kept_used_ - 1];
  } else if (event.id.size() > limits::kEventIdBytesMax) {
    event.malformed = "event id is longer than the limit";
  } else if (HasControlBytes(event.id)) {
    event.malformed = "event id contains control characters";
  } else if (!type.fault.empty()) {
    event.malformed = type.fault;
  } else if (event.type.empty() && type.broken && !element.payload().empty()) {
    event.malformed = "event type cannot be read: body is not JSON";
  } else if (event.type.size() > limits::kEventTypeBytesMax) {
    event.malformed = "event type is longer than the limit";
  } else if (HasControlBytes(event.type)) {
    event.malformed = "event type contains control characters";
  }
  if (!event.malformed.empty()) {
    event.id = MadeUpId("malformed-");
    event.untyped = false;
    if (event.type.size() > limits::kEventTypeBytesMax || HasControlBytes(event.type)) event.type = {};
  }
  return event;
}

// One element with a byte that JSON may not hold makes the whole text none. It costs itself: the others are found in a
// copy without such bytes, and each is then read as it came.
std::expected<void, JsonMiss> EventReader::FindElementsInSpite(const EventRules& rules,
                                                               std::string_view whole) {
  const std::string masked = WithoutBadBytes(whole);
  const std::string_view text = std::string_view(masked).substr(0, whole.size());
  JsonReader reader;
  if (!reader.Open(text)) return std::unexpected(JsonMiss::kBroken);
  if (auto found = reader.Elements(*rules.batch, limits::kEventsPerRequestMax, elements_); !found)
    return std::unexpected(found.error() == JsonMiss::kNotScalar ? JsonMiss::kNotScalar : JsonMiss::kBroken);
  for (std::string_view& element : elements_) {
    element = whole.substr(static_cast<std::size_t>(element.data() - text.data()), element.size());
  }
  return {};
}

void EventReader::ReadBatch(const EventRules& rules, RequestValues& values) {
  elements_.clear();
  const auto refuse = [&](std::string_view body, std::string_view why) {
    events_.push_back({.id = MadeUpId("malformed-"), .type = {}, .malformed = why, .body = body});
  };
  const std::string_view whole = values.request().body;
  const bool readable = values.OpenJson();
  const auto split = readable ? values.json().Elements(*rules.batch, limits::kEventsPerRequestMax, elements_)
                              : FindElementsInSpite(rules, whole);
  if (!split) {
    if (split.error() == JsonMiss::kAbsent && rules.batch_optional) {
      events_.push_back(ReadOne(rules, values, values, whole));
      return;
    }
    if (split.error() == JsonMiss::kAbsent) return refuse(whole, "no array of events where the kind has one");
    if (split.error() == JsonMiss::kBroken) return refuse(whole, "body is not JSON");
    too_many_ = true;
    return;
  }
  // CloudEvents HTTP binding §3.3: the batch has a media type of its own, and each of its elements the one of an event.
  const auto type = http::FindField(values.request(), "content-type");
  const bool cloud_events = type && IsMediaType(*type, "application/cloudevents-batch+json");
  for (const std::string_view body : elements_) {
    if (!body.starts_with('{')) {
      refuse(body, "what stands where an event should is no JSON object");
      continue;
    }
    element_request_.body = body;
    element_.Begin(element_request_);
    VerifiedEvent event = ReadOne(rules, values, element_, body);
    if (cloud_events) event.content_type = "application/cloudevents+json";
    // The next element reuses the reader these views may point into.
    if (!IsInside(event.id, body)) event.id = Keep() = event.id;
    if (!IsInside(event.type, body)) event.type = Keep() = event.type;
    events_.push_back(event);
  }
}

std::vector<VerifiedEvent>& EventReader::Read(const Source& source, const Proof& proof,
                                              RequestValues& values) {
  const Scheme& scheme = *source.scheme;
  proof_ = &proof;
  on_conflict_ = source.on_conflict;
  events_.clear();
  too_many_ = false;
  kept_used_ = 0;
  const bool of_query = values.request().method == http::Method::kGet && values.request().body.empty();
  if (scheme.event.batch && !of_query) {
    ReadBatch(scheme.event, values);
  } else {
    const bool of_form =
        scheme.event.payload_is_event && values.payload().data() != values.request().body.data();
    const std::string_view body = of_form    ? values.payload()
                                  : of_query ? QueryText(scheme, values.request())
                                             : values.request().body;
    events_.push_back(ReadOne(scheme.event, values, values, body));
    if (of_form) events_.back().content_type = "application/json";
    if (of_query) events_.back().content_type = "application/x-www-form-urlencoded";
  }
  return events_;
}

}  // namespace weir::source
