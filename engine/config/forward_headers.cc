#include <algorithm>

#include "engine/config/sections.h"
#include "engine/http/tokens.h"
#include "engine/source/forwarding.h"
#include "engine/source/scheme.h"

namespace weir::config {
namespace {

constexpr std::string_view kStar = "*";

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string Problem(const std::string& pattern) {
  if (pattern.empty()) return "is empty; [] lets nothing go along";
  if (!std::ranges::all_of(pattern, http::IsTokenChar)) {  // '*' is one (RFC 9110 §5.6.2)
    return "\"" + pattern +
           "\" can be no header field's name; only * is special in it, and stands for any run";
  }
  if (pattern.contains(kStar)) return {};
  switch (source::ForwardingOf(pattern)) {
    case source::Forwarding::kAllowed:
      return {};
    case source::Forwarding::kCredential:
      return '"' + pattern + "\" never goes along: by its name it is a credential or a signature";
    case source::Forwarding::kMessage:
      return '"' + pattern + "\" never goes along: it is of the message it came in";
  }
  return {};
}

}  // namespace

void ReadForwardHeaders(TableReader& reader, Sink& sink) {
  const std::vector<Text> patterns = reader.Strings("forward_headers");
  if (!reader.Has("forward_headers")) return;
  sink.forward_headers.emplace();
  for (const Text& pattern : patterns) {
    if (std::string problem = Problem(pattern.value); !problem.empty()) {
      reader.findings().Error(pattern.place, std::move(problem));
    }
    sink.forward_headers->push_back(Lower(pattern.value));
  }
}

void ResolveForwarding(const std::vector<source::Source>& sources, std::vector<Sink>& sinks) {
  for (Sink& sink : sinks) {
    for (const source::Source& source : sources) {
      if (!source.scheme) continue;
      const auto& fields = sink.forward_headers ? *sink.forward_headers : source.scheme->forward_headers;
      if (fields.empty()) continue;
      sink.forward.push_back(
          {.source = source.name, .fields = fields, .never = source::ProofFields(*source.scheme)});
    }
  }
}

}  // namespace weir::config
