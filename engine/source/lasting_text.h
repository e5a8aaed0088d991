// An event's text without what its sender changes from one attempt to the next.
//
// Internal to engine/source.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/json_pointer.h"
#include "engine/source/json_reader.h"

namespace weir::source {

class LastingText {
 public:
  // Each is looked for from the beginning of the document.
  static constexpr std::size_t kElementsMax = 64;

  // `text`, the document that `reader` has open, without the members and elements at `pointers`, names and commas
  // included: a member that comes and goes makes no difference either. White space and the order of members do
  // make one. One token "*" stands for every element of an array, kElementsMax of them. `text` itself when none of them
  // is there; else lives until the next call.
  std::string_view Of(JsonReader& reader, std::string_view text, std::span<const JsonPointer> pointers);

 private:
  struct Cut {
    std::size_t begin;
    std::size_t end;
  };
  void CutAt(JsonReader& reader, std::string_view text, const JsonPointer& pointer);
  void CutAtEach(JsonReader& reader, std::string_view text, const JsonPointer& pointer, std::size_t star);
  static Cut Around(std::string_view text, std::string_view value, std::string_view name);
  void Join(std::string_view text);

  std::vector<Cut> cuts_;  // reused
  std::string lasting_;    // reused
  JsonPointer element_;    // reused
  JsonPointer member_;     // reused
};

}  // namespace weir::source
