#include "engine/source/signer.h"

#include <algorithm>

#include "engine/source/encoding.h"
#include "engine/source/scheme.h"
#include "engine/source/secret_key.h"
#include "engine/source/signed_text.h"
#include "engine/source/timestamp.h"

namespace weir::source {
namespace {

using Outcome = std::expected<std::string, std::string>;

std::span<const std::uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string MadeUpId(const SignRequest& request) {
  std::string text = std::to_string(request.at_unix_s);
  text.append(request.body);
  std::string id = "msg_";
  AppendHex(id, Sha256Of(text).view().subspan(0, 12));
  return id;
}

// The first proof of the scheme that this secret is for.
const Proof* ProofFor(const Scheme& scheme, std::string_view secret) {
  const auto found = std::ranges::find_if(
      scheme.proofs, [secret](const Proof& proof) { return IsFor(proof, secret, proof.key.slot); });
  return found == scheme.proofs.end() ? nullptr : &*found;
}

bool Has(const HeaderList& headers, std::string_view name) {
  return std::ranges::any_of(headers,
                             [name](const auto& field) { return http::EqualsIgnoreCase(field.first, name); });
}

void AddHeaderOf(HeaderList& headers, const Extractor& extractor, std::string_view value) {
  for (const ExtractorPart& part : extractor.parts) {
    const Location& at = part.first_of.front();
    if (at.from == Location::From::kHeader && !Has(headers, at.name)) headers.emplace_back(at.name, value);
  }
}

Outcome Encode(const SignatureField& field, std::span<const std::uint8_t> bytes) {
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

Outcome SignParts(const Proof& proof, std::string_view secret, const std::vector<SignedPart>& parts) {
  std::string text;
  std::string key_text;
  if (proof.algorithm == Algorithm::kSha256) {
    auto bytes = KeyBytes(proof.key, secret);
    if (!bytes) return std::unexpected("the secret " + bytes.error());
    key_text = *std::move(bytes);
  }
  for (const SignedPart& part : parts) text += part.is_secret ? std::string_view(key_text) : part.text;
  switch (proof.algorithm) {
    case Algorithm::kHmacSha1:
    case Algorithm::kHmacSha256:
    case Algorithm::kHmacSha384:
    case Algorithm::kHmacSha512: {
      auto key = PrepareSecret(proof, secret, nullptr);
      if (!key) return std::unexpected("the secret " + key.error());
      const auto& hmac = std::get<HmacKey>(*key);
      Hash message = hmac.Begin();
      message.Update(text);
      return Encode(proof.signature, hmac.Finish(message).view());
    }
    case Algorithm::kSha256:
      return Encode(proof.signature, Sha256Of(text).view());
    case Algorithm::kEd25519:
    case Algorithm::kEcdsaP256Sha256:
    case Algorithm::kRsaSha256: {
      auto signature =
          SignWithPrivateKey(secret, proof.algorithm == Algorithm::kEd25519 ? nullptr : "SHA256", text);
      if (!signature) return std::unexpected(signature.error());
      return Encode(proof.signature, BytesOf(*signature));
    }
    case Algorithm::kJwt:
    case Algorithm::kToken:
    case Algorithm::kBasic:
      break;
  }
  return std::unexpected("weir cannot sign as this kind");
}

// The signature's own field: prefix and value, or the list with the timestamp in it.
std::string FieldText(const Proof& proof, std::string_view signature, std::string_view timestamp) {
  std::string text = proof.signature.prefix;
  const auto& list = proof.signature.list;
  if (!list) return text.append(signature);
  if (proof.timestamp && proof.timestamp->at.from == Location::From::kField) {
    text.append(proof.timestamp->at.name).append(1, list->value_separator).append(timestamp);
    text.append(1, list->item_separator);
    if (list->trim) text += ' ';
  }
  return text.append(list->picked.front()).append(1, list->value_separator).append(signature);
}

Outcome CredentialText(const Proof& proof, std::string_view secret) {
  auto bytes = KeyBytes(proof.key, secret);
  if (!bytes) return std::unexpected("the secret " + bytes.error());
  if (proof.algorithm == Algorithm::kToken) return proof.signature.prefix + *bytes;
  std::string text = proof.signature.prefix;
  AppendBase64(text, BytesOf(*bytes), Base64Form::kPadded);
  return text;
}

http::Request AsRequest(const SignRequest& request, const HeaderList& headers) {
  http::Request made;
  made.method_text = request.method;
  made.body = request.body;
  const std::size_t query = request.url.find('?');
  if (query != std::string_view::npos) made.query = request.url.substr(query + 1);
  for (const auto& [name, value] : headers) {
    if (made.field_count < made.field_storage.size()) made.field_storage[made.field_count++] = {name, value};
  }
  return made;
}

std::string ContentTypeOf(const Scheme& scheme, std::string_view body) {
  if (!scheme.content_types.empty()) return scheme.content_types.front();
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
  const bool form = !json && body.find('=') != std::string_view::npos;
  return form ? "application/x-www-form-urlencoded" : "application/json";
}

}  // namespace

std::expected<HeaderList, std::string> Sign(const Scheme& scheme, const SignRequest& request) {
  const Proof* proof = ProofFor(scheme, request.secret);
  if (proof == nullptr) return std::unexpected("the secret does not begin as this kind's secrets do");
  if (proof->signature.first_of.empty() ||
      proof->signature.first_of.front().from != Location::From::kHeader) {
    return std::unexpected("this kind signs inside the body, not in a header");
  }
  if (proof->needs_url && request.url.empty())
    return std::unexpected("this kind signs the URL, and none was given");

  HeaderList headers;
  headers.emplace_back("Content-Type", ContentTypeOf(scheme, request.body));
  const std::string id = request.id.empty() ? MadeUpId(request) : std::string(request.id);
  AddHeaderOf(headers, scheme.event.id, id);
  AddHeaderOf(headers, scheme.event.type, request.type.empty() ? "event" : request.type);
  for (const FieldRule& rule : proof->required) {
    if (!Has(headers, rule.name)) headers.emplace_back(rule.name, rule.value.empty() ? "weir" : rule.value);
  }
  std::string timestamp;
  if (proof->timestamp) {
    timestamp = FormatTimestamp(request.at_unix_s, proof->timestamp->unit);
    if (proof->timestamp->at.from == Location::From::kHeader)
      headers.emplace_back(proof->timestamp->at.name, timestamp);
  }

  std::string name = proof->signature.first_of.front().name;
  if (proof->signature.repetition == Repetition::kNumbered) name += "-1";
  if (proof->algorithm == Algorithm::kToken || proof->algorithm == Algorithm::kBasic) {
    auto credential = CredentialText(*proof, request.secret);
    if (!credential) return std::unexpected(credential.error());
    headers.emplace_back(std::move(name), *std::move(credential));
    return headers;
  }

  Source source;
  source.public_url = request.url;
  const http::Request made = AsRequest(request, headers);
  RequestValues values;
  values.Begin(made);
  if (proof->timestamp && proof->timestamp->at.from == Location::From::kField) {
    values.list_fields().emplace_back(proof->timestamp->at.name, timestamp);
  }
  if (proof->signed_variants.empty()) return std::unexpected("weir cannot sign as this kind");
  std::vector<SignedPart> parts;
  const SignedInputs inputs{.source = source, .timestamp = timestamp, .id = id};
  if (AssembleSigned(proof->signed_variants.front(), inputs, values, parts) != AssemblyFault::kNone) {
    return std::unexpected("this kind signs a value that was not given");
  }
  auto signature = SignParts(*proof, request.secret, parts);
  if (!signature) return std::unexpected(signature.error());
  headers.emplace_back(std::move(name), FieldText(*proof, *signature, timestamp));
  return headers;
}

}  // namespace weir::source
