#include "engine/admin/csv.h"

namespace weir::admin {

void AppendCsvField(std::string& out, std::string_view field) {
  const bool edges = !field.empty() && (field.front() == ' ' || field.back() == ' ');
  if (!edges && field.find_first_of("\",\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace weir::admin
