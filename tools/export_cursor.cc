#include "tools/export_cursor.h"

#include <nlohmann/json.hpp>

#include "engine/admin/event_json.h"

namespace weir::tools {

std::string ToText(const ExportCursor& cursor) {
  return admin::Dump(
      {{"next", cursor.next}, {"file", cursor.file}, {"inode", cursor.inode}, {"bytes", cursor.bytes}});
}

std::optional<ExportCursor> ParseExportCursor(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  for (const char* number : {"next", "inode", "bytes"}) {
    if (!json.contains(number) || !json[number].is_number_unsigned()) return std::nullopt;
  }
  if (!json.contains("file") || !json["file"].is_string()) return std::nullopt;
  return ExportCursor{.next = json["next"].get<std::uint64_t>(),
                      .file = json["file"].get<std::string>(),
                      .inode = json["inode"].get<std::uint64_t>(),
                      .bytes = json["bytes"].get<std::uint64_t>()};
}

}  // namespace weir::tools
