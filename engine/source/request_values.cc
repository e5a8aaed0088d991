#include "engine/source/request_values.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/source/encoding.h"
#include "engine/source/form.h"
#include "engine/source/keyed_hash.h"
#include "engine/text/attribute.h"

namespace weir::source {

bool IsMediaType(std::string_view content_type, std::string_view essence) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return http::EqualsIgnoreCase(type, essence);
}

void RequestValues::Begin(const http::Request& request) {
  request_ = &request;
  payload_ = request.body;
  encoded_fields_ = {};
  json_state_ = Json::kUnread;
  json_.Forget();
  list_fields_.clear();
  claims_.clear();
  scratch_used_ = 0;
}

std::string& RequestValues::Scratch() {
  if (scratch_used_ == scratch_.size()) scratch_.emplace_back();
  std::string& text = scratch_[scratch_used_++];
  text.clear();
  return text;
}

bool RequestValues::is_form() const {
  const Found type = Header("content-type");
  return type.state == Found::State::kValue && IsMediaType(type.value, "application/x-www-form-urlencoded");
}

void RequestValues::UsePayloadField(std::string_view form_field) {
  if (form_field.empty() || !is_form()) return;
  std::string& text = Scratch();
  if (!FindInForm(request_->body, form_field, text)) return;
  const std::size_t size = text.size();
  text.append(limits::kJsonPaddingBytes, '\0');
  payload_ = std::string_view(text).substr(0, size);
}

bool RequestValues::OpenJson() {
  if (json_state_ == Json::kUnread) json_state_ = json_.Open(payload_) ? Json::kOpen : Json::kBroken;
  return json_state_ == Json::kOpen;
}

Found RequestValues::Header(std::string_view name) const {
  bool repeated = false;
  const auto value = http::FindField(*request_, name, &repeated);
  if (repeated) return {Found::State::kRepeated, {}};
  if (!value) return {};
  return {Found::State::kValue, *value};
}

const http::Field* RequestValues::UseEncodedFields(std::string_view prefix) {
  encoded_fields_ = prefix;
  if (prefix.empty()) return nullptr;
  std::string& text = Scratch();
  const auto broken = std::ranges::find_if(request_->fields(), [&](const http::Field& field) {
    text.clear();
    return http::EqualsIgnoreCase(field.name.substr(0, prefix.size()), prefix) &&
           !text::DecodeAttributeField(field.value, text);
  });
  return broken == request_->fields().end() ? nullptr : &*broken;
}

Found RequestValues::HeaderText(std::string_view name) {
  const Found found = Header(name);
  const bool encoded = !encoded_fields_.empty() && name.starts_with(encoded_fields_);
  if (!encoded || found.state != Found::State::kValue) return found;
  std::string& text = Scratch();
  if (!text::DecodeAttributeField(found.value, text)) return {Found::State::kUnusable, {}};
  return {Found::State::kValue, text};
}

Found RequestValues::Query(std::string_view name) {
  const auto value = FindInForm(request_->query, name, Scratch());
  if (!value) return {};
  return {Found::State::kValue, *value};
}

// Two different values of one name leave open which of them was meant.
Found RequestValues::ListField(std::string_view name) const {
  Found found;
  for (const auto& [item_name, value] : list_fields_) {
    if (item_name != name) continue;
    if (found.state == Found::State::kValue && found.value != value) return {Found::State::kRepeated, {}};
    found = {Found::State::kValue, value};
  }
  return found;
}

Found RequestValues::At(const Location& location) {
  switch (location.from) {
    case Location::From::kHeader:
      return HeaderText(location.name);
    case Location::From::kQuery:
      return Query(location.name);
    case Location::From::kForm: {
      if (!is_form()) return {};
      const auto value = FindInForm(request_->body, location.name, Scratch());
      if (!value) return {};
      return {Found::State::kValue, *value};
    }
    case Location::From::kClaim:
      for (const auto& [name, value] : claims_) {
        if (name == location.name) return {Found::State::kValue, value};
      }
      return {};
    case Location::From::kField:
      return ListField(location.name);
    case Location::From::kJson:
    case Location::From::kEnvelope: {
      if (!OpenJson()) return {Found::State::kUnusable, {}};
      const auto value = json_.Value(location.pointer);
      if (value) return {Found::State::kValue, *value};
      return {value.error() == JsonMiss::kAbsent ? Found::State::kAbsent : Found::State::kUnusable, {}};
    }
    case Location::From::kBodySha256: {
      std::string& text = Scratch();
      AppendHex(text, Sha256Of(request_->body).view());
      return {Found::State::kValue, text};
    }
    case Location::From::kConstant:
      return {Found::State::kValue, location.name};
  }
  return {};
}

}  // namespace weir::source
