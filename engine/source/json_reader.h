// Values at JSON pointers in one document, with simdjson On-Demand: its first stage finds every token of the
// body once, and only what is asked for is looked at further. Of keys that occur twice the first counts. One
// a thread.
//
// Internal to engine/source: simdjson stays behind it.
#pragma once

// Otherwise set where a file is compiled without optimisation, and the classes change size with it: a test and the library
// it is linked to would not agree.
#define SIMDJSON_DEVELOPMENT_CHECKS 0
#include <simdjson.h>

#include <cstdint>
#include <deque>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/json_pointer.h"

namespace weir::source {

enum class JsonMiss : std::uint8_t {
  kAbsent,     // nothing at that pointer, or null
  kNotScalar,  // an object or an array
  kBroken,     // not JSON as far as it was read
};

class JsonReader {
 public:
  // A byte order mark before the text is passed over. `text` must be followed by limits::kJsonPaddingBytes readable
  // bytes and live as long as the values. False if it is not JSON on the face of it.
  bool Open(std::string_view text);

  // Strings unescaped, numbers (of any size) and booleans as written. The view points into `text`, or into this reader
  // until Forget.
  std::expected<std::string_view, JsonMiss> Value(const JsonPointer& pointer);

  // Strings only; a number where a string should be is kNotScalar.
  std::expected<std::string_view, JsonMiss> Text(const JsonPointer& pointer);

  bool IsNumber(const JsonPointer& pointer);

  // Whether the object at `pointer` names a key twice, escapes undone. kAbsent if it is not an object.
  std::expected<bool, JsonMiss> HasRepeatedKeys(const JsonPointer& pointer);

  // The raw text of the value at `pointer`, and of each element of an array, whatever it is. kAbsent if it is
  // not an array, kNotScalar if it has more than `at_most` elements, kBroken if it ends before its end: then
  // `out` has what came before.
  std::expected<std::string_view, JsonMiss> Raw(const JsonPointer& pointer);
  std::expected<void, JsonMiss> Elements(const JsonPointer& array, std::size_t at_most,
                                         std::vector<std::string_view>& out);

  // Ends the life of every value handed out.
  void Forget();

 private:
  std::expected<simdjson::ondemand::value, JsonMiss> Walk(const JsonPointer& pointer);
  std::expected<std::string_view, JsonMiss> Scalar(simdjson::ondemand::value value);
  std::string_view Keep(std::string_view text);

  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  std::deque<std::string> kept_;  // values that had to be unescaped
  std::size_t kept_used_ = 0;
  std::vector<std::string> keys_;
};

}  // namespace weir::source
