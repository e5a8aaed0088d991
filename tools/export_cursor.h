// How far a named export came: what the store keeps for `weir export --cursor NAME`. Written only after
// everything up to `next` is where it belongs, so an export that is killed goes on without a loss; and with
// the length of its file, so that what it wrote past the last cursor is cut off first and nothing is there
// twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::tools {

struct ExportCursor {
  std::uint64_t next = 1;  // the first sequence not exported
  std::string file;        // absolute; empty for stdout
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;  // of the file, up to `next`
};

std::string ToText(const ExportCursor& cursor);
std::optional<ExportCursor> ParseExportCursor(std::string_view text);

}  // namespace weir::tools
