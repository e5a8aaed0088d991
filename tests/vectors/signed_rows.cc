#include "tests/vectors/signed_rows.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string_view>
#include <utility>

#include "engine/source/encoding.h"
#include "engine/source/keyed_hash.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "engine/source/signer.h"

namespace weir::vectors {
namespace {

using source::Algorithm;
using source::Kind;

constexpr std::int64_t kNowS = 1'767'225'600;
constexpr std::size_t kBodyBytes = 300;
constexpr std::string_view kId = "evt_42";

struct KeyPair {
  std::string private_pem;
  std::string public_pem;
};

std::string TextOf(BIO* out) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  return {text, static_cast<std::size_t>(size)};
}

KeyPair PairOf(EVP_PKEY* made) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(made, EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> secret(BIO_new(BIO_s_mem()), BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> open(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_PUBKEY(open.get(), key.get());
  return {.private_pem = TextOf(secret.get()), .public_pem = TextOf(open.get())};
}

KeyPair SharedSecret(const source::KeyFormat& format) {
  const std::string prefix = format.only_prefix.empty() ? format.strip_prefix : format.only_prefix;
  std::string text = prefix + "a-secret-of-some-length-and-more";
  if (format.text == source::KeyText::kBase64) text = prefix + "c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl";
  if (format.text == source::KeyText::kHex)
    text = prefix + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  return {.private_pem = text, .public_pem = text};
}

KeyPair SecretsFor(const source::Proof& proof) {
  switch (proof.algorithm) {
    case Algorithm::kEd25519:
      return PairOf(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case Algorithm::kEcdsaP256Sha256:
      return PairOf(EVP_EC_gen("P-256"));
    case Algorithm::kRsaSha256:
      return PairOf(EVP_RSA_gen(2048));
    case Algorithm::kHmacSha1:
    case Algorithm::kHmacSha256:
    case Algorithm::kHmacSha384:
    case Algorithm::kHmacSha512:
    case Algorithm::kSha256:
    case Algorithm::kJwt:
    case Algorithm::kToken:
    case Algorithm::kBasic:
      break;
  }
  return SharedSecret(proof.key);
}

VectorRow RowOf(const Kind& kind) {
  VectorRow row;
  row.provider = kind.name;
  row.name = "valid";
  row.method = "POST";
  row.target = "/webhooks/" + kind.name;
  row.url = "https://example.com" + row.target;
  row.now_unix = kNowS;
  row.expected_valid = true;
  for (const source::ParameterRule& rule : kind.scheme->parameters) {
    if (rule.required) row.parameters.emplace_back(rule.name, "a-" + rule.name);
  }
  return row;
}

// Mailgun signs inside the body, and not the event.
VectorRow MailgunRow(const Kind& kind) {
  VectorRow row = RowOf(kind);
  row.secrets = {"a mailgun signing key"};
  const std::string token(50, 'a');
  const std::string time = std::to_string(kNowS);
  const source::HmacKey key(source::HashKind::kSha256, row.secrets.front());
  source::Hash message = key.Begin();
  message.Update(time + token);
  std::string signature;
  source::AppendHex(signature, key.Finish(message).view());
  row.headers = {{"Content-Type", "application/json"}};
  row.body = R"({"signature":{"timestamp":")" + time + R"(","token":")" + token + R"(","signature":")" +
             signature + R"("},"event-data":{"id":"evt_42","event":"delivered"}})";
  return row;
}

}  // namespace

std::vector<VectorRow> SignedRows() {
  std::vector<VectorRow> rows;
  for (const Kind& kind : source::Kinds()) {
    if (kind.name == "mailgun") {
      rows.push_back(MailgunRow(kind));
      continue;
    }
    const source::Scheme& scheme = *kind.scheme;
    const KeyPair keys = SecretsFor(scheme.proofs.front());
    VectorRow row = RowOf(kind);
    row.secrets = {keys.public_pem};
    row.body = source::SampleBody(scheme, kId, scheme.sample_type, kNowS, kBodyBytes);
    auto headers = source::Sign(scheme, {.secret = keys.private_pem,
                                         .body = row.body,
                                         .at_unix_s = kNowS,
                                         .id = kId,
                                         .type = scheme.sample_type,
                                         .url = row.url,
                                         .parameters = row.parameters});
    if (!headers) continue;  // keys that a provider keeps (Plaid), or a signature in the body (AWS SNS)
    row.headers = *std::move(headers);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace weir::vectors
