#include "tools/json_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "engine/admin/event_json.h"
#include "engine/admin/printable.h"
#include "engine/source/encoding.h"
#include "tools/standard_output.h"

namespace weir::tools {

using Json = nlohmann::ordered_json;

std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string ToSeconds(const std::string& time) {
  const std::size_t dot = time.find('.');
  return dot == std::string::npos ? time : time.substr(0, dot) + "Z";
}

std::string ToShort(const std::string& time) {
  constexpr std::size_t kYearBytes = 5;
  constexpr std::size_t kDateBytes = 10;
  std::string whole = ToSeconds(time);
  if (whole.size() <= kDateBytes) return whole;
  std::string text = whole.substr(kYearBytes, kDateBytes - kYearBytes) + ' ' + whole.substr(kDateBytes + 1);
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

void PrintArray(const std::vector<Json>& rows) {
  Print("[");
  for (std::size_t i = 0; i < rows.size(); ++i) Print((i == 0 ? "\n" : ",\n") + admin::Dump(rows[i]));
  Print("\n]\n");
}

void PrintField(std::string_view name, std::string_view value) {
  std::string label = std::string(name) + ":";
  label.resize(std::max<std::size_t>(label.size() + 1, 14), ' ');
  Print(label + admin::Printable(value) + "\n");
}

void PrintHeaders(const Json& headers) {
  Print("headers:\n");
  for (const Json& header : headers) {
    const std::string value = header.contains("value")
                                  ? Text(header, "value")
                                  : "(hidden, " + Text(header, "hidden_bytes") + " bytes)";
    Print("  " + admin::Printable(Text(header, "name") + ": " + value) + "\n");
  }
}

std::optional<std::string> Decoded(std::string_view base64) {
  std::string bytes(base64.size(), '\0');
  const auto size =
      source::DecodeBase64(base64, std::span(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()),
                           source::Base64Form::kPadded);
  if (!size) return std::nullopt;
  bytes.resize(*size);
  return bytes;
}

}  // namespace weir::tools
