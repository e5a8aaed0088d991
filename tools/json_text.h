// The API's JSON as text for people, and as arrays for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::tools {

// The value of `key` without quotes; empty when there is none.
std::string Text(const nlohmann::ordered_json& json, const char* key);

// "2026-11-21T21:22:00.123456Z" -> "2026-11-21T21:22:00Z": a table is for people.
std::string ToSeconds(const std::string& time);

// "2026-11-21T21:22:00.123456Z" -> "11-21 21:22:00", UTC, where a table has no room for more.
std::string ToShort(const std::string& time);

// A JSON array on stdout, one row a line.
void PrintArray(const std::vector<nlohmann::ordered_json>& rows);

// "name:         value" on stdout.
void PrintField(std::string_view name, std::string_view value);

// The API's header fields, one a line; of credentials only the length.
void PrintHeaders(const nlohmann::ordered_json& headers);

// The bytes of a body_base64; nullopt when it is none.
std::optional<std::string> Decoded(std::string_view base64);

}  // namespace weir::tools
