// What is found where in one request: fields, query, form, JSON, and the items of the signature's own list.
// Nothing is parsed until it is asked for, and the verifier asks for nothing of the body before the signature
// has passed unless the contract puts the signature there.
//
// Internal to engine/source. One a thread, reused for every request.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/http/request.h"
#include "engine/source/json_reader.h"
#include "engine/source/location.h"

namespace weir::source {

struct Found {
  enum class State : std::uint8_t {
    kValue,
    kAbsent,
    kRepeated,  // several field lines of one name
    kUnusable,  // an object where a value should be, or a body that is not what it should be
  };
  State state = State::kAbsent;
  std::string_view value;
};

class RequestValues {
 public:
  void Begin(const http::Request& request);
  const http::Request& request() const { return *request_; }

  Found At(const Location& location);
  Found Header(std::string_view name) const;
  Found Query(std::string_view name);

  // The JSON text: the body, or the form field the kind says carries it. Set before the first JSON location
  // is asked for.
  void UsePayloadField(std::string_view form_field);
  // Fields whose name begins with `prefix` carry escaped text (scheme.h, encoded_fields): from here on At
  // decodes it. nullptr, or the name of one that carries none.
  const http::Field* UseEncodedFields(std::string_view prefix);
  std::string_view payload() const { return payload_; }
  bool OpenJson();  // false: not JSON
  JsonReader& json() { return json_; }
  bool is_form() const;  // Content-Type: application/x-www-form-urlencoded, parameters aside

  // The named items of the signature field, for {field:x}.
  std::vector<std::pair<std::string_view, std::string_view>>& list_fields() { return list_fields_; }

  // Claims of the token that passed, for { claim = … }.
  std::vector<std::pair<std::string, std::string>>& claims() { return claims_; }

  // A string that lives until the next Begin.
  std::string& Scratch();

 private:
  Found ListField(std::string_view name) const;
  Found HeaderText(std::string_view name);

  const http::Request* request_ = nullptr;
  std::string_view payload_;
  std::string_view encoded_fields_;
  enum class Json : std::uint8_t { kUnread, kOpen, kBroken } json_state_ = Json::kUnread;
  JsonReader json_;
  std::vector<std::pair<std::string_view, std::string_view>> list_fields_;
  std::vector<std::pair<std::string, std::string>> claims_;
  std::deque<std::string> scratch_;
  std::size_t scratch_used_ = 0;
};

// "Application/JSON; charset=utf-8" is "application/json".
bool IsMediaType(std::string_view content_type, std::string_view essence);

}  // namespace weir::source
