#include "engine/source/json_layout.h"

#include <algorithm>
#include <array>

namespace weir::source {
namespace {

using Spacing = JsonLayout::Spacing;
using Escapes = JsonLayout::Escapes;

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kNone = std::string_view::npos;

struct Item;

struct Node {
  enum class Kind : std::uint8_t { kScalar, kObject, kArray };
  Kind kind = Kind::kScalar;
  std::string_view scalar;  // as written, quotes included
  std::vector<Item> items;
};

struct Item {
  std::string_view key;  // as written; empty in an array
  Node value;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool Document(Node& node) {
    if (!Value(node, 0)) return false;
    Space();
    return at_ == text_.size();
  }

 private:
  void Space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool Take(char expected) {
    Space();
    if (at_ == text_.size() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }

  bool String(std::string_view& out) {
    Space();
    if (at_ == text_.size() || text_[at_] != '"') return false;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        out = text_.substr(at_, i + 1 - at_);
        at_ = i + 1;
        return true;
      }
    }
    return false;
  }

  bool Items(Node& node, char close, std::size_t depth) {
    ++at_;
    if (Take(close)) return true;
    do {
      auto& [key, value] = node.items.emplace_back();
      if (node.kind == Node::Kind::kObject && (!String(key) || !Take(':'))) return false;
      if (!Value(value, depth + 1)) return false;
    } while (Take(','));
    return Take(close);
  }

  bool Value(Node& node, std::size_t depth) {
    Space();
    if (at_ == text_.size() || depth == kDepthMax) return false;
    switch (text_[at_]) {
      case '{':
        node.kind = Node::Kind::kObject;
        return Items(node, '}', depth);
      case '[':
        node.kind = Node::Kind::kArray;
        return Items(node, ']', depth);
      case '"':
        return String(node.scalar);
      default:
        break;
    }
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n,:]}\"[{", at_), text_.size());
    node.scalar = text_.substr(at_, end - at_);
    at_ = end;
    return !node.scalar.empty();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One UTF-16 unit of "\uXXXX" at `at`.
bool ReadUnit(std::string_view text, std::size_t at, unsigned& unit) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return false;
  unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return false;
    unit = unit * 16 + static_cast<unsigned>(digit);
  }
  return true;
}

