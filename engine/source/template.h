// "{timestamp}.{body}" -> segments. What is signed and what a handshake answers are both such texts.
//
//   {body} {timestamp} {id} {url} {method} {secret}
//   {header:x} {query:x} {form:x} {field:x} {json:/pointer} {parameter:x}
//   {sha256(body)} {crc32(body)} {escape_unicode(body)} {escape_unicode_slash(body)} {form_sorted}
//   {url_decoded} {hmac_hex(json:/pointer)}   in replies: keyed with the secret that matched
//   {{ and }} are braces
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/location.h"

namespace weir::source {

struct Segment {
  enum class Kind : std::uint8_t {
    kLiteral,
    kBody,
    kTimestamp,
    kId,
    kUrl,
    kUrlDecoded,  // HubSpot: some escapes are decoded before signing
    kMethod,
    kSecret,
    kParameter,
    kLocation,
    kBodySha256Hex,
    kBodyCrc32,
    kBodyEscaped,       // every char past '~' as \uXXXX (Meta)
    kBodyEscapedSlash,  // and '/' as \/ (Box)
    kFormSorted,
    kHmacHex,  // of the location
  };
  Kind kind = Kind::kLiteral;
  std::string text;  // literal, or the parameter's name
  Location location;
};

struct TemplateError {
  std::size_t column;  // 1-based, in the template's text
  std::string reason;
};

struct Template {
  std::string text;
  std::vector<Segment> segments;

  static std::expected<Template, TemplateError> Parse(std::string_view text);
  bool Uses(Segment::Kind kind) const;
};

}  // namespace weir::source
