#include "engine/source/json_reader.h"

#include <algorithm>
#include <charconv>

#include "engine/limits.h"

namespace weir::source {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(limits::kJsonPaddingBytes >= simdjson::SIMDJSON_PADDING);

// A body this large is rare; the index simdjson makes for it is four times its size and is not kept.
constexpr std::size_t kCapacityKeptBytes = 4 * limits::kMiB;

JsonMiss MissOf(simdjson::error_code error) {
  switch (error) {
    case simdjson::NO_SUCH_FIELD:
    case simdjson::INDEX_OUT_OF_BOUNDS:
    case simdjson::INCORRECT_TYPE:
    case simdjson::SCALAR_DOCUMENT_AS_VALUE:
      return JsonMiss::kAbsent;
    default:
      return JsonMiss::kBroken;
  }
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 8259 §6, whatever its size: simdjson only reads numbers that a machine can hold.
bool IsNumberText(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    return at - first;
  };
  const auto take = [&](char c) {
    const bool is_next = at < text.size() && text[at] == c;
    if (is_next) ++at;
    return is_next;
  };
  take('-');
  const bool zero = take('0');
  if (!zero && digits() == 0) return false;
  if (take('.') && digits() == 0) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\t' || text.back() == '\n' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

std::expected<std::string_view, JsonMiss> RawOf(ondemand::value& value) {
  std::string_view raw;
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return std::unexpected(JsonMiss::kBroken);
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS ||
        object.raw_json().get(raw) != simdjson::SUCCESS) {
      return std::unexpected(JsonMiss::kBroken);
    }
    return TrimEnd(raw);
  }
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS || array.raw_json().get(raw) != simdjson::SUCCESS) {
      return std::unexpected(JsonMiss::kBroken);
    }
    return TrimEnd(raw);
  }
  return TrimEnd(value.raw_json_token());
}

}  // namespace

bool JsonReader::Open(std::string_view text) {
  if (parser_.capacity() > kCapacityKeptBytes && text.size() <= kCapacityKeptBytes)
    parser_ = ondemand::parser();
  // RFC 8259 §8.1: a parser may ignore it, and senders on Windows write it.
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) return false;
  return parser_.iterate(text.data(), text.size(), text.size() + limits::kJsonPaddingBytes).get(document_) ==
         simdjson::SUCCESS;
}

void JsonReader::Forget() {
  kept_used_ = 0;
}

std::string_view JsonReader::Keep(std::string_view text) {
  if (kept_used_ == kept_.size()) kept_.emplace_back();
  std::string& place = kept_[kept_used_++];
  place.assign(text);
  return place;
}

std::expected<ondemand::value, JsonMiss> JsonReader::Walk(const JsonPointer& pointer) {
  // An error further in leaves the document without its parser, and rewinding that is a wild pointer.
  if (!document_.is_alive()) return std::unexpected(JsonMiss::kBroken);
  document_.rewind();
  ondemand::value value;
  if (const auto error = document_.get_value().get(value); error != simdjson::SUCCESS) {
    return std::unexpected(MissOf(error));
  }
  for (const std::string& token : pointer.tokens) {
    ondemand::json_type type{};
    if (const auto error = value.type().get(type); error != simdjson::SUCCESS)
      return std::unexpected(MissOf(error));
    if (type == ondemand::json_type::object) {
      if (const auto error = value.find_field_unordered(token).get(value); error != simdjson::SUCCESS) {
        return std::unexpected(MissOf(error));
      }
    } else if (type == ondemand::json_type::array) {
      std::size_t index = 0;
      const auto [end, bad] = std::from_chars(token.data(), token.data() + token.size(), index);
      if (bad != std::errc() || end != token.data() + token.size()) return std::unexpected(JsonMiss::kAbsent);
      if (const auto error = value.at(index).get(value); error != simdjson::SUCCESS) {
        return std::unexpected(MissOf(error));
      }
    } else {
      return std::unexpected(JsonMiss::kAbsent);
    }
  }
  return value;
}

