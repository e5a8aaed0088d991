// One line of a vectors file: a request as a provider's own SDK judged it, and weir's verdict on it.
//
//   {"provider", "case", "method", "path", "url", "headers", "body_base64", "secret", "now_unix",
//    "expect": {"verdict", "event_id", "event_type"}, "quirk"?, "secret_secondary"?, "api_key"?,
//    "parameters"?}
//
// A header whose value is an array is a repeated field line. `quirk` marks rows on which a careful engine may
// differ.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/source/verifier.h"

namespace weir::vectors {

struct VectorRow {
  std::string provider;
  std::string name;
  std::string method;
  std::string target;
  std::string url;  // the URL as the sender has it
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::vector<std::string> secrets;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::int64_t now_unix = 0;
  bool expected_valid = false;
  std::optional<std::string> event_id;
  std::optional<std::string> event_type;
  bool quirk = false;
};

std::expected<VectorRow, std::string> ParseRow(std::string_view json_line);

struct Judgement {
  bool accepted = false;  // stored, acknowledged or answered as a handshake
  std::string answer;     // "accepted", "handshake", or the code of the rejection
  std::string id;         // of the first event
  std::string type;
  std::string wrong;  // how this differs from what the row expects; empty when it does not
};

// Runs the row through a verifier. An unknown provider is a wrong verdict.
Judgement Judge(const VectorRow& row, source::Verifier& verifier);

// The row as a request; its views live as long as `row` and `padded_body`.
http::Request RequestOf(const VectorRow& row, std::string& padded_body);
std::expected<source::Source, std::string> SourceOf(const VectorRow& row);

}  // namespace weir::vectors
