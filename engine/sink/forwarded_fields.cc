#include "engine/sink/forwarded_fields.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "engine/http/request.h"
#include "engine/sink/kept_headers.h"
#include "engine/source/forwarding.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "engine/text/attribute.h"
#include "engine/text/glob.h"
#include "engine/text/json_string.h"

namespace weir::sink {

namespace {

constexpr std::string_view kEverySource = "*";
constexpr std::string_view kCloudEvents = "ce-";
constexpr std::string_view kRenamed = "weir-header-";

// What BuildRequest (http_message.h) writes itself.
constexpr std::array<std::string_view, 8> kOwn = {
    "ce-id",   "ce-source",  "ce-specversion",    "ce-time",
    "ce-type", "webhook-id", "webhook-timestamp", "webhook-signature"};

std::string Lower(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

bool IsOwn(std::string_view lower) {
  return lower.starts_with("weir-") || std::ranges::find(kOwn, lower) != kOwn.end();
}

bool Takes(const config::ForwardRule& rule, std::string_view lower) {
  return std::ranges::find(rule.never, lower) == rule.never.end() &&
         std::ranges::any_of(
             rule.fields, [lower](const std::string& pattern) { return text::GlobMatches(pattern, lower); });
}

std::string AttributeName(std::string_view name) {
  std::string attribute = "weirheader";
  for (const char c : Lower(name)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) attribute += c;
  }
  return attribute;
}

}  // namespace

ForwardedFields ForwardedFields::OfEveryKind() {
  config::ForwardRule rule{.source = std::string(kEverySource), .fields = {}, .never = {}};
  for (const source::Kind& kind : source::Kinds()) {
    std::ranges::copy(kind.scheme->forward_headers, std::back_inserter(rule.fields));
    std::ranges::move(source::ProofFields(*kind.scheme), std::back_inserter(rule.never));
  }
  return ForwardedFields({std::move(rule)});
}

std::vector<ForwardedFields::Field> ForwardedFields::Of(const storage::Event& event) const {
  std::vector<Field> fields;
  const auto rule = std::ranges::find_if(rules_, [&event](const config::ForwardRule& candidate) {
    return candidate.source == kEverySource || candidate.source == event.source;
  });
  if (rule == rules_.end()) return fields;
  ForEachKeptHeader(event.headers, [&](std::string_view name, std::string_view value) {
    const std::string lower = Lower(name);
    if (Takes(*rule, lower) && source::ForwardingOf(lower) == source::Forwarding::kAllowed) {
      fields.push_back({.name = name, .value = value});
    }
  });
  return fields;
}

void ForwardedFields::AppendFields(std::string& out, const storage::Event& event) const {
  for (const Field& field : Of(event)) {
    const std::string lower = Lower(field.name);
    std::string text;
    // A receiver takes every ce-* field for an attribute, so that none goes along which is not one.
    const bool attribute = lower.starts_with(kCloudEvents);
    if (attribute && !text::DecodeAttributeField(field.value, text)) continue;
    if (IsOwn(lower)) out += kRenamed;
    out += field.name;
    out += ": ";
    if (attribute) {
      text::AppendAttributeField(out, text);
    } else {
      out += field.value;
    }
    out += "\r\n";
  }
}

void ForwardedFields::AppendAttributes(std::string& out, const storage::Event& event) const {
  std::vector<std::pair<std::string, std::string>> attributes;
  for (const Field& field : Of(event)) {
    std::string value;
    if (!Lower(field.name).starts_with(kCloudEvents)) {
      value = field.value;
    } else if (!text::DecodeAttributeField(field.value, value)) {
      continue;
    }
    std::string name = AttributeName(field.name);
    const auto same = std::ranges::find(attributes, name, &std::pair<std::string, std::string>::first);
    if (same != attributes.end()) {
      same->second.append(", ").append(value);
    } else {
      attributes.emplace_back(std::move(name), std::move(value));
    }
  }
  for (const auto& [name, value] : attributes) {
    out.append(",\"").append(name).append("\":");
    text::AppendJsonString(out, value);
  }
}

}  // namespace weir::sink
