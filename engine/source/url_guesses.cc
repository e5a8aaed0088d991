#include "engine/source/url_guesses.h"

#include <algorithm>

namespace weir::source {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

struct Parts {
  std::string scheme;  // without "://"
  std::string host;
  std::string port;  // with ":"
  std::string rest;  // path and query
};

void SplitAuthority(std::string_view authority, std::string& host, std::string& port) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == kNone ? 0 : bracket);
  host = authority.substr(0, colon);
  port = colon == kNone ? "" : std::string(authority.substr(colon));
}

Parts Split(std::string_view url) {
  Parts parts;
  const std::size_t scheme = url.find("://");
  if (scheme == kNone) return parts;
  parts.scheme = url.substr(0, scheme);
  const std::size_t end = std::min(url.find_first_of("/?#", scheme + 3), url.size());
  SplitAuthority(url.substr(scheme + 3, end - scheme - 3), parts.host, parts.port);
  parts.rest = url.substr(end);
  return parts;
}

void AddOnce(std::vector<std::string>& texts, std::string text) {
  if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
}

std::string PathOf(std::string_view target) {
  return std::string(target.substr(0, target.find('?')));
}

std::string WithOtherSlash(std::string path) {
  if (path.ends_with('/')) {
    path.pop_back();
  } else {
    path.push_back('/');
  }
  return path;
}

}  // namespace

std::vector<UrlGuess> GuessUrls(std::string_view public_url, const CapturedRequest& request) {
  const Parts own = Split(public_url);
  if (own.scheme.empty()) return {};
  std::vector<std::string> hosts = {own.host};
  std::vector<std::string> ports = {own.port, "", ":443", ":80"};
  for (const std::string_view name : {"host", "x-forwarded-host"}) {
    const std::string* authority = FindHeader(request.headers, name);
    if (authority == nullptr) continue;
    std::string host;
    std::string port;
    SplitAuthority(*authority, host, port);
    AddOnce(hosts, host);
    AddOnce(ports, port);
  }
  if (const std::string* port = FindHeader(request.headers, "x-forwarded-port")) AddOnce(ports, ':' + *port);
  std::vector<std::string> rests = {own.rest};
  AddOnce(rests, PathOf(own.rest));
  AddOnce(rests, WithOtherSlash(PathOf(own.rest)));
  AddOnce(rests, PathOf(request.target));
  AddOnce(rests, WithOtherSlash(PathOf(request.target)));

  std::vector<UrlGuess> guesses;
  std::vector<std::string> seen;
  const std::string other_scheme = own.scheme == "https" ? "http" : "https";
  for (const std::string& rest : rests) {
    for (const std::string& host : hosts) {
      for (const std::string& port : ports) {
        for (const std::string& scheme : {own.scheme, other_scheme}) {
          std::string url = scheme;
          url.append("://").append(host).append(port).append(rest);
          if (std::ranges::find(seen, url) != seen.end()) continue;
          seen.push_back(url);
          if (url != public_url) guesses.push_back({.url = url, .without_query = false});
          if (request.target.find('?') != std::string::npos) {
            guesses.push_back({.url = std::move(url), .without_query = true});
          }
        }
      }
    }
  }
  return guesses;
}

}  // namespace weir::source
