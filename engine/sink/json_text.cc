#include "engine/sink/json_text.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace weir::sink {

namespace {

constexpr std::size_t kDepthMax = 1024;

// Bytes of a string that need no second look: ASCII but controls, quote and backslash.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

class Reader {
 public:
  explicit Reader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool IsOneValue();

 private:
  enum class Next : std::uint8_t { kValue, kMember, kEnd, kBroken };

  unsigned char Peek() const { return at_ < end_ ? static_cast<unsigned char>(*at_) : 0; }
  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  void Space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool Literal(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::string_view(at_, word.size()) != word)
      return false;
    at_ += word.size();
    return true;
  }
  Next Value();
  Next AfterValue();
  Next Open(bool object);
  bool Name();
  bool String();
  bool Escape();
  std::optional<unsigned> FourHexDigits();
  bool Utf8();
  bool Number();
  bool Digits();

  const char* at_;
  const char* const end_;
  std::size_t depth_ = 0;
  std::bitset<kDepthMax> object_;  // by depth: an object, else an array
};

bool Reader::IsOneValue() {
  Next next = Next::kValue;
  while (true) {
    Space();
    switch (next) {
      case Next::kValue:
        next = Value();
        break;
      case Next::kMember:
        next = Name() ? Next::kValue : Next::kBroken;
        break;
      case Next::kEnd:
        return at_ == end_;
      case Next::kBroken:
        return false;
    }
  }
}

Reader::Next Reader::Value() {
  bool whole = false;
  switch (Peek()) {
    case '{':
      return Open(true);
    case '[':
      return Open(false);
    case '"':
      whole = String();
      break;
    case 't':
      whole = Literal("true");
      break;
    case 'f':
      whole = Literal("false");
      break;
    case 'n':
      whole = Literal("null");
      break;
    default:
      whole = Number();
      break;
  }
  return whole ? AfterValue() : Next::kBroken;
}

Reader::Next Reader::Open(bool object) {
  ++at_;
  if (depth_ == kDepthMax) return Next::kBroken;
  object_[depth_++] = object;
  Space();
  if (!Take(object ? '}' : ']')) return object ? Next::kMember : Next::kValue;
  --depth_;
  return AfterValue();
}

Reader::Next Reader::AfterValue() {
  while (depth_ > 0) {
    Space();
    const bool object = object_[depth_ - 1];
    if (Take(',')) return object ? Next::kMember : Next::kValue;
    if (!Take(object ? '}' : ']')) return Next::kBroken;
    --depth_;
  }
  return Next::kEnd;
}

bool Reader::Name() {
  if (Peek() != '"' || !String()) return false;
  Space();
  return Take(':');
}

bool Reader::String() {
  ++at_;
  while (true) {
    while (at_ < end_ && kPlain[static_cast<unsigned char>(*at_)]) ++at_;
    if (Take('"')) return true;
    if (Take('\\')) {
      if (!Escape()) return false;
    } else if (Peek() < 0x80 || !Utf8()) {
      return false;
    }
  }
}

bool Reader::Escape() {
  const unsigned char kind = Peek();
  if (kind == 0) return false;
  ++at_;
  if (kind != 'u')
    return std::string_view("\"\\/bfnrt").find(static_cast<char>(kind)) != std::string_view::npos;
  const auto unit = FourHexDigits();
  if (!unit || (*unit >= 0xDC00 && *unit < 0xE000)) return false;
  if (*unit < 0xD800 || *unit >= 0xE000) return true;
  if (!Literal("\\u")) return false;
  const auto low = FourHexDigits();
  return low && *low >= 0xDC00 && *low < 0xE000;
}

std::optional<unsigned> Reader::FourHexDigits() {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const unsigned char c = Peek();
    const unsigned char lower = c | 0x20;
    if (c >= '0' && c <= '9') {
      value = value * 16 + c - '0';
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + lower - 'a' + 10;
    } else {
      return std::nullopt;
    }
  }
  return value;
}

// One character beyond ASCII; the well-formed sequences of Unicode's table 3-7.
bool Reader::Utf8() {
  const unsigned char lead = Peek();
  const std::size_t size = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (size == 0 || static_cast<std::size_t>(end_ - at_) < size) return false;
  const auto second = static_cast<unsigned char>(at_[1]);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
      (lead == 0xF4 && second > 0x8F)) {
    return false;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(at_[i]) & 0xC0) != 0x80) return false;
  }
  at_ += size;
  return true;
}

bool Reader::Number() {
  Take('-');
  if (!Take('0') && !Digits()) return false;
  if (Take('.') && !Digits()) return false;
  if (Take('e') || Take('E')) {
    if (!Take('+')) Take('-');
    return Digits();
  }
  return true;
}

bool Reader::Digits() {
  const char* const start = at_;
  while (Peek() >= '0' && Peek() <= '9') ++at_;
  return at_ > start;
}

}  // namespace

bool IsJson(std::string_view text) {
  return Reader(text).IsOneValue();
}

}  // namespace weir::sink
