#include "engine/sink/cloud_event.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

#include "engine/http/response_writer.h"
#include "engine/sink/json_text.h"
#include "engine/sink/kept_headers.h"
#include "engine/text/attribute.h"
#include "engine/text/json_string.h"
#include "engine/text/rfc3339.h"

namespace weir::sink {

namespace {

// Found first in every line: before it come only strings, in which the quote before the colon would be
// escaped.
constexpr std::string_view kSequenceKey = "\"weirsequence\":";

void AppendMember(std::string& out, std::string_view key, std::string_view value) {
  out += '"';
  out += key;
  out += "\":\"";
  text::AppendJsonEscaped(out, value);
  out += "\",";
}

// In valid JSON a raw line break is only ever whitespace between tokens.
void AppendOnOneLine(std::string& out, std::string_view json) {
  const std::size_t start = out.size();
  out += json;
  const auto body = out.begin() + static_cast<std::ptrdiff_t>(start);
  std::replace_if(body, out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void AppendBase64(std::string& out, std::string_view bytes) {
  // EVP_EncodeBlock counts in int; a multiple of 3 keeps the pieces free of padding in the middle.
  constexpr std::size_t kPieceBytes = 3 << 20;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceBytes);
    bytes.remove_prefix(piece.size());
    const std::size_t start = out.size();
    out.resize(start + (piece.size() + 2) / 3 * 4 + 1);  // EVP_EncodeBlock ends with a NUL
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + start),
                    reinterpret_cast<const unsigned char*>(piece.data()), static_cast<int>(piece.size()));
    out.pop_back();
  }
}

}  // namespace

std::string_view CloudEventType(const storage::Event& event) {
  return event.type.empty() ? kUntypedEvent : event.type;
}

std::string AttributeOf(std::string_view text) {
  if (text::IsAttribute(text)) return std::string(text);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex = "hex-";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 0xF];
  }
  return hex;
}

void AppendCloudEventLine(std::string& out, const storage::Event& event, const LineExtras& extras) {
  out += kLineOpening;
  AppendMember(out, "id", AttributeOf(event.id));
  out += R"("source":"weir/)";
  text::AppendJsonEscaped(out, event.source);
  out += "\",";
  AppendMember(out, "type", AttributeOf(CloudEventType(event)));
  out += R"("time":")";
  text::AppendRfc3339(out, event.received_at_us);
  out += "\",";
  out += kSequenceKey;
  out += std::to_string(event.sequence);
  out += ',';
  if (!extras.state.empty()) AppendMember(out, "weirstate", extras.state);
  out += R"("weirreceivedat":")";
  text::AppendRfc3339(out, event.received_at_us);
  out += '"';
  if (event.attempt != 0) {
    out += R"(,"weirsenderattempt":)";
    out += std::to_string(event.attempt);
  }
  if (extras.forwarded != nullptr) extras.forwarded->AppendAttributes(out, event);
  if (const auto content_type = KeptHeader(event.headers, "content-type")) {
    out += R"(,"datacontenttype":")";
    text::AppendJsonEscaped(out, *content_type);
    out += '"';
  }
  if (IsJson(event.body)) {
    out += R"(,"data":)";
    AppendOnOneLine(out, event.body);
  } else if (!event.body.empty()) {
    out += R"(,"data_base64":")";
    AppendBase64(out, event.body);
    out += '"';
  }
  out += "}\n";
}

storage::Sequence SequenceOfLine(std::string_view line) {
  const std::size_t at = line.find(kSequenceKey);
  if (at == std::string_view::npos) return storage::kNoSequence;
  storage::Sequence sequence = storage::kNoSequence;
  const char* const digits = line.data() + at + kSequenceKey.size();
  const auto [end, error] = std::from_chars(digits, line.data() + line.size(), sequence);
  return error == std::errc() ? sequence : storage::kNoSequence;
}

}  // namespace weir::sink
