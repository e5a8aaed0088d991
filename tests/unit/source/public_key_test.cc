// Keys in the shapes providers print them, through the kinds that use them.
#include "engine/source/public_key.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "engine/source/encoding.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key Generate(const char* type) {
  return {EVP_PKEY_Q_keygen(nullptr, nullptr, type), EVP_PKEY_free};
}

std::string PrivatePem(const Key& key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::vector<std::uint8_t> RawPublic(const Key& key) {
  std::vector<std::uint8_t> bytes(32);
  std::size_t size = bytes.size();
  EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size);
  return bytes;
}

std::vector<std::uint8_t> Spki(const Key& key) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(i2d_PUBKEY(key.get(), nullptr)));
  unsigned char* at = bytes.data();
  i2d_PUBKEY(key.get(), &at);
  return bytes;
}

std::string Base64(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  AppendBase64(text, bytes, Base64Form::kPadded);
  return text;
}

std::string Hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  AppendHex(text, bytes);
  return text;
}

// Signs with the private key, verifies with `secret`.
std::string RoundTrip(std::string_view kind, const Key& key, std::string secret, std::string body) {
  Source sender = SourceOf(kind, {PrivatePem(key)});
  const OwnedRequest request = Signed(sender, std::move(body));
  return AnswerTo(SourceOf(kind, {std::move(secret)}), request);
}

TEST(PublicKeys, DiscordPrintsHex) {
  const Key key = Generate("ED25519");
  const std::string body = R"({"id":"1","type":2})";
  EXPECT_EQ(RoundTrip("discord", key, Hex(RawPublic(key)), body), "accepted");
  EXPECT_EQ(RoundTrip("discord", key, Hex(RawPublic(Generate("ED25519"))), body), "invalid_signature");
}

TEST(PublicKeys, TelnyxPrintsBase64OfTheBareKey) {
  const Key key = Generate("ED25519");
  EXPECT_EQ(RoundTrip("telnyx", key, Base64(RawPublic(key)), R"({"data":{"id":"1","event_type":"t"}})"),
            "accepted");
}

TEST(PublicKeys, SendGridPrintsBase64OfDer) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  EXPECT_EQ(RoundTrip("sendgrid", key, Base64(Spki(key)), R"([{"sg_event_id":"1","event":"processed"}])"),
            "accepted");
}

TEST(PublicKeys, StandardWebhooksAsymmetricKeysServeOnlyTheirVersion) {
  const Key key = Generate("ED25519");
  const std::string secret = "whpk_" + Base64(RawPublic(key));
  const Source source = SourceOf("standard-webhooks", {secret});
  OwnedRequest request;
  request.body = R"({"type":"t"})";
  const std::string text = "msg_1." + std::to_string(kNowS) + "." + request.body;
  const std::string signature = *SignWithPrivateKey(PrivatePem(key), nullptr, text);
  const std::string encoded =
      Base64({reinterpret_cast<const std::uint8_t*>(signature.data()),
              reinterpret_cast<const std::uint8_t*>(signature.data()) + signature.size()});
  request.headers = {{"webhook-id", "msg_1"},
                     {"webhook-timestamp", std::to_string(kNowS)},
                     {"webhook-signature", "v1,AAAA v1a," + encoded}};
  EXPECT_EQ(AnswerTo(source, request), "accepted");
  request.headers[2].second = "v1," + encoded;
  EXPECT_NE(AnswerTo(source, request), "accepted");
}

TEST(PublicKeys, AKeyOfAnotherKindIsNamedAsAProblem) {
  const Key rsa(EVP_RSA_gen(2048), EVP_PKEY_free);
  const Key p384(EVP_EC_gen("P-384"), EVP_PKEY_free);
  EXPECT_EQ(ProblemsOf(SourceOf("sendgrid", {Base64(Spki(rsa))})).at(0),
            "secrets[0] is not a P-256 public key");
  EXPECT_EQ(ProblemsOf(SourceOf("sendgrid", {Base64(Spki(p384))})).at(0),
            "secrets[0] is not a P-256 public key");
  EXPECT_EQ(ProblemsOf(SourceOf("discord", {"00ff"})).at(0),
            "secrets[0] is not an Ed25519 public key (32 bytes)");
  EXPECT_EQ(ProblemsOf(SourceOf("discord", {"not hex at all"})).at(0), "secrets[0] is not hexadecimal");
  const Key weak(EVP_RSA_gen(1024), EVP_PKEY_free);
  EXPECT_EQ(ProblemsOf(SourceOf("sns", {Base64(Spki(weak))})).size(), 1U);
}

}  // namespace
}  // namespace weir::source