void AppendUtf8(std::string& out, unsigned code) {
  const auto byte = [&out](unsigned value) { out.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

constexpr std::string_view kEscaped = "\"\\/bfnrt";
constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";

// The text between the quotes with its escapes undone; nullopt for a lone surrogate or an escape that is
// none.
std::optional<std::string> Unescaped(std::string_view inner) {
  std::string out;
  for (std::size_t i = 0; i < inner.size();) {
    if (inner[i] != '\\') {
      out.push_back(inner[i++]);
      continue;
    }
    if (i + 1 == inner.size()) return std::nullopt;
    if (const std::size_t index = kEscaped.find(inner[i + 1]); index != kNone) {
      out.push_back(kMeant[index]);
      i += 2;
      continue;
    }
    unsigned unit = 0;
    if (!ReadUnit(inner, i, unit)) return std::nullopt;
    i += 6;
    if (unit >= 0xD800 && unit < 0xE000) {
      unsigned low = 0;
      if (unit >= 0xDC00 || !ReadUnit(inner, i, low) || low < 0xDC00 || low >= 0xE000) return std::nullopt;
      i += 6;
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendUtf8(out, unit);
  }
  return out;
}

void AppendUnit(std::string& out, unsigned unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kDigits[unit >> shift & 0xF]);
}

// The code point at `at`; its length in bytes, or 0 when the bytes are not UTF-8.
std::size_t ReadUtf8(std::string_view text, std::size_t at, unsigned& code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  const std::size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size == 0 || at + size > text.size()) return 0;
  code = first & (0xFFU >> (size + 1));
  for (std::size_t i = at + 1; i < at + size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  return size;
}

bool IsSpelledOut(char c, Escapes escapes) {
  return escapes == Escapes::kHtml && (c == '<' || c == '>' || c == '&');
}

void AppendEscaped(std::string& out, std::string_view text, Escapes escapes) {
  const bool ascii = escapes == Escapes::kAscii || escapes == Escapes::kAsciiSlash;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t index = kMeant.find(c);
    unsigned code = 0;
    if (index != kNone && (c != '/' || escapes == Escapes::kAsciiSlash)) {
      out.push_back('\\');
      out.push_back(kEscaped[index]);
    } else if (static_cast<unsigned char>(c) < 0x20 || IsSpelledOut(c, escapes)) {
      AppendUnit(out, static_cast<unsigned char>(c));
    } else if (const std::size_t size = ascii ? ReadUtf8(text, i, code) : 0; size != 0) {
      if (code >= 0x10000) {
        AppendUnit(out, 0xD800 + ((code - 0x10000) >> 10));
        code = 0xDC00 + ((code - 0x10000) & 0x3FF);
      }
      AppendUnit(out, code);
      i += size;
      continue;
    } else {
      out.push_back(c);
    }
    ++i;
  }
}

class Writer {
 public:
  explicit Writer(const JsonLayout& layout) : layout_(layout) {}

  void Value(Node& node, std::size_t depth) {
    if (node.kind == Node::Kind::kScalar) return Scalar(node.scalar);
    const bool object = node.kind == Node::Kind::kObject;
    if (object && layout_.sorted) std::ranges::sort(node.items, {}, &Item::key);
    out_.push_back(object ? '{' : '[');
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out_ += layout_.spacing == Spacing::kSpaced ? ", " : ",";
      NewLine(depth + 1);
      if (object) {
        Scalar(node.items[i].key);
        out_ += layout_.spacing == Spacing::kCompact ? ":" : ": ";
      }
      Value(node.items[i].value, depth + 1);
    }
    if (!node.items.empty()) NewLine(depth);
    out_.push_back(object ? '}' : ']');
  }

  std::string& out() { return out_; }

 private:
  void NewLine(std::size_t depth) {
    switch (layout_.spacing) {
      case Spacing::kCompact:
      case Spacing::kSpaced:
        return;
      case Spacing::kIndentTwo:
        out_.append("\n").append(2 * depth, ' ');
        return;
      case Spacing::kIndentFour:
        out_.append("\n").append(4 * depth, ' ');
        return;
      case Spacing::kIndentTab:
        out_.append("\n").append(depth, '\t');
        return;
    }
  }

  void Scalar(std::string_view text) {
    const bool is_string = text.starts_with('"');
    const auto plain = is_string && layout_.escapes != Escapes::kAsIs
                           ? Unescaped(text.substr(1, text.size() - 2))
                           : std::nullopt;
    if (!plain) {
      out_ += text;
      return;
    }
    out_.push_back('"');
    AppendEscaped(out_, *plain, layout_.escapes);
    out_.push_back('"');
  }

  const JsonLayout& layout_;
  std::string out_;
};

}  // namespace

std::vector<JsonLayout> JsonLayouts() {
  std::vector<JsonLayout> layouts;
  for (const Escapes escapes :
       {Escapes::kAsIs, Escapes::kNone, Escapes::kAscii, Escapes::kAsciiSlash, Escapes::kHtml}) {
    for (const bool sorted : {false, true}) {
      for (const Spacing spacing : {Spacing::kCompact, Spacing::kSpaced, Spacing::kIndentTwo,
                                    Spacing::kIndentFour, Spacing::kIndentTab}) {
        layouts.push_back({.spacing = spacing, .sorted = sorted, .escapes = escapes});
      }
    }
  }
  return layouts;
}

std::string ToString(const JsonLayout& layout) {
  constexpr std::array<std::string_view, 5> kSpacings = {
      "compact", "spaced as Python does", "indented by two", "indented by four", "indented by tabs"};
  constexpr std::array<std::string_view, 5> kEscapes = {"", ", escapes undone", ", non-ASCII escaped",
                                                        ", non-ASCII and slashes escaped", ", < > & escaped"};
  std::string text(kSpacings[static_cast<std::size_t>(layout.spacing)]);
  if (layout.sorted) text += ", keys sorted";
  return text.append(kEscapes[static_cast<std::size_t>(layout.escapes)]);
}

std::optional<std::string> WriteJsonAs(std::string_view text, const JsonLayout& layout) {
  Node document;
  if (!Parser(text).Document(document)) return std::nullopt;
  Writer writer(layout);
  writer.Value(document, 0);
  return std::move(writer.out());
}

}  // namespace weir::source
