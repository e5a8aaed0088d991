#include "engine/source/template.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/http/tokens.h"

namespace weir::source {
namespace {

using Kind = Segment::Kind;

struct Variable {
  std::string_view name;
  Kind kind;
};

constexpr std::array kVariables = {
    Variable{"body", Kind::kBody},
    Variable{"timestamp", Kind::kTimestamp},
    Variable{"id", Kind::kId},
    Variable{"url", Kind::kUrl},
    Variable{"url_decoded", Kind::kUrlDecoded},
    Variable{"method", Kind::kMethod},
    Variable{"secret", Kind::kSecret},
    Variable{"form_sorted", Kind::kFormSorted},
    Variable{"sha256(body)", Kind::kBodySha256Hex},
    Variable{"crc32(body)", Kind::kBodyCrc32},
    Variable{"escape_unicode(body)", Kind::kBodyEscaped},
    Variable{"escape_unicode_slash(body)", Kind::kBodyEscapedSlash},
};

constexpr std::string_view kAllowed =
    "{body}, {timestamp}, {id}, {url}, {method}, {header:NAME}, {query:NAME}, {form:NAME}, {field:NAME}, "
    "{json:/POINTER}, {parameter:NAME}, {sha256(body)}, {crc32(body)}, {form_sorted}";

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// "header:x-id" -> its location; the error is without a column.
std::expected<Location, std::string> ParseLocation(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) {
    return std::unexpected("unknown variable {" + std::string(name) + "}; known are " +
                           std::string(kAllowed));
  }
  const std::string_view where = name.substr(0, colon);
  const std::string_view what = name.substr(colon + 1);
  Location location;
  if (where == "json") {
    auto pointer = JsonPointer::Parse(what);
    if (!pointer) return std::unexpected(pointer.error());
    location.from = Location::From::kJson;
    location.pointer = *std::move(pointer);
    return location;
  }
  if (what.empty()) return std::unexpected("{" + std::string(name) + "} needs a name after the colon");
  if (where == "header") {
    if (!std::ranges::all_of(what, http::IsTokenChar)) {
      return std::unexpected('"' + std::string(what) + "\" can be no header field's name (RFC 9110 §5.1)");
    }
    location.from = Location::From::kHeader;
    location.name = Lower(what);
  } else if (where == "query" || where == "form" || where == "field") {
    location.from = where == "query"  ? Location::From::kQuery
                    : where == "form" ? Location::From::kForm
                                      : Location::From::kField;
    location.name = what;
  } else {
    return std::unexpected("unknown variable {" + std::string(name) + "}; known are " +
                           std::string(kAllowed));
  }
  return location;
}

std::expected<Segment, std::string> ParseVariable(std::string_view name) {
  if (name.empty()) return std::unexpected("{} names nothing; for a brace write {{ or }}");
  const auto* known = std::ranges::find(kVariables, name, &Variable::name);
  if (known != kVariables.end()) return Segment{.kind = known->kind, .text = {}, .location = {}};
  if (name.starts_with("parameter:") && name.size() > std::string_view("parameter:").size()) {
    return Segment{.kind = Kind::kParameter, .text = std::string(name.substr(10)), .location = {}};
  }
  Kind kind = Kind::kLocation;
  if (name.starts_with("hmac_hex(") && name.ends_with(')')) {
    kind = Kind::kHmacHex;
    name = name.substr(9, name.size() - 10);
  }
  auto location = ParseLocation(name);
  if (!location) return std::unexpected(location.error());
  return Segment{.kind = kind, .text = {}, .location = *std::move(location)};
}

}  // namespace

std::expected<Template, TemplateError> Template::Parse(std::string_view text) {
  Template parsed;
  parsed.text = text;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty())
      parsed.segments.push_back({.kind = Kind::kLiteral, .text = std::move(literal), .location = {}});
    literal.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      literal.push_back(c);
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == c) {
      literal.push_back(c);
      ++i;
      continue;
    }
    if (c == '}') return std::unexpected(TemplateError{i + 1, "'}' closes nothing; for a brace write }}"});
    const std::size_t close = text.find('}', i);
    if (close == std::string_view::npos) return std::unexpected(TemplateError{i + 1, "'{' is never closed"});
    auto segment = ParseVariable(text.substr(i + 1, close - i - 1));
    if (!segment) return std::unexpected(TemplateError{i + 2, segment.error()});
    flush();
    parsed.segments.push_back(*std::move(segment));
    i = close;
  }
  flush();
  return parsed;
}

bool Template::Uses(Segment::Kind kind) const {
  return std::ranges::any_of(segments, [kind](const Segment& segment) { return segment.kind == kind; });
}

}  // namespace weir::source
