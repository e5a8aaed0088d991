#include "engine/source/signer.h"

#include <algorithm>

#include "engine/source/encoding.h"
#include "engine/source/keyed_hash.h"
#include "engine/source/scheme.h"
#include "engine/source/secret_key.h"
#include "engine/source/sender_signature.h"
#include "engine/source/signed_text.h"
#include "engine/source/timestamp.h"
#include "engine/source/twilio.h"
#include "engine/source/type_parts.h"

namespace weir::source {
namespace {

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

void AddHeader(HeaderList& headers, const ExtractorPart& part, std::string_view value) {
  const Location& at = part.first_of.front();
  if (at.from == Location::From::kHeader && !Has(headers, at.name)) headers.emplace_back(at.name, value);
}

void AddTypeHeaders(HeaderList& headers, const Extractor& extractor, std::string_view type) {
  const std::vector<std::string> pieces = SplitType(extractor, type);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!pieces[i].empty()) AddHeader(headers, extractor.parts[i], pieces[i]);
  }
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

// Everything but the signature: content type, ids and types that travel in fields, fixed fields, the
// timestamp, and any other field that is signed.
HeaderList FieldsBeside(const Scheme& scheme, const Proof& proof, const SignRequest& request,
                        std::string_view id, std::string_view timestamp) {
  HeaderList headers;
  headers.emplace_back("Content-Type", ContentTypeOf(scheme, request.body));
  const auto& parts = scheme.event.id.parts;
  const bool all_optional = std::ranges::all_of(parts, &ExtractorPart::optional);
  for (const ExtractorPart& part : parts) {
    if (!part.optional || all_optional) AddHeader(headers, part, id);
  }
  AddTypeHeaders(headers, scheme.event.type, request.type.empty() ? "event" : request.type);
  for (const FieldRule& rule : proof.select) headers.emplace_back(rule.name, rule.value);
  for (const FieldRule& rule : proof.required) {
    if (!Has(headers, rule.name)) headers.emplace_back(rule.name, rule.value.empty() ? "weir" : rule.value);
  }
  if (proof.certificate && proof.certificate->url.from == Location::From::kHeader) {
    headers.emplace_back(proof.certificate->url.name, "https://" + proof.certificate->hosts.front() +
                                                          "/v1/notifications/certs/" +
                                                          std::string(request.certificate));
  }
  if (proof.timestamp && proof.timestamp->at.from == Location::From::kHeader) {
    headers.emplace_back(proof.timestamp->at.name, timestamp);
  }
  if (proof.signed_variants.empty()) return headers;
  for (const Segment& segment : proof.signed_variants.front().segments) {
    const bool field =
        segment.kind == Segment::Kind::kLocation && segment.location.from == Location::From::kHeader;
    if (field && !Has(headers, segment.location.name)) headers.emplace_back(segment.location.name, id);
  }
  return headers;
}

// A signature over the request with the fields it has so far.
SignatureText SignRequestText(const Proof& proof, const SignRequest& request, const HeaderList& headers,
                              std::string_view id, std::string_view timestamp) {
  Source source;
  source.public_url = request.url;
  source.parameters.assign(request.parameters.begin(), request.parameters.end());
  const http::Request made = AsRequest(request, headers);
  RequestValues values;
  values.Begin(made);
  if (proof.timestamp && proof.timestamp->at.from == Location::From::kField) {
    values.list_fields().emplace_back(proof.timestamp->at.name, timestamp);
  }
  std::vector<SignedPart> parts;
  std::vector<std::string> texts;
  if (proof.procedure == Procedure::kTwilio) {
    texts = TwilioTexts(request.url, values);
    if (texts.empty())
      return std::unexpected("Twilio signs a form, or a URL with bodySHA256 of the body in its query");
    parts.push_back({.text = texts.front(), .is_secret = false});
  } else if (proof.signed_variants.empty()) {
    return std::unexpected("weir cannot sign as this kind");
  } else {
    const SignedInputs inputs{.source = source, .timestamp = timestamp, .id = id};
    if (AssembleSigned(proof.signed_variants.front(), inputs, values, parts) != AssemblyFault::kNone) {
      return std::unexpected("this kind signs a value that was not given: " +
                             proof.signed_variants.front().text);
    }
  }
  auto signature = SignatureOf(proof, request.secret, parts);
  if (!signature) return signature;
  return FieldText(proof, *signature, timestamp);
}

std::string_view IssuerOf(const Proof& proof, const SignRequest& request) {
  const auto found = std::ranges::find(request.parameters, proof.jwt->issuer_parameter,
                                       [](const auto& parameter) { return parameter.first; });
  return found == request.parameters.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

std::expected<HeaderList, std::string> Sign(const Scheme& scheme, const SignRequest& request) {
  const Proof* proof = ProofFor(scheme, request.secret);
  if (proof == nullptr) return std::unexpected("the secret does not begin as this kind's secrets do");
  const SignatureField& field = proof->signature;
  const auto in_header = std::ranges::find(field.first_of, Location::From::kHeader, &Location::from);
  if (in_header == field.first_of.end())
    return std::unexpected("this kind's signature is in no header field (" +
                           ToString(field.first_of.front()) + "), where alone weir can put one");
  if (proof->needs_url && request.url.empty())
    return std::unexpected("this kind signs the URL, and none was given");

  const std::string id = request.id.empty() ? MadeUpId(request) : std::string(request.id);
  const std::string timestamp =
      proof->timestamp ? FormatTimestamp(request.at_unix_s, proof->timestamp->unit) : std::string();
  HeaderList headers = FieldsBeside(scheme, *proof, request, id, timestamp);
  SignatureText text;
  if (proof->algorithm == Algorithm::kToken || proof->algorithm == Algorithm::kBasic) {
    text = CredentialOf(*proof, request.secret);
  } else if (proof->jwt) {
    text = TokenOf(*proof, request.secret, request.body, IssuerOf(*proof, request), request.at_unix_s);
  } else {
    text = SignRequestText(*proof, request, headers, id, timestamp);
  }
  if (!text) return std::unexpected(text.error());
  const std::string number = field.repetition == Repetition::kNumbered ? "-1" : "";
  headers.emplace_back(in_header->name + number, *std::move(text));
  return headers;
}

}  // namespace weir::source
