#include "tests/vectors/vector_row.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/limits.h"
#include "engine/source/encoding.h"
#include "engine/source/kinds.h"

namespace weir::vectors {
namespace {

using nlohmann::json;

std::optional<std::string> TextOf(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void ReadHeaders(const json& headers, VectorRow& row) {
  for (const auto& [name, value] : headers.items()) {
    if (value.is_array()) {
      for (const json& line : value) row.headers.emplace_back(name, line.get<std::string>());
    } else {
      row.headers.emplace_back(name, TextOf(value).value_or(""));
    }
  }
}

// "standardwebhooks" is the kind standard-webhooks.
const source::Kind* KindOf(std::string_view provider) {
  if (const source::Kind* kind = source::FindKind(provider)) return kind;
  const auto bare = [](std::string_view name) {
    std::string text(name);
    std::erase_if(text, [](char c) { return c == '-' || c == '_'; });
    return text;
  };
  for (const source::Kind& kind : source::Kinds()) {
    if (bare(kind.name) == bare(provider)) return &kind;
  }
  return nullptr;
}

http::Method MethodOf(std::string_view text) {
  for (int i = 0; i < static_cast<int>(http::Method::kOther); ++i) {
    if (http::MethodName(static_cast<http::Method>(i)) == text) return static_cast<http::Method>(i);
  }
  return http::Method::kOther;
}

// Ids of several parts are written "3:abc2:de"; the rows name the first part.
bool IsIdOf(std::string_view id, const std::string& expected) {
  return id == expected || id.starts_with(std::to_string(expected.size()) + ":" + expected);
}

}  // namespace

std::expected<VectorRow, std::string> ParseRow(std::string_view json_line) {
  const json line = json::parse(json_line, nullptr, false);
  if (!line.is_object()) return std::unexpected("not a JSON object");
  try {
    VectorRow row;
    row.provider = line.at("provider").get<std::string>();
    row.name = line.at("case").get<std::string>();
    row.method = line.at("method").get<std::string>();
    row.target = line.at("path").get<std::string>();
    row.url = line.at("url").get<std::string>();
    ReadHeaders(line.at("headers"), row);
    const std::string encoded = line.at("body_base64").get<std::string>();
    const auto body = source::DecodeKeyBase64(encoded);
    if (!body) return std::unexpected("body_base64 is not base64");
    row.body.assign(body->begin(), body->end());
    row.secrets.push_back(line.at("secret").get<std::string>());
    if (line.contains("secret_secondary")) row.secrets.push_back(line["secret_secondary"].get<std::string>());
    if (line.contains("api_key")) row.parameters.emplace_back("api_key", line["api_key"].get<std::string>());
    if (line.contains("parameters")) {
      for (const auto& [name, value] : line["parameters"].items()) {
        row.parameters.emplace_back(name, TextOf(value).value_or(""));
      }
    }
    row.now_unix = line.at("now_unix").get<std::int64_t>();
    const json& expect = line.at("expect");
    row.expected_valid = expect.at("verdict").get<std::string>() == "valid";
    row.event_id = TextOf(expect.value("event_id", json()));
    row.event_type = TextOf(expect.value("event_type", json()));
    row.quirk = line.value("quirk", false);
    return row;
  } catch (const json::exception& error) {
    return std::unexpected(error.what());
  }
}

http::Request RequestOf(const VectorRow& row, std::string& padded_body) {
  http::Request request;
  request.method = MethodOf(row.method);
  request.method_text = row.method;
  request.target = row.target;
  request.path = request.target.substr(0, request.target.find('?'));
  if (request.path.size() < request.target.size())
    request.query = request.target.substr(request.path.size() + 1);
  for (const auto& [name, value] : row.headers) {
    if (request.field_count < request.field_storage.size()) {
      request.field_storage[request.field_count++] = {name, value};
    }
  }
  padded_body = row.body;
  padded_body.append(limits::kJsonPaddingBytes, '\0');
  request.body = std::string_view(padded_body).substr(0, row.body.size());
  return request;
}

std::expected<source::Source, std::string> SourceOf(const VectorRow& row) {
  const source::Kind* kind = KindOf(row.provider);
  if (kind == nullptr) return std::unexpected("no such kind");
  source::Source source;
  source.name = row.provider;
  source.kind = kind->name;
  source.scheme = kind->scheme;
  source.secrets = row.secrets;
  source.parameters = row.parameters;
  source.public_url = row.url.substr(0, row.url.find('?'));
  return source;
}

Judgement Judge(const VectorRow& row, source::Verifier& verifier) {
  Judgement judgement;
  const auto source = SourceOf(row);
  if (!source) {
    judgement.wrong = source.error();
    return judgement;
  }
  std::string padded_body;
  const http::Request request = RequestOf(row, padded_body);
  const source::Verdict verdict = verifier.Verify(*source, request, row.now_unix * 1'000'000);
  if (const auto* rejected = std::get_if<source::Rejected>(&verdict)) {
    judgement.answer = source::RejectCode(rejected->reason);
    if (row.expected_valid) judgement.wrong = "is valid, weir says " + judgement.answer;
    return judgement;
  }
  judgement.accepted = true;
  if (!row.expected_valid) judgement.wrong = "is not valid, weir accepts it";
  if (std::holds_alternative<source::Handshake>(verdict)) {
    judgement.answer = "handshake";
    return judgement;
  }
  judgement.answer = "accepted";
  const auto& events = *std::get<source::Accepted>(verdict).events;
  if (!events.empty()) {
    judgement.id = events.front().id;
    judgement.type = events.front().type;
  }
  if (!row.expected_valid) return judgement;
  if (row.event_id && !IsIdOf(judgement.id, *row.event_id)) {
    judgement.wrong = "event id is " + *row.event_id + ", weir says " + judgement.id;
  } else if (row.event_type && judgement.type != *row.event_type) {
    judgement.wrong = "event type is " + *row.event_type + ", weir says " + judgement.type;
  }
  return judgement;
}

}  // namespace weir::vectors
