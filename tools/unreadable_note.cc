#include "tools/unreadable_note.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>

#include "engine/limits.h"

namespace weir::tools {

void UnreadableNote::Add(const nlohmann::ordered_json& answer) {
  const auto unreadable = answer.find("unreadable");
  if (unreadable == answer.end()) return;
  Add((*unreadable)["count"].get<std::uint64_t>(),
      (*unreadable)["sequences"].get<std::vector<std::uint64_t>>());
}

void UnreadableNote::AddHeader(std::string_view header) {
  std::istringstream fields{std::string(header)};
  std::uint64_t count = 0;
  if (!(fields >> count)) return;
  std::vector<std::uint64_t> sequences;
  for (std::uint64_t sequence = 0; fields >> sequence;) sequences.push_back(sequence);
  Add(count, std::move(sequences));
}

void UnreadableNote::Add(std::uint64_t count, std::vector<std::uint64_t> sequences) {
  count_ += count;
  for (const std::uint64_t sequence : sequences) {
    if (sequences_.size() < limits::kUnreadableNamedMax) sequences_.push_back(sequence);
  }
}

void UnreadableNote::Print(std::string_view left_out) const {
  if (!any()) return;
  std::string named;
  for (const std::uint64_t sequence : sequences_)
    named += (named.empty() ? "" : ", ") + std::to_string(sequence);
  if (count_ > sequences_.size()) named += " …";
  const std::string line = std::to_string(count_) + (count_ == 1 ? " event" : " events") +
                           " cannot be read and " + (count_ == 1 ? "is " : "are ") + std::string(left_out) +
                           ": " + named + ". A backup may have " + (count_ == 1 ? "it" : "them") +
                           "; weir verify says what is damaged\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace weir::tools
