// A request of any bytes, to a source of any kind: first as it is, then with its body signed by the kind's
// own sender, so that what comes after the signature is reached as well.
//
//   byte 0: the kind; then "METHOD TARGET\n", "Name: value\n" lines, an empty line, the body
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/limits.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "engine/source/signer.h"
#include "engine/source/verifier.h"
#include "storage/check.h"

namespace {

using namespace weir;

constexpr std::int64_t kNowS = 1'767'225'600;
constexpr std::string_view kBase64Key = "c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl";
constexpr std::string_view kHexKey = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

const source::SourceTable& Table() {
  static const source::SourceTable table = [] {
    std::vector<source::Source> sources;
    for (const source::Kind& kind : source::Kinds()) {
      source::Source& source = sources.emplace_back();
      source.name = kind.name;
      source.scheme = kind.scheme;
      const source::KeyFormat& key = kind.scheme->proofs.front().key;
      source.secrets = {key.strip_prefix +
                        std::string(key.text == source::KeyText::kHex ? kHexKey : kBase64Key)};
      source.public_url = "https://hooks.example.com/webhooks/x";
      for (const source::ParameterRule& rule : kind.scheme->parameters)
        source.parameters.emplace_back(rule.name, "p");
    }
    return source::SourceTable(std::move(sources));
  }();
  return table;
}

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// Owns a copy of the body with exactly the padding that is promised, so that reading past it is seen.
struct Message {
  explicit Message(std::string_view text) {
    const std::string_view first = TakeLine(text);
    request.method_text = first.substr(0, first.find(' '));
    request.method = http::Method::kOther;
    for (int i = 0; i < static_cast<int>(http::Method::kOther); ++i) {
      if (http::MethodName(static_cast<http::Method>(i)) == request.method_text) {
        request.method = static_cast<http::Method>(i);
      }
    }
    request.target = first.substr(std::min(first.size(), request.method_text.size() + 1));
    request.path = request.target.substr(0, request.target.find('?'));
    if (request.path.size() < request.target.size())
      request.query = request.target.substr(request.path.size() + 1);
    for (std::string_view line = TakeLine(text); !line.empty(); line = TakeLine(text)) {
      const std::size_t colon = line.find(": ");
      if (colon == std::string_view::npos || request.field_count == limits::kHeaderFieldsMax) continue;
      request.field_storage[request.field_count++] = {line.substr(0, colon), line.substr(colon + 2)};
    }
    body = std::make_unique<char[]>(text.size() + limits::kJsonPaddingBytes);
    std::ranges::copy(text, body.get());
    request.body = {body.get(), text.size()};
  }

  http::Request request;
  std::unique_ptr<char[]> body;
};

bool IsPrintable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void CheckVerdict(const source::Verdict& verdict) {
  if (const auto* rejected = std::get_if<source::Rejected>(&verdict)) {
    WEIR_CHECK(rejected->status >= 400 && rejected->status < 600);
    WEIR_CHECK(!source::RejectCode(rejected->reason).empty());
  } else if (const auto* handshake = std::get_if<source::Handshake>(&verdict)) {
    WEIR_CHECK(handshake->status >= 200 && handshake->status < 300);
    for (const auto& [name, value] : handshake->headers) WEIR_CHECK(IsPrintable(name) && IsPrintable(value));
  } else {
    for (const source::VerifiedEvent& event : *std::get<source::Accepted>(verdict).events) {
      WEIR_CHECK(!event.id.empty() && event.id.size() <= limits::kEventIdBytesMax && IsPrintable(event.id));
      WEIR_CHECK(event.type.size() <= limits::kEventTypeBytesMax && IsPrintable(event.type));
    }
  }
}

void VerifySigned(source::Verifier& verifier, const source::Source& source, Message& message) {
  const auto headers = source::Sign(*source.scheme, {.secret = source.secrets.front(),
                                                     .body = message.request.body,
                                                     .at_unix_s = kNowS,
                                                     .url = source.public_url,
                                                     .parameters = source.parameters});
  if (!headers) return;
  http::Request& request = message.request;
  request.method = http::Method::kPost;
  request.method_text = "POST";
  request.query = {};
  // The sender's fields take the place of any the input has of the same name.
  std::size_t kept = 0;
  for (const http::Field& field : request.fields()) {
    const bool signed_field = std::ranges::any_of(
        *headers, [&](const auto& header) { return http::EqualsIgnoreCase(header.first, field.name); });
    if (!signed_field && !http::EqualsIgnoreCase(field.name, "content-encoding"))
      request.field_storage[kept++] = field;
  }
  request.field_count = kept;
  for (const auto& [name, value] : *headers) {
    if (request.field_count < limits::kHeaderFieldsMax)
      request.field_storage[request.field_count++] = {name, value};
  }
  CheckVerdict(verifier.Verify(source, request, kNowS * 1'000'000));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static source::Verifier verifier(1);
  const auto& sources = Table().sources();
  const source::Source& source = sources[data[0] % sources.size()];
  Message message({reinterpret_cast<const char*>(data) + 1, size - 1});
  CheckVerdict(verifier.Verify(source, message.request, kNowS * 1'000'000));
  VerifySigned(verifier, source, message);
  return 0;
}
