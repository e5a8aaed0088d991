// Requests, sources and schemes for the tests of engine/source.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/limits.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme_toml.h"
#include "engine/source/signer.h"
#include "engine/source/toml.h"
#include "engine/source/verifier.h"

namespace weir::source {

inline constexpr std::int64_t kNowS = 1'767'225'600;
inline constexpr std::int64_t kNowUs = kNowS * 1'000'000;

// A request that owns its bytes, body padding included.
struct OwnedRequest {
  std::string method = "POST";
  std::string target = "/webhooks/test";
  HeaderList headers;
  std::string body;

  const http::Request& View() {
    padded_ = body + std::string(limits::kJsonPaddingBytes, '\0');
    request_ = {};
    request_.method = http::Method::kOther;
    for (int i = 0; i < static_cast<int>(http::Method::kOther); ++i) {
      if (http::MethodName(static_cast<http::Method>(i)) == method)
        request_.method = static_cast<http::Method>(i);
    }
    request_.method_text = method;
    request_.target = target;
    request_.path = request_.target.substr(0, request_.target.find('?'));
    if (request_.path.size() < target.size())
      request_.query = request_.target.substr(request_.path.size() + 1);
    for (const auto& [name, value] : headers) request_.field_storage[request_.field_count++] = {name, value};
    request_.body = std::string_view(padded_).substr(0, body.size());
    return request_;
  }

 private:
  std::string padded_;
  http::Request request_;
};

inline Source SourceOf(std::shared_ptr<const Scheme> scheme, std::vector<std::string> secrets) {
  Source source;
  source.name = "test";
  source.scheme = std::move(scheme);
  source.secrets = std::move(secrets);
  source.public_url = "https://example.com/webhooks/test";
  source.body_bytes_max = limits::kBodyBytesCeiling;
  return source;
}

inline Source SourceOf(std::string_view kind, std::vector<std::string> secrets) {
  return SourceOf(FindKind(kind)->scheme, std::move(secrets));
}

inline std::expected<std::shared_ptr<const Scheme>, std::vector<SchemeError>> CompileText(
    std::string_view text) {
  return CompileScheme(toml::parse(text));
}

inline std::shared_ptr<const Scheme> SchemeFrom(std::string_view text) {
  auto scheme = CompileText(text);
  return scheme ? *scheme : nullptr;
}

// What the sender of `source`'s scheme would send with its first secret.
inline OwnedRequest Signed(const Source& source, std::string body, std::int64_t at_unix_s = kNowS,
                           std::string_view id = "evt_1", std::string_view type = "thing.done") {
  OwnedRequest request;
  request.body = std::move(body);
  auto headers = Sign(*source.scheme, {.secret = source.secrets.front(),
                                       .body = request.body,
                                       .at_unix_s = at_unix_s,
                                       .id = id,
                                       .type = type,
                                       .url = source.public_url,
                                       .parameters = source.parameters});
  if (headers) request.headers = *std::move(headers);
  return request;
}

// "accepted", "handshake" or the code of the rejection.
inline std::string AnswerOf(const Verdict& verdict) {
  if (const auto* rejected = std::get_if<Rejected>(&verdict))
    return std::string(RejectCode(rejected->reason));
  return std::holds_alternative<Accepted>(verdict) ? "accepted" : "handshake";
}

inline std::string AnswerTo(const Source& source, OwnedRequest request, std::int64_t now_us = kNowUs) {
  Verifier verifier(1);
  return AnswerOf(verifier.Verify(source, request.View(), now_us));
}

}  // namespace weir::source