std::expected<std::string_view, JsonMiss> JsonReader::Scalar(ondemand::value value) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type); error != simdjson::SUCCESS)
    return std::unexpected(MissOf(error));
  switch (type) {
    case ondemand::json_type::object:
    case ondemand::json_type::array:
      return std::unexpected(JsonMiss::kNotScalar);
    case ondemand::json_type::null: {
      bool is_null = false;
      if (value.is_null().get(is_null) != simdjson::SUCCESS || !is_null)
        return std::unexpected(JsonMiss::kBroken);
      return std::unexpected(JsonMiss::kAbsent);
    }
    case ondemand::json_type::boolean: {
      bool truth = false;
      if (value.get_bool().get(truth) != simdjson::SUCCESS) return std::unexpected(JsonMiss::kBroken);
      return truth ? "true" : "false";
    }
    case ondemand::json_type::number: {
      const std::string_view token = TrimEnd(value.raw_json_token());
      if (!IsNumberText(token)) return std::unexpected(JsonMiss::kBroken);
      return token;
    }
    case ondemand::json_type::string:
      break;
  }
  // raw_json_token runs to the next token: the text inside the quotes, when nothing in it is escaped, is the
  // value itself.
  const std::string_view token = TrimEnd(value.raw_json_token());
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"' &&
      token.find('\\') == std::string_view::npos) {
    return token.substr(1, token.size() - 2);
  }
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return std::unexpected(JsonMiss::kBroken);
  return Keep(text);
}

std::expected<std::string_view, JsonMiss> JsonReader::Value(const JsonPointer& pointer) {
  auto value = Walk(pointer);
  if (!value) return std::unexpected(value.error());
  return Scalar(*value);
}

std::expected<std::string_view, JsonMiss> JsonReader::Text(const JsonPointer& pointer) {
  auto value = Walk(pointer);
  if (!value) return std::unexpected(value.error());
  ondemand::json_type type{};
  if (value->type().get(type) != simdjson::SUCCESS) return std::unexpected(JsonMiss::kBroken);
  if (type != ondemand::json_type::string && type != ondemand::json_type::null) {
    return std::unexpected(JsonMiss::kNotScalar);
  }
  return Scalar(*value);
}

bool JsonReader::IsNumber(const JsonPointer& pointer) {
  auto value = Walk(pointer);
  ondemand::json_type type{};
  return value && value->type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::number;
}

std::expected<bool, JsonMiss> JsonReader::HasRepeatedKeys(const JsonPointer& pointer) {
  auto value = Walk(pointer);
  if (!value) return std::unexpected(value.error());
  ondemand::object object;
  if (const auto error = value->get_object().get(object); error != simdjson::SUCCESS) {
    return std::unexpected(MissOf(error));
  }
  keys_.clear();
  for (auto field : object) {
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return std::unexpected(JsonMiss::kBroken);
    if (std::ranges::find(keys_, key) != keys_.end()) return true;
    if (keys_.size() == limits::kJsonKeysMax) return std::unexpected(JsonMiss::kNotScalar);
    keys_.emplace_back(key);
  }
  return false;
}

std::expected<std::string_view, JsonMiss> JsonReader::Raw(const JsonPointer& pointer) {
  auto value = Walk(pointer);
  if (!value) return std::unexpected(value.error());
  return RawOf(*value);
}

std::expected<void, JsonMiss> JsonReader::Elements(const JsonPointer& pointer, std::size_t at_most,
                                                   std::vector<std::string_view>& out) {
  auto value = Walk(pointer);
  if (!value) return std::unexpected(value.error());
  ondemand::array array;
  if (const auto error = value->get_array().get(array); error != simdjson::SUCCESS) {
    return std::unexpected(MissOf(error));
  }
  for (auto element : array) {
    ondemand::value one;
    if (element.get(one) != simdjson::SUCCESS) return std::unexpected(JsonMiss::kBroken);
    const auto raw = RawOf(one);
    if (!raw) return std::unexpected(raw.error());
    if (out.size() == at_most) return std::unexpected(JsonMiss::kNotScalar);
    out.push_back(*raw);
  }
  return {};
}

}  // namespace weir::source
