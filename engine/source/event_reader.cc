#include "engine/source/event_reader.h"

#include <algorithm>
#include <array>

#include "engine/limits.h"
#include "engine/source/encoding.h"
#include "engine/source/keyed_hash.h"

namespace weir::source {
namespace {

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
  for (const Location& location : locations) {
    const bool of_element = location.from == Location::From::kJson;
    const Found found = (of_element ? element : request).At(location);
    switch (found.state) {
      case Found::State::kValue:
        if (found.value.empty()) break;
        return {found.value, {}};
      case Found::State::kAbsent:
        break;
      case Found::State::kRepeated:
        Keep() = "several fields where one carries the value: " + ToString(location);
        return {{}, kept_[kept_used_ - 1]};
      case Found::State::kUnusable:
        break;
    }
  }
  return {};
}

EventReader::Text EventReader::Extract(const Extractor& extractor, bool is_id, RequestValues& request,
                                       RequestValues& element) {
  if (extractor.parts.size() == 1) return FirstOf(extractor.parts.front().first_of, request, element);
  std::string& joined = Keep();
  std::string_view only;
  std::size_t present = 0;
  for (const ExtractorPart& part : extractor.parts) {
    const Text text = FirstOf(part.first_of, request, element);
    if (!text.fault.empty()) return text;
    if (text.value.empty()) {
      if (part.optional) continue;
      return {};
    }
    if (is_id) {
      joined += std::to_string(text.value.size());
      joined += ':';
    } else if (present > 0) {
      joined += extractor.separator;
    }
    joined += text.value;
    only = text.value;
    ++present;
  }
  return {present == 1 ? only : std::string_view(joined), {}};
}

VerifiedEvent EventReader::ReadOne(const EventRules& rules, RequestValues& request, RequestValues& element,
                                   std::string_view body) {
  VerifiedEvent event{.id = {}, .type = {}, .malformed = {}, .body = body};
  const Text type = Extract(rules.type, false, request, element);
  const Text id = proof_->id         ? FirstOf({&*proof_->id, 1}, request, element)
                  : rules.id.empty() ? Text{}
                                     : Extract(rules.id, true, request, element);
  event.type = type.value;
  event.id = id.value;
  if (event.id.empty() && rules.missing_id == MissingId::kContentHash) event.id = ContentHash(body);
  if (event.id.empty() && rules.missing_id == MissingId::kUnique) event.id = MadeUpId("unique-");

  if (!id.fault.empty()) {
    event.malformed = id.fault;
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
  } else if (event.type.size() > limits::kEventTypeBytesMax) {
    event.malformed = "event type is longer than the limit";
  } else if (HasControlBytes(event.type)) {
    event.malformed = "event type contains control characters";
  }
  if (!event.malformed.empty()) {
    event.id = MadeUpId("malformed-");
    if (event.type.size() > limits::kEventTypeBytesMax || HasControlBytes(event.type)) event.type = {};
  }
  return event;
}

void EventReader::ReadBatch(const EventRules& rules, RequestValues& values) {
  elements_.clear();
  const auto refuse = [&](std::string_view why) {
    events_.push_back(
        {.id = MadeUpId("malformed-"), .type = {}, .malformed = why, .body = values.request().body});
  };
  if (!values.OpenJson()) return refuse("body is not JSON");
  const auto split = values.json().Elements(*rules.batch, limits::kEventsPerRequestMax, elements_);
  if (!split) {
    if (split.error() == JsonMiss::kAbsent && rules.batch_optional) {
      events_.push_back(ReadOne(rules, values, values, values.request().body));
      return;
    }
    if (split.error() == JsonMiss::kAbsent) return refuse("no array of events where the kind has one");
    if (split.error() == JsonMiss::kBroken) return refuse("body is not JSON");
    return refuse("array of events holds something else, or more events than the limit");
  }
  for (const std::string_view body : elements_) {
    element_request_.body = body;
    element_.Begin(element_request_);
    VerifiedEvent event = ReadOne(rules, values, element_, body);
    // The next element reuses the reader these views may point into.
    if (event.id.data() < body.data() || event.id.data() >= body.data() + body.size())
      event.id = Keep() = event.id;
    if (event.type.data() < body.data() || event.type.data() >= body.data() + body.size()) {
      event.type = Keep() = event.type;
    }
    events_.push_back(event);
  }
}

std::vector<VerifiedEvent>& EventReader::Read(const Scheme& scheme, const Proof& proof,
                                              RequestValues& values) {
  proof_ = &proof;
  events_.clear();
  kept_used_ = 0;
  if (scheme.event.batch) {
    ReadBatch(scheme.event, values);
  } else {
    const bool of_form =
        scheme.event.payload_is_event && values.payload().data() != values.request().body.data();
    const std::string_view body = of_form ? values.payload() : values.request().body;
    events_.push_back(ReadOne(scheme.event, values, values, body));
    if (of_form) events_.back().content_type = "application/json";
  }
  return events_;
}

}  // namespace weir::source
