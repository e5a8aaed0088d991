#include "engine/sink/http_message.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "engine/sink/cloud_event.h"
#include "engine/sink/kept_headers.h"
#include "engine/text/attribute.h"
#include "engine/text/rfc3339.h"

namespace weir::sink {

namespace {

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsAllZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// version "-" trace-id "-" parent-id "-" flags; a later version may carry more behind another '-'.
bool IsTraceparent(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  if (!IsLowerHex(version) || !IsLowerHex(trace) || !IsLowerHex(parent) || !IsLowerHex(text.substr(53, 2)))
    return false;
  if (version == "ff" || IsAllZero(trace) || IsAllZero(parent)) return false;
  if (version == "00") return text.size() == 55;
  return text.size() == 55 || text[55] == '-';
}

// FNV-1a, then splitmix64's finisher: an identifier that differs between events, nothing more.
std::uint64_t Hash(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325u ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9u;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBu;
  return hash ^ (hash >> 31);
}

void AppendHex64(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 0xF];
}

void AppendAttributes(std::string& out, const Attempt& attempt) {
  const storage::Event& event = attempt.event;
  AppendField(out, "ce-specversion", "1.0");
  out += "ce-id: ";
  text::AppendAttributeField(out, AttributeOf(event.id));
  out += "\r\nce-source: weir/";
  text::AppendAttributeField(out, event.source);
  out += "\r\nce-type: ";
  text::AppendAttributeField(out, AttributeOf(CloudEventType(event)));
  out += "\r\nce-time: ";
  text::AppendRfc3339(out, event.received_at_us);
  out += "\r\n";
  AppendField(out, "weir-sequence", std::to_string(event.sequence));
  AppendField(out, "weir-attempt", std::to_string(attempt.number));
  if (event.attempt != 0) AppendField(out, "weir-sender-attempt", std::to_string(event.attempt));
  AppendField(out, "traceparent", TraceparentFor(attempt));
}

void AppendSignature(std::string& out, const Attempt& attempt, WebhookSigner& signer) {
  std::string id;
  text::AppendAttributeField(id, AttributeOf(attempt.event.id));
  const std::string timestamp = std::to_string(attempt.started_at_us / 1'000'000);
  AppendField(out, "webhook-id", id);
  AppendField(out, "webhook-timestamp", timestamp);
  AppendField(out, "webhook-signature", signer.Sign(id, timestamp, attempt.event.body));
}

}  // namespace

std::string TraceparentFor(const Attempt& attempt) {
  const auto given = KeptHeader(attempt.event.headers, "traceparent");
  if (given && IsTraceparent(*given)) return std::string(*given);
  const std::uint64_t of_source = Hash(attempt.event.source, attempt.event.sequence);
  std::string made = "00-";
  AppendHex64(made, of_source);
  AppendHex64(made, Hash(attempt.event.id, of_source) | 1);  // neither part of it may be all zeros
  made += '-';
  AppendHex64(made, Hash(attempt.event.id, attempt.number) | 1);
  made += "-00";
  return made;
}

void BuildRequest(std::string& out, const Attempt& attempt, const http::Url& url, const Extras& extras) {
  const storage::Event& event = attempt.event;
  out.clear();
  out.reserve(event.body.size() + event.id.size() * 6 + event.type.size() * 3 + url.target.size() + 1024);
  out += "POST ";
  out += url.target;
  out += " HTTP/1.1\r\n";
  AppendField(out, "Host", url.authority);
  AppendField(out, "User-Agent", "weir/" WEIR_VERSION);
  // Without a type of the sender's own the bytes are just bytes (RFC 9110 §8.3).
  AppendField(out, "Content-Type",
              KeptHeader(event.headers, "content-type").value_or("application/octet-stream"));
  AppendField(out, "Content-Length", std::to_string(event.body.size()));
  AppendAttributes(out, attempt);
  if (extras.forwarded != nullptr) extras.forwarded->AppendFields(out, event);
  if (extras.signer != nullptr) AppendSignature(out, attempt, *extras.signer);
  out += "\r\n";
  out += event.body;
}

}  // namespace weir::sink
