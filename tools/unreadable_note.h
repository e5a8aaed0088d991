// What a command that walks the log says of events it could not read.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

namespace weir::tools {

class UnreadableNote {
 public:
  // "unreadable" of an answer, or nothing.
  void Add(const nlohmann::ordered_json& answer);
  // The header of an export: how many, then the first ones; may be empty.
  void AddHeader(std::string_view header);

  bool any() const { return count_ > 0; }
  // One line on stderr, if there were any; `left_out` completes "… cannot be read and are …".
  void Print(std::string_view left_out) const;

 private:
  void Add(std::uint64_t count, std::vector<std::uint64_t> sequences);

  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> sequences_;  // the first limits::kUnreadableNamedMax
};

}  // namespace weir::tools
