// The proofs that are not a template: tokens with claims, certificates named by the request, and two
// contracts of their own.
#include <algorithm>

#include "engine/source/encoding.h"
#include "engine/source/proof_check.h"
#include "engine/source/sns.h"
#include "engine/source/twilio.h"

namespace weir::source {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kPem = ".pem";

bool IsTrustedHost(std::string_view url, const std::vector<std::string>& hosts) {
  if (!url.starts_with(kHttps)) return false;
  const std::string_view host = url.substr(kHttps.size(), url.find('/', kHttps.size()) - kHttps.size());
  return std::ranges::find(hosts, host) != hosts.end();
}

bool VerifiesByName(const Source& source) {
  return source.certificates_by_name || !source.certificates.empty();
}

// The name comes from whoever sent the request, and goes into logs.
std::string UnknownCertificate(std::string_view url) {
  constexpr std::size_t kShownBytesMax = 80;
  std::string name(FileNameOf(url).substr(0, kShownBytesMax));
  std::ranges::replace_if(name, [](char c) { return c <= ' ' || c > '~'; }, '?');
  return "the certificate " + name + " is not among the source's certificates";
}

const KeyedSecret* FindCertificate(const KeyedSource& keyed, std::string_view name) {
  const auto found = std::ranges::find_if(keyed.certificates, [name](const auto& entry) {
    std::string_view file = entry.first;
    if (file == name) return true;
    if (!file.ends_with(kPem)) return false;
    file.remove_suffix(kPem.size());
    return file == name;  // PayPal's have no extension, files often do
  });
  return found == keyed.certificates.end() ? nullptr : &found->second;
}

}  // namespace

ProofChecker::Refusal ProofChecker::CheckProcedure(const Source& source, const Proof& proof,
                                                   const KeyedSource& keyed, const Secrets& secrets,
                                                   RequestValues& values, ProofResult& result) {
  switch (proof.procedure) {
    case Procedure::kTemplate:
      if (proof.jwt) return CheckJwt(source, proof, secrets, values, result);
      if (proof.certificate) return CheckCertified(source, proof, keyed, secrets, values, result);
      return CheckTemplate(source, proof, secrets, values, result);
    case Procedure::kTwilio:
      return CheckTwilio(source, proof, secrets, values, result);
    case Procedure::kAdyenItems:
      return CheckAdyenItems(proof, secrets, values, result);
    case Procedure::kSns:
      return CheckSns(source, keyed, secrets, values, result);
  }
  return RejectReason::kInvalidSignature;
}

ProofChecker::Refusal ProofChecker::CheckJwt(const Source& source, const Proof& proof, const Secrets& secrets,
                                             RequestValues& values, ProofResult& result) {
  const KeyedSecret* matched = nullptr;
  const auto refusal =
      jwt_.Check(source, *proof.jwt, secrets, signatures_.front(), values.request().body, &matched);
  if (refusal) return Because(*refusal, jwt_.fault());
  result.secret_index = matched->index;
  result.key = matched;
  for (const std::string& name : proof.jwt->required_claims) {
    values.claims().emplace_back(name, jwt_.Claim(name).value_or(std::string_view()));
  }
  return std::nullopt;
}

ProofChecker::Refusal ProofChecker::CheckCertified(const Source& source, const Proof& proof,
                                                   const KeyedSource& keyed, const Secrets& secrets,
                                                   RequestValues& values, ProofResult& result) {
  const Found url = values.At(proof.certificate->url);
  if (url.state == Found::State::kAbsent) {
    return Because(RejectReason::kMissingSignature,
                   "no certificate is named in " + ToString(proof.certificate->url));
  }
  if (url.state != Found::State::kValue || !IsTrustedHost(url.value, proof.certificate->hosts)) {
    return Because(RejectReason::kMalformedSignature,
                   "the certificate is not one of the sender's own: " + ToString(proof.certificate->url));
  }
  if (!VerifiesByName(source)) return CheckTemplate(source, proof, secrets, values, result);
  const KeyedSecret* certificate = FindCertificate(keyed, FileNameOf(url.value));
  if (certificate == nullptr) return Because(RejectReason::kKeyUnavailable, UnknownCertificate(url.value));
  SignedInputs inputs{.source = source, .timestamp = timestamp_text_, .id = {}};
  if (AssembleSigned(proof.signed_variants.front(), inputs, values, parts_) != AssemblyFault::kNone) {
    return Because(RejectReason::kMissingSignature,
                   "something that is signed is not in the request: " + proof.signed_variants.front().text);
  }
  if (!Matches(proof, certificate->key)) return RejectReason::kInvalidSignature;
  result.key = certificate;
  return std::nullopt;
}

