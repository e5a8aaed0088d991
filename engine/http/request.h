// One HTTP/1.x request as views into bytes that somebody else owns: the receive buffer when it arrived whole,
// the connection's own buffer otherwise. The views live until the request is answered or handed over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/limits.h"

namespace weir::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

std::string_view MethodName(Method method);

struct Field {
  std::string_view name;   // as sent; compare with EqualsIgnoreCase
  std::string_view value;  // without surrounding whitespace (RFC 9110 §5.5)
};

struct Request {
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view target;         // as sent
  std::string_view path;           // of target, before '?'; "/" when an absolute-form target has none, or "*"
  std::string_view query;          // of target, after '?'; empty when there is none
  std::uint8_t minor_version = 1;  // 0 or 1; a later one is 1
  bool keep_alive = true;          // after RFC 9112 §9.3
  bool expect_continue = false;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  // Every field line as received, "Name: value\r\n" each; kept verbatim with the event.
  std::string_view header_block;
  std::string_view body;  // de-chunked; limits::kJsonPaddingBytes readable bytes follow it
  std::array<Field, limits::kHeaderFieldsMax> field_storage;
  std::size_t field_count = 0;

  std::span<const Field> fields() const { return {field_storage.data(), field_count}; }
};

// ASCII only, as field names are (RFC 9110 §5.1).
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// The value of the only field named `name`. nullopt when there is none; `*repeated` tells that there were
// several, which for a signature, timestamp or id is an attack or a broken sender, never "take the first".
std::optional<std::string_view> FindField(const Request& request, std::string_view name,
                                          bool* repeated = nullptr);

}  // namespace weir::http
