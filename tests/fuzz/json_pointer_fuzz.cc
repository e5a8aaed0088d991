// "POINTER\nDOCUMENT": what JsonReader finds in a document that another parser takes for JSON is what that
// parser finds there. In anything else it may find what it likes, within the bytes and the padding it was
// given.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/limits.h"
#include "engine/source/json_reader.h"
#include "storage/check.h"

namespace {

using nlohmann::json;
using namespace weir::source;

// The document, unless it is no JSON or names a key twice: of two equal keys the first counts here and the
// last there.
json ParseUnambiguous(std::string_view text) {
  std::vector<std::set<std::string>> open;
  bool twice = false;
  const auto watch = [&](int /*depth*/, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key) twice |= !open.back().insert(value.get<std::string>()).second;
    return true;
  };
  const json document = json::parse(text, watch, false);
  return twice ? json(json::value_t::discarded) : document;
}

const json* Walk(const json& document, const JsonPointer& pointer) {
  const json* at = &document;
  for (const std::string& token : pointer.tokens) {
    if (at->is_object() && at->contains(token)) {
      at = &(*at)[token];
    } else if (at->is_array()) {
      const std::size_t index = std::strtoull(token.c_str(), nullptr, 10);
      if (index >= at->size()) return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
  }
  return at;
}

void Compare(std::string_view text, const JsonPointer& pointer, std::string_view found) {
  const json document = ParseUnambiguous(text);
  if (document.is_discarded()) return;
  const json* expected = Walk(document, pointer);
  WEIR_CHECK(expected != nullptr);
  if (expected->is_string()) WEIR_CHECK(expected->get_ref<const std::string&>() == found);
  if (expected->is_boolean()) WEIR_CHECK(found == (expected->get<bool>() ? "true" : "false"));
  if (expected->is_number_integer()) WEIR_CHECK(!found.empty());
  WEIR_CHECK(!expected->is_structured() && !expected->is_null());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto pointer = JsonPointer::Parse(input.substr(0, end));
  if (!pointer) return 0;
  WEIR_CHECK(JsonPointer::Parse(pointer->ToString())->tokens == pointer->tokens);

  const std::string_view text = input.substr(end + 1);
  const auto padded = std::make_unique<char[]>(text.size() + weir::limits::kJsonPaddingBytes);
  std::ranges::copy(text, padded.get());
  const std::string_view document(padded.get(), text.size());

  static JsonReader reader;
  reader.Forget();
  if (!reader.Open(document)) return 0;
  // Keys are compared as they are written, so a pointer with a backslash may name an escaped key.
  const bool comparable = input.substr(0, end).find('\\') == std::string_view::npos;
  const auto value = reader.Value(*pointer);
  if (value && comparable) Compare(text, *pointer, *value);
  std::vector<std::string_view> elements;
  if (reader.Elements(*pointer, 100, elements)) {
    for (const std::string_view element : elements) {
      WEIR_CHECK(element.data() >= document.data() &&
                 element.data() + element.size() <= document.data() + document.size());
    }
  }
  std::ignore = reader.Raw(*pointer);
  std::ignore = reader.HasRepeatedKeys(*pointer);
  std::ignore = reader.IsNumber(*pointer);
  return 0;
}