ProofChecker::Refusal ProofChecker::CheckTwilio(const Source& source, const Proof& proof,
                                                const Secrets& secrets, RequestValues& values,
                                                ProofResult& result) {
  const std::vector<std::string> texts = TwilioTexts(PublicUrl(source, values), values);
  if (texts.empty()) {
    return Because(RejectReason::kMalformedSignature,
                   "neither a form nor a body with its bodySHA256 in the query");
  }
  for (const std::string& text : texts) {
    parts_.assign(1, {.text = text, .is_secret = false});
    if (AnyMatches(proof, secrets, result)) return std::nullopt;
  }
  return RejectReason::kInvalidSignature;
}

ProofChecker::Refusal ProofChecker::CheckAdyenItems(const Proof& proof, const Secrets& secrets,
                                                    RequestValues& values, ProofResult& result) {
  if (!values.OpenJson()) return Because(RejectReason::kMalformedSignature, "the body is not JSON");
  switch (ReadAdyenItems(values.json(), items_)) {
    case AdyenFault::kMissing:
      return Because(RejectReason::kMissingSignature, "an item of the body has no signature");
    case AdyenFault::kMalformed:
      return Because(RejectReason::kMalformedSignature, "the body has no items with a signature each");
    case AdyenFault::kNone:
      break;
  }
  decoded_.resize(std::max<std::size_t>(decoded_.size(), 1));
  decoded_count_ = 1;
  for (const AdyenItem& item : items_) {
    const auto size = DecodeBase64(item.signature, decoded_.front().bytes, Base64Form::kPadded);
    if (!size) return RejectReason::kMalformedSignature;
    decoded_.front().size = *size;
    parts_.assign(1, {.text = item.signed_text, .is_secret = false});
    if (!AnyMatches(proof, secrets, result)) return RejectReason::kInvalidSignature;
  }
  return std::nullopt;
}

ProofChecker::Refusal ProofChecker::CheckSns(const Source& source, const KeyedSource& keyed,
                                             const Secrets& secrets, RequestValues& values,
                                             ProofResult& result) {
  if (!values.OpenJson()) return Because(RejectReason::kMalformedSignature, "the body is not JSON");
  const auto message = ReadSnsMessage(values.json());
  if (!message) {
    return Because(message.error() == SnsFault::kMissingSignature ? RejectReason::kMissingSignature
                                                                  : RejectReason::kMalformedSignature,
                   "the body is not a signed SNS message");
  }
  const std::string_view topic = ParameterOf(source, "topic_arn");
  if (!topic.empty() && topic != message->topic) {
    return Because(RejectReason::kInvalidSignature, "TopicArn is not the source's parameters.topic_arn");
  }
  const auto holds = [&](const KeyedSecret& key) {
    return MatchesPublic(std::get<PublicKey>(key.key), message->digest, message->signed_text);
  };
  const KeyedSecret* matched = nullptr;
  if (!VerifiesByName(source)) {
    const auto found = std::ranges::find_if(secrets, holds);
    if (found != secrets.end()) matched = &*found;
  } else {
    const KeyedSecret* certificate = FindCertificate(keyed, FileNameOf(message->certificate_url));
    if (certificate == nullptr) {
      return Because(RejectReason::kKeyUnavailable, UnknownCertificate(message->certificate_url));
    }
    if (holds(*certificate)) matched = certificate;
  }
  if (matched == nullptr) return RejectReason::kInvalidSignature;
  result.secret_index = matched->index;
  result.key = matched;
  return std::nullopt;
}

}  // namespace weir::source
