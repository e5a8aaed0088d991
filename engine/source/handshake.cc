#include "engine/source/handshake.h"

#include <algorithm>

#include "engine/http/response_writer.h"
#include "engine/limits.h"
#include "engine/source/encoding.h"
#include "engine/source/secret_key.h"
#include "engine/source/signed_text.h"
#include "engine/source/sns.h"
#include "engine/text/json_string.h"

namespace weir::source {
namespace {

using Guard = HandshakeRule::Guard;

bool HeadersMatch(const HandshakeRule& rule, RequestValues& values) {
  const auto present = [&values](const FieldRule& field) {
    const Found found = values.Header(field.name);
    return found.state == Found::State::kValue && !found.value.empty() &&
           (field.value.empty() || http::EqualsIgnoreCase(found.value, field.value));
  };
  const auto absent = [&values](const std::string& name) {
    return values.Header(name).state == Found::State::kAbsent;
  };
  return std::ranges::all_of(rule.headers, present) && std::ranges::all_of(rule.headers_absent, absent);
}

bool QueryMatches(const HandshakeRule& rule, RequestValues& values) {
  return std::ranges::all_of(rule.query, [&values](const FieldRule& parameter) {
    const Found found = values.Query(parameter.name);
    return found.state == Found::State::kValue && (parameter.value.empty() || found.value == parameter.value);
  });
}

bool FormMatches(const HandshakeRule& rule, RequestValues& values) {
  return std::ranges::all_of(rule.form, [&values](const FieldRule& field) {
    const Found found = values.At({.from = Location::From::kForm, .name = field.name, .pointer = {}});
    return found.state == Found::State::kValue && (field.value.empty() || found.value == field.value);
  });
}

bool JsonMatches(const HandshakeRule& rule, RequestValues& values) {
  if (rule.json.empty()) return true;
  if (!values.OpenJson()) return false;
  return std::ranges::all_of(rule.json, [&values](const auto& entry) {
    const auto value = values.json().Value(entry.first);
    return value && (entry.second.empty() || *value == entry.second);
  });
}

// "webhook_id={digits}": the literal, then nothing but up to 20 digits.
bool BodyMatches(std::string_view pattern, std::string_view body) {
  constexpr std::string_view kDigits = "{digits}";
  constexpr std::size_t kDigitsMax = 20;
  if (pattern.empty()) return true;
  if (!pattern.ends_with(kDigits)) return body == pattern;
  pattern.remove_suffix(kDigits.size());
  if (!body.starts_with(pattern)) return false;
  body.remove_prefix(pattern.size());
  return !body.empty() && body.size() <= kDigitsMax &&
         std::ranges::all_of(body, [](char c) { return c >= '0' && c <= '9'; });
}

bool HasShape(const HandshakeRule& rule, RequestValues& values) {
  return rule.method == values.request().method && HeadersMatch(rule, values) && QueryMatches(rule, values) &&
         BodyMatches(rule.body, values.request().body) && FormMatches(rule, values) &&
         JsonMatches(rule, values);
}

// The reply echoes what came in: bounded, and never with bytes that end a header field.
bool IsEchoable(std::string_view value) {
  return value.size() <= limits::kHandshakeEchoBytesMax && std::ranges::none_of(value, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

// Once kept it is the source's: one that no proof can use would be a configuration that does not load.
bool IsUsable(const Scheme& scheme, std::string_view secret) {
  return std::ranges::any_of(scheme.proofs, [secret](const Proof& proof) {
    return IsFor(proof, secret, 0) && PrepareSecret(proof, secret, nullptr).has_value();
  });
}

std::optional<std::string> Fill(const Template& text, const Source& source, const KeyedSecret* key,
                                RequestValues& values) {
  std::string out;
  for (const Segment& segment : text.segments) {
    switch (segment.kind) {
      case Segment::Kind::kLiteral:
        out += segment.text;
        break;
      case Segment::Kind::kParameter:
        out += ParameterOf(source, segment.text);
        break;
      case Segment::Kind::kLocation: {
        const Found found = values.At(segment.location);
        if (found.state != Found::State::kValue || !IsEchoable(found.value)) return std::nullopt;
        out += found.value;
        break;
      }
      case Segment::Kind::kHmacHex: {
        const Found found = values.At(segment.location);
        const HmacKey* hmac = key == nullptr ? nullptr : std::get_if<HmacKey>(&key->key);
        if (hmac == nullptr || found.state != Found::State::kValue || !IsEchoable(found.value))
          return std::nullopt;
        Hash message = hmac->Begin();
        message.Update(found.value);
        AppendHex(out, hmac->Finish(message).view());
        break;
      }
      case Segment::Kind::kBody:
      case Segment::Kind::kTimestamp:
      case Segment::Kind::kId:
      case Segment::Kind::kUrl:
      case Segment::Kind::kUrlDecoded:
      case Segment::Kind::kMethod:
      case Segment::Kind::kSecret:
      case Segment::Kind::kBodySha256Hex:
      case Segment::Kind::kBodyCrc32:
      case Segment::Kind::kBodyEscaped:
      case Segment::Kind::kBodyEscapedSlash:
      case Segment::Kind::kFormSorted:
        return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> FillJson(const std::vector<std::pair<std::string, Template>>& members,
                                    const Source& source, const KeyedSecret* key, RequestValues& values) {
  std::string out = "{";
  for (const auto& [name, text] : members) {
    const auto value = Fill(text, source, key, values);
    if (!value) return std::nullopt;
    if (out.size() > 1) out += ',';
    out += '"';
    text::AppendJsonEscaped(out, name);
    out += "\":\"";
    text::AppendJsonEscaped(out, *value);
    out += '"';
  }
  return out + '}';
}

}  // namespace

const HandshakeRule* FindHandshake(const Source& source, bool after_proof, RequestValues& values) {
  for (const HandshakeRule& rule : source.scheme->handshakes) {
    if (rule.guard == Guard::kPending && !source.secrets.empty()) continue;
    if ((rule.guard == Guard::kSignature) == after_proof && HasShape(rule, values)) return &rule;
  }
  return nullptr;
}

bool GuardHolds(const HandshakeRule& rule, const Source& source, RequestValues& values) {
  switch (rule.guard) {
    case Guard::kSignature:
    case Guard::kNone:
    case Guard::kPending:
      return true;
    case Guard::kParameter: {
      const std::string_view expected = ParameterOf(source, rule.guard_parameter);
      const Found given = values.At(*rule.guarded);
      return !expected.empty() && given.state == Found::State::kValue &&
             SameBytes(Sha256Of(expected).view(), Sha256Of(given.value).view());
    }
  }
  return false;
}

std::optional<Handshake> AnswerHandshake(const HandshakeRule& rule, const Source& source,
                                         const KeyedSecret* key, RequestValues& values) {
  Handshake answer;
  answer.status = rule.status;
  answer.content_type = rule.content_type;
  if (rule.reply_text) {
    auto text = Fill(*rule.reply_text, source, key, values);
    if (!text) return std::nullopt;
    answer.body = *std::move(text);
    if (answer.content_type.empty()) answer.content_type = "text/plain";
    // The body is whatever somebody put into the request: a browser must not take it for a page.
    answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
  } else if (!rule.reply_json.empty()) {
    auto text = FillJson(rule.reply_json, source, key, values);
    if (!text) return std::nullopt;
    answer.body = *std::move(text);
    if (answer.content_type.empty()) answer.content_type = "application/json";
  }
  for (const auto& [name, text] : rule.reply_headers) {
    auto value = Fill(text, source, key, values);
    if (!value) return std::nullopt;
    answer.headers.emplace_back(name, *std::move(value));
  }
  if (rule.capture) {
    const Found secret = values.At(*rule.capture);
    if (secret.state != Found::State::kValue || !IsEchoable(secret.value) ||
        !IsUsable(*source.scheme, secret.value)) {
      return std::nullopt;
    }
    answer.captured_secret = secret.value;
  }
  if (rule.confirm) {
    const Found url = values.At(*rule.confirm);
    // Signed by the sender, and still only ever a URL of its own service.
    if (url.state == Found::State::kValue && IsSnsHost(url.value) && IsEchoable(url.value)) {
      answer.confirm_url = url.value;
    }
  }
  return answer;
}

}  // namespace weir::source
