#include "engine/source/lasting_text.h"

#include <algorithm>
#include <string>

namespace weir::source {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t SkipSpace(std::string_view text, std::size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

std::size_t SkipSpaceBackwards(std::string_view text, std::size_t at) {
  while (at > 0 && IsSpace(text[at - 1])) --at;
  return at;
}

}  // namespace

// From the member's name, where the value has one, to the comma behind it.
LastingText::Cut LastingText::Around(std::string_view text, std::string_view value, std::string_view name) {
  Cut cut{.begin = static_cast<std::size_t>(value.data() - text.data()), .end = 0};
  cut.end = cut.begin + value.size();
  const std::size_t colon = SkipSpaceBackwards(text, cut.begin);
  if (colon > 0 && text[colon - 1] == ':') {
    const std::size_t name_end = SkipSpaceBackwards(text, colon - 1);
    const std::size_t quoted = name.size() + 2;  // pointers name keys as the document writes them
    if (name_end >= quoted && text.substr(name_end - quoted + 1, name.size()) == name) {
      cut.begin = name_end - quoted;
    }
  }
  const std::size_t behind = SkipSpace(text, cut.end);
  if (behind < text.size() && text[behind] == ',') cut.end = behind + 1;
  return cut;
}

// Sorts them and makes one of those that touch. What was the last of its object takes the comma before it along.
void LastingText::Join(std::string_view text) {
  std::ranges::sort(cuts_, {}, &Cut::begin);
  std::size_t joined = 0;
  for (const Cut& cut : cuts_) {
    if (joined > 0 && cut.begin <= SkipSpace(text, cuts_[joined - 1].end)) {
      cuts_[joined - 1].end = std::max(cuts_[joined - 1].end, cut.end);
    } else {
      cuts_[joined++] = cut;
    }
  }
  cuts_.resize(joined);
  for (Cut& cut : cuts_) {
    if (text[cut.end - 1] == ',') continue;
    const std::size_t before = SkipSpaceBackwards(text, cut.begin);
    if (before > 0 && text[before - 1] == ',') cut.begin = before - 1;
  }
}

void LastingText::CutAt(JsonReader& reader, std::string_view text, const JsonPointer& pointer) {
  const auto value = reader.Raw(pointer);
  if (value && !value->empty()) cuts_.push_back(Around(text, *value, pointer.tokens.back()));
}

void LastingText::CutAtEach(JsonReader& reader, std::string_view text, const JsonPointer& pointer,
                            std::size_t star) {
  const auto begin = pointer.tokens.begin();
  element_.tokens.assign(begin, begin + static_cast<std::ptrdiff_t>(star) + 1);
  member_.tokens = pointer.tokens;
  for (std::size_t i = 0; i < kElementsMax; ++i) {
    element_.tokens.back() = std::to_string(i);
    // Whether there is such an element, since a member of it may be missing in one and not in the next.
    if (const auto there = reader.Raw(element_); !there || there->empty()) return;
    member_.tokens[star] = element_.tokens.back();
    CutAt(reader, text, member_);
  }
}

std::string_view LastingText::Of(JsonReader& reader, std::string_view text,
                                 std::span<const JsonPointer> pointers) {
  cuts_.clear();
  for (const JsonPointer& pointer : pointers) {
    if (pointer.tokens.empty()) continue;
    const auto star = std::ranges::find(pointer.tokens, "*");
    CutAt(reader, text, pointer);  // a key may be called so
    if (star != pointer.tokens.end())
      CutAtEach(reader, text, pointer, static_cast<std::size_t>(star - pointer.tokens.begin()));
  }
  if (cuts_.empty()) return text;
  Join(text);
  lasting_.clear();
  std::size_t at = 0;
  for (const Cut& cut : cuts_) {
    lasting_.append(text.substr(at, cut.begin - at));
    at = cut.end;
  }
  return lasting_.append(text.substr(at));
}

}  // namespace weir::source
