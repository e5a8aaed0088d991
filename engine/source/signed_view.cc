#include "engine/source/signed_view.h"

#include <openssl/crypto.h>

#include "engine/source/adyen.h"
#include "engine/source/encoding.h"
#include "engine/source/keyed_hash.h"
#include "engine/source/proof_check.h"
#include "engine/source/request_values.h"
#include "engine/source/scheme.h"
#include "engine/source/secret_key.h"
#include "engine/source/signature_field.h"
#include "engine/source/signed_text.h"
#include "engine/source/sns.h"
#include "engine/source/timestamp.h"
#include "engine/source/twilio.h"

namespace weir::source {
namespace {

constexpr std::size_t kShownCharacters = 8;
constexpr std::size_t kMaskableCharacters = 3 * kShownCharacters;
constexpr std::string_view kSecretPlace = "{secret}";

// The field holds the secret, not a signature made with it.
bool IsCredential(Algorithm algorithm) {
  return algorithm == Algorithm::kToken || algorithm == Algorithm::kBasic;
}

std::string Hidden(std::size_t bytes) {
  return "(hidden, " + std::to_string(bytes) + " bytes)";
}

class Viewer {
 public:
  Viewer(const Source& source, const Proof& proof, RequestValues& values)
      : source_(source), proof_(proof), values_(values) {}

  SignedView View() {
    view_.proof = proof_.name;
    view_.algorithm = AlgorithmName(proof_.algorithm);
    view_.location = PlacesText(proof_.signature);
    std::vector<std::string_view> signatures;
    if (ReadSignatures(proof_.signature, values_, signatures) == SignatureState::kMalformed) {
      view_.note = "the signature's field is not of the form this kind sends";
    }
    for (const std::string_view text : signatures) {
      view_.received.push_back(IsCredential(proof_.algorithm) ? Hidden(text.size()) : Masked(text));
    }
    ReadTimestamp();
    ReadTexts(signatures);
    if (proof_.jwt || proof_.procedure == Procedure::kSns) return std::move(view_);
    for (std::size_t i = 0; i < source_.secrets.size(); ++i) Expect(i);
    return std::move(view_);
  }

 private:
  void ReadTimestamp() {
    if (!proof_.timestamp) return;
    const Found found = values_.At(proof_.timestamp->at);
    if (found.state != Found::State::kValue) return;
    view_.timestamp = found.value;
    view_.signed_at_us = ParseTimestamp(found.value, proof_.timestamp->unit);
  }

  void ReadTexts(const std::vector<std::string_view>& signatures) {
    switch (proof_.procedure) {
      case Procedure::kTemplate:
        return proof_.jwt ? ReadToken(signatures) : ReadTemplates();
      case Procedure::kTwilio:
        view_.texts = TwilioTexts(PublicUrl(source_, values_), values_);
        if (view_.texts.empty()) view_.note = "neither a form nor a body with its bodySHA256 in the query";
        return;
      case Procedure::kAdyenItems:
        return ReadAdyen();
      case Procedure::kSns:
        return ReadSns();
    }
  }

  void ReadTemplates() {
    if (proof_.signed_variants.empty()) {
      view_.note = "a credential: nothing is signed, the secret itself is sent";
      return;
    }
    SignedInputs inputs{.source = source_, .timestamp = view_.timestamp, .id = {}};
    if (proof_.id) {
      const Found id = values_.At(*proof_.id);
      if (id.state == Found::State::kValue) inputs.id = id.value;
    }
    std::vector<SignedPart> parts;
    for (const Template& variant : proof_.signed_variants) {
      if (AssembleSigned(variant, inputs, values_, parts) != AssemblyFault::kNone) {
        view_.note =
            "\"" + variant.text + "\" cannot be put together: something it names is not in the request";
        continue;
      }
      std::string& text = view_.texts.emplace_back();
      for (const SignedPart& part : parts) text += part.is_secret ? kSecretPlace : part.text;
      if (text.empty()) view_.note = "the signed text is empty";
    }
  }

