#include "engine/source/signature_field.h"

#include <algorithm>

#include "engine/limits.h"
#include "engine/source/encoding.h"

namespace weir::source {
namespace {

// Splits one field value into its items. An item without a value separator is not of the form.
bool ReadList(const ListSyntax& list, std::string_view text, RequestValues& values,
              std::vector<std::string_view>& signatures) {
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = text.find(list.item_separator);
    std::string_view item = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (list.trim) {
      while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
      while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    }
    if (item.empty()) continue;  // "v1,a  v1,b": senders' own parsers skip these
    const std::size_t split = item.find(list.value_separator);
    if (split == std::string_view::npos) return false;
    const std::string_view name = item.substr(0, split);
    const std::string_view value = item.substr(split + 1);
    if (first && !list.first_name.empty() && name != list.first_name) return false;
    first = false;
    if (std::ranges::find(list.picked, name) != list.picked.end()) {
      if (signatures.size() == limits::kSignaturesPerRequestMax) return false;
      signatures.push_back(value);
      continue;
    }
    if (values.list_fields().size() == limits::kSignaturesPerRequestMax) return false;
    values.list_fields().emplace_back(name, value);
  }
  return true;
}

// A prefix that ends with a space is the name of an authentication scheme: it counts in any case, with one or
// more spaces behind it (RFC 9110 §11.1, §11.4).
bool TakePrefix(std::string_view prefix, std::string_view& text) {
  const bool scheme = prefix.ends_with(' ');
  const std::string_view start = text.substr(0, prefix.size());
  if (scheme ? !http::EqualsIgnoreCase(start, prefix) : start != prefix) return false;
  text.remove_prefix(prefix.size());
  while (scheme && text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

bool ReadOne(const SignatureField& field, std::string_view text, RequestValues& values,
             std::vector<std::string_view>& signatures) {
  if (text.size() > limits::kSignatureHeaderBytesMax) return false;
  if (!TakePrefix(field.prefix, text)) return false;
  if (field.list) return ReadList(*field.list, text, values, signatures);
  if (text.empty() || signatures.size() == limits::kSignaturesPerRequestMax) return false;
  signatures.push_back(text);
  return true;
}

// "x-docusign-signature-" + 1, 2, … as long as there are such fields.
bool ReadNumbered(const SignatureField& field, RequestValues& values,
                  std::vector<std::string_view>& signatures) {
  std::string& name = values.Scratch();
  for (std::size_t number = 1; number <= limits::kSignaturesPerRequestMax; ++number) {
    name.assign(field.first_of.front().name);
    name += '-';
    name += std::to_string(number);
    const Found found = values.Header(name);
    if (found.state == Found::State::kAbsent) return true;
    if (found.state != Found::State::kValue || !ReadOne(field, found.value, values, signatures)) return false;
  }
  return true;
}

bool ReadJoined(const SignatureField& field, RequestValues& values, std::vector<std::string_view>& signatures,
                bool& present) {
  for (const http::Field& line : values.request().fields()) {
    if (!http::EqualsIgnoreCase(line.name, field.first_of.front().name)) continue;
    present = true;
    if (!ReadOne(field, line.value, values, signatures)) return false;
  }
  return true;
}

}  // namespace

std::string PlacesText(const SignatureField& field) {
  std::string text;
  for (const Location& at : field.first_of) text += (text.empty() ? "" : ", else ") + ToString(at);
  if (!field.prefix.empty()) text += ", after \"" + field.prefix + '"';
  return text;
}

bool HasSignature(const SignatureField& field, RequestValues& values) {
  if (field.repetition == Repetition::kNumbered) {
    std::string& name = values.Scratch();
    name.assign(field.first_of.front().name);
    name += "-1";
    return values.Header(name).state != Found::State::kAbsent;
  }
  return std::ranges::any_of(field.first_of, [&values](const Location& at) {
    return values.At(at).state == Found::State::kValue || values.At(at).state == Found::State::kRepeated;
  });
}

SignatureState ReadSignatures(const SignatureField& field, RequestValues& values,
                              std::vector<std::string_view>& signatures) {
  signatures.clear();
  values.list_fields().clear();
  bool present = false;
  bool readable = true;
  switch (field.repetition) {
    case Repetition::kNumbered:
      readable = ReadNumbered(field, values, signatures);
      present = !readable || !signatures.empty();
      break;
    case Repetition::kJoined:
      readable = ReadJoined(field, values, signatures, present);
      break;
    case Repetition::kRefused:
      for (const Location& at : field.first_of) {
        const Found found = values.At(at);
        if (found.state == Found::State::kAbsent) continue;
        present = true;
        readable = found.state == Found::State::kValue && ReadOne(field, found.value, values, signatures);
        break;
      }
      break;
  }
  if (!present) return SignatureState::kMissing;
  return readable && !signatures.empty() ? SignatureState::kPresent : SignatureState::kMalformed;
}

std::optional<std::size_t> DecodeSignature(const SignatureField& field, std::string_view text,
                                           std::span<std::uint8_t> out) {
  switch (field.encoding) {
    case Encoding::kHex:
      return DecodeHex(text, out, field.upper_case_hex ? HexCase::kAny : HexCase::kLower);
    case Encoding::kBase64:
      return DecodeBase64(text, out, Base64Form::kPadded);
    case Encoding::kBase64Url:
      return DecodeBase64(text, out, field.padded ? Base64Form::kUrlPadded : Base64Form::kUrlUnpadded);
  }
  return std::nullopt;
}

std::string EncodeSignature(const SignatureField& field, std::span<const std::uint8_t> bytes) {
  std::string text;
  switch (field.encoding) {
    case Encoding::kHex:
      AppendHex(text, bytes);
      break;
    case Encoding::kBase64:
      AppendBase64(text, bytes, Base64Form::kPadded);
      break;
    case Encoding::kBase64Url:
      AppendBase64(text, bytes, field.padded ? Base64Form::kUrlPadded : Base64Form::kUrlUnpadded);
      break;
  }
  return text;
}

}  // namespace weir::source
