#include "engine/source/signed_text.h"

#include <algorithm>

#include "engine/source/body_text.h"
#include "engine/source/encoding.h"
#include "engine/source/form_sorted.h"
#include "engine/source/keyed_hash.h"

namespace weir::source {

std::string_view ParameterOf(const Source& source, std::string_view name) {
  const auto found =
      std::ranges::find(source.parameters, name, [](const auto& parameter) { return parameter.first; });
  return found == source.parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view PublicUrl(const Source& source, RequestValues& values) {
  const std::string_view query = values.request().query;
  if (query.empty() || source.public_url.find('?') != std::string::npos) return source.public_url;
  std::string& url = values.Scratch();
  url.append(source.public_url).append("?").append(query);
  return url;
}

AssemblyFault AssembleSigned(const Template& text, const SignedInputs& inputs, RequestValues& values,
                             std::vector<SignedPart>& parts) {
  using Kind = Segment::Kind;
  parts.clear();
  const std::string_view body = values.request().body;
  for (const Segment& segment : text.segments) {
    std::string_view part;
    switch (segment.kind) {
      case Kind::kLiteral:
        part = segment.text;
        break;
      case Kind::kBody:
        part = body;
        break;
      case Kind::kTimestamp:
        part = inputs.timestamp;
        break;
      case Kind::kId:
        part = inputs.id;
        break;
      case Kind::kUrl:
        part = PublicUrl(inputs.source, values);
        break;
      case Kind::kUrlDecoded: {
        std::string& url = values.Scratch();
        AppendHubSpotDecoded(url, PublicUrl(inputs.source, values));
        part = url;
        break;
      }
      case Kind::kMethod:
        part = values.request().method_text;
        break;
      case Kind::kSecret:
        parts.push_back({.text = {}, .is_secret = true});
        continue;
      case Kind::kParameter:
        part = ParameterOf(inputs.source, segment.text);
        if (part.empty()) return AssemblyFault::kMissing;
        break;
      case Kind::kLocation: {
        const Found found = values.At(segment.location);
        if (found.state == Found::State::kAbsent) return AssemblyFault::kMissing;
        if (found.state != Found::State::kValue) return AssemblyFault::kMalformed;
        part = found.value;
        break;
      }
      case Kind::kBodySha256Hex: {
        std::string& hash = values.Scratch();
        AppendHex(hash, Sha256Of(body).view());
        part = hash;
        break;
      }
      case Kind::kBodyCrc32: {
        std::string& sum = values.Scratch();
        sum = std::to_string(Crc32(body));
        part = sum;
        break;
      }
      case Kind::kBodyEscaped:
      case Kind::kBodyEscapedSlash: {
        std::string& escaped = values.Scratch();
        AppendUnicodeEscaped(escaped, body, segment.kind == Kind::kBodyEscapedSlash);
        part = escaped;
        break;
      }
      case Kind::kFormSorted: {
        std::string& sorted = values.Scratch();
        if (values.is_form()) AppendFormSorted(sorted, body);
        part = sorted;
        break;
      }
      case Kind::kHmacHex:  // refused when the scheme was compiled
        return AssemblyFault::kMalformed;
    }
    parts.push_back({.text = part, .is_secret = false});
  }
  return AssemblyFault::kNone;
}

}  // namespace weir::source