  void ReadToken(const std::vector<std::string_view>& signatures) {
    if (!signatures.empty()) {
      const std::string_view token = signatures.front();
      view_.texts.emplace_back(token.substr(0, token.rfind('.')));
    }
    if (proof_.jwt->body_hash_claim.empty()) return;
    const Digest digest = Sha256Of(values_.request().body);
    SignatureField field;
    field.encoding = proof_.jwt->body_hash_encoding;
    view_.note = "the claim " + proof_.jwt->body_hash_claim +
                 " has to be the SHA-256 of the body: " + EncodeSignature(field, digest.view());
  }

  void ReadAdyen() {
    std::vector<AdyenItem> items;
    if (!values_.OpenJson() || ReadAdyenItems(values_.json(), items) != AdyenFault::kNone) {
      view_.note = "the body has no items with a signature each";
      return;
    }
    view_.received.clear();
    for (AdyenItem& item : items) {
      view_.received.push_back(Masked(item.signature));
      view_.texts.push_back(std::move(item.signed_text));
    }
  }

  void ReadSns() {
    auto message =
        values_.OpenJson() ? ReadSnsMessage(values_.json()) : std::unexpected(SnsFault::kMalformed);
    if (!message) {
      view_.note = "the body is not a signed SNS message";
      return;
    }
    view_.received.assign(1, Masked(message->signature));
    view_.texts.push_back(std::move(message->signed_text));
  }

  void Expect(std::size_t secret) {
    if (IsCredential(proof_.algorithm) || !IsFor(proof_, source_.secrets[secret], secret)) return;
    const LibraryContext library(OSSL_LIB_CTX_new());
    const auto key = PrepareSecret(proof_, source_.secrets[secret], library.get());
    if (!key) return;
    for (std::size_t text = 0; text < view_.texts.size(); ++text) {
      if (const auto* hmac = std::get_if<HmacKey>(&*key)) {
        Hash hash = hmac->Begin();
        hash.Update(view_.texts[text]);
        AddExpected(secret, text, hmac->Finish(hash));
      } else if (const auto* plain = std::get_if<SecretText>(&*key)) {
        std::string signed_text = view_.texts[text];
        const std::size_t place = signed_text.find(kSecretPlace);
        if (place != std::string::npos) signed_text.replace(place, kSecretPlace.size(), plain->view());
        AddExpected(secret, text, Sha256Of(signed_text));
        OPENSSL_cleanse(signed_text.data(), signed_text.size());
      }
    }
  }

  void AddExpected(std::size_t secret, std::size_t text, const Digest& digest) {
    view_.expected.push_back(
        {.secret = secret, .text = text, .masked = Masked(EncodeSignature(proof_.signature, digest.view()))});
  }

  const Source& source_;
  const Proof& proof_;
  RequestValues& values_;
  SignedView view_;
};

}  // namespace

std::string Masked(std::string_view signature) {
  if (signature.size() < kMaskableCharacters) return Hidden(signature.size());
  return std::string(signature.substr(0, kShownCharacters)) + "… (" + std::to_string(signature.size()) +
         " characters)";
}

std::vector<SignedView> ViewSigned(const Source& source, const http::Request& request) {
  RequestValues values;
  std::vector<SignedView> views;
  const auto& proofs = source.scheme->proofs;
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    values.Begin(request);
    const bool last = i + 1 == proofs.size();
    const Fit fit = FitOf(proofs[i], values);
    const bool tried = fit == Fit::kOpen || fit == Fit::kOwn;
    if (!tried && !(last && views.empty())) continue;
    views.push_back(Viewer(source, proofs[i], values).View());
    if (!source.scheme->any_proof && fit == Fit::kOwn) break;
  }
  return views;
}

}  // namespace weir::source
