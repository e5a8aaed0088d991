#include "engine/source/twilio.h"

#include <algorithm>

#include "engine/source/encoding.h"
#include "engine/source/form.h"
#include "engine/source/form_sorted.h"
#include "engine/source/keyed_hash.h"

namespace weir::source {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

struct UrlParts {
  std::string scheme;  // with "://"
  std::string user;    // with "@"
  std::string host;
  std::string port;  // with ":"
  std::string_view rest;
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

UrlParts Split(std::string_view url) {
  UrlParts parts;
  const std::size_t scheme = url.find("://");
  const std::size_t authority = scheme == kNone ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", authority), url.size());
  parts.scheme = Lower(url.substr(0, authority));
  std::string_view host = url.substr(authority, end - authority);
  if (const std::size_t at = host.rfind('@'); at != kNone) {
    parts.user = host.substr(0, at + 1);
    host.remove_prefix(at + 1);
  }
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == kNone ? 0 : bracket);
  parts.host = Lower(host.substr(0, colon));
  if (colon != kNone) parts.port = host.substr(colon);
  parts.rest = url.substr(end);
  return parts;
}

// encodeURIComponent's alphabet, which Node's querystring writes.
void AppendQuerystringEscaped(std::string& out, std::string_view text) {
  constexpr std::string_view kPlain = "-_.!~*'()";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alphanumeric || kPlain.find(c) != kNone) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 0xf]);
    }
  }
}

std::string Requeried(std::string_view rest) {
  const std::size_t mark = rest.find('?');
  if (mark == kNone || mark + 1 == rest.size()) return std::string(rest);
  std::vector<FormPair> pairs;
  ParseForm(rest.substr(mark + 1), pairs, 1000);
  std::string out(rest.substr(0, mark + 1));
  for (const FormPair& pair : pairs) {
    if (out.back() != '?') out += '&';
    AppendQuerystringEscaped(out, pair.name);
    out += '=';
    AppendQuerystringEscaped(out, pair.value);
  }
  return out;
}

// WHATWG's special-query set: what new URL() escapes, seen from the other side. An HTTP client may send %27
// for the ' that was signed, and the other way round.
std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find(from);
    out += text.substr(0, at);
    if (at == kNone) break;
    out += to;
    text.remove_prefix(at + from.size());
  }
  return out;
}

void AddUnique(std::vector<std::string>& urls, std::string url) {
  if (std::ranges::find(urls, url) == urls.end()) urls.push_back(std::move(url));
}

bool CarriesBodyHash(RequestValues& values) {
  const Found hash = values.Query("bodySHA256");
  if (hash.state != Found::State::kValue) return false;
  std::string expected;
  AppendHex(expected, Sha256Of(values.request().body).view());
  return hash.value == expected;
}

}  // namespace

std::vector<std::string> TwilioUrls(std::string_view url) {
  const UrlParts parts = Split(url);
  const std::string plain = parts.scheme + parts.user + parts.host;
  const std::string default_port = parts.scheme == "https://" ? ":443" : ":80";
  const std::string with_port = plain + (parts.port.empty() ? default_port : parts.port);
  std::vector<std::string> urls;
  AddUnique(urls, plain + std::string(parts.rest));
  AddUnique(urls, with_port + std::string(parts.rest));
  for (const std::string& rest :
       {Replaced(parts.rest, "%27", "'"), Replaced(parts.rest, "'", "%27"), Requeried(parts.rest)}) {
    AddUnique(urls, plain + rest);
    AddUnique(urls, with_port + rest);
  }
  return urls;
}

std::vector<std::string> TwilioTexts(std::string_view public_url, RequestValues& values) {
  const http::Request& request = values.request();
  std::string parameters;
  const bool hashed = values.Query("bodySHA256").state == Found::State::kValue;
  if (hashed) {
    if (!CarriesBodyHash(values)) return {};
  } else if (values.is_form()) {
    AppendFormSorted(parameters, request.body);
  } else if (!request.body.empty()) {
    return {};
  }
  std::vector<std::string> texts = TwilioUrls(public_url);
  for (std::string& text : texts) text += parameters;
  return texts;
}

}  // namespace weir::source
