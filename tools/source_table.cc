#include "tools/source_table.h"

#include <nlohmann/json.hpp>

#include "engine/admin/printable.h"
#include "engine/admin/time_expression.h"
#include "engine/text/rfc3339.h"
#include "tools/json_text.h"
#include "tools/text_table.h"

namespace weir::tools {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kNameColumns = 32;  // of a source in a line of text

// 0 where there is none.
std::int64_t TimeOf(const Json& row, const char* key) {
  const auto time = text::ParseRfc3339(Text(row, key));
  return time.value_or(0);
}

Json Field(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found == row.end() ? Json(nullptr) : *found;
}

}  // namespace

std::string Ago(const Json& time, std::int64_t now_us) {
  if (!time.is_string()) return "-";
  const auto at_us = text::ParseRfc3339(time.get<std::string>());
  return at_us ? admin::FormatDuration(now_us - *at_us) + " ago" : "-";
}

std::string LastSeenTable(const Json& sources, std::int64_t now_us) {
  TextTable table({{"SOURCE"},
                   {.title = "LAST RECEIVED", .whole = true},
                   {.title = "LAST REFUSED", .whole = true},
                   {"WHY"},
                   {.title = "X-REQUEST-ID", .whole = true}});
  std::string details;
  std::string alarms;
  for (const Json& source : sources) {
    const Json refused = Field(source, "last_refused");
    const bool any = refused.is_object();
    const std::string name = CutInTheMiddle(Text(source, "source"), kNameColumns);
    table.Add({Text(source, "source"), Ago(Field(source, "last_received_at"), now_us),
               any ? Ago(Field(refused, "at"), now_us) : "-", any ? Text(refused, "code") : "-",
               any ? Text(refused, "correlation_id") : "-"});
    if (any && Field(refused, "detail").is_string())
      details += admin::Printable(name + ": " + Text(refused, "detail")) + "\n";
    if (any && TimeOf(refused, "at") > TimeOf(source, "last_received_at")) {
      alarms += "NOTHING ACCEPTED since the last refusal: " + admin::Printable(name) + "\n";
    }
  }
  return table.empty() ? "" : table.Text() + details + alarms;
}

std::string WithoutSourceLine(const Json& refused, std::int64_t now_us) {
  const Json last = Field(refused, "last_refused");
  if (!last.is_object()) return "";
  return "for no source: " + Text(refused, "rejected") + " refused, last " + Ago(Field(last, "at"), now_us) +
         ", " + Text(last, "code") + ", " + Text(last, "correlation_id") + "\n";
}

std::string SecretsTable(const Json& sources, std::int64_t now_us) {
  TextTable table({{"SOURCE"},
                   {"SECRET"},
                   {"MATCHED", TextTable::Align::kRight},
                   {.title = "LAST MATCHED", .whole = true}});
  for (const Json& source : sources) {
    for (const Json& secret : Field(source, "secrets")) {
      table.Add({Text(source, "source"), Text(secret, "secret"), Text(secret, "matched"),
                 Ago(Field(secret, "last_matched_at"), now_us)});
    }
  }
  return table.empty() ? "" : table.Text();
}

}  // namespace weir::tools
