// JWT proofs: which algorithm counts, what the claims must say, and when. Tokens are made here with OpenSSL
// keys.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <memory>

#include "engine/source/encoding.h"
#include "engine/source/keyed_hash.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

std::string Base64Url(std::string_view text) {
  std::string out;
  AppendBase64(out, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
               Base64Form::kUrlUnpadded);
  return out;
}

std::string BodyHash(std::string_view body) {
  std::string out;
  AppendBase64(out, Sha256Of(body).view(), Base64Form::kPadded);
  return out;
}

std::string Hs256(std::string_view secret, std::string_view header, std::string_view payload) {
  std::string token = Base64Url(header) + "." + Base64Url(payload);
  const HmacKey key(HashKind::kSha256, secret);
  Hash message = key.Begin();
  message.Update(token);
  const Digest digest = key.Finish(message);
  token += '.';
  AppendBase64(token, digest.view(), Base64Form::kUrlUnpadded);
  return token;
}

constexpr std::string_view kSecret = "livekit-secret-0123456789abcdef";
constexpr std::string_view kHeader = R"({"alg":"HS256"})";
constexpr std::string_view kBody = R"({"event":"room_started","id":"EV_1"})";

Source LiveKit() {
  Source source = SourceOf("livekit", {std::string(kSecret)});
  source.parameters = {{"api_key", "APIkey"}};
  return source;
}

std::string Claims(std::string_view body, std::int64_t expires_s, std::string_view issuer = "APIkey",
                   std::string_view more = "") {
  return R"({"sha256":")" + BodyHash(body) + R"(","iss":")" + std::string(issuer) + R"(","exp":)" +
         std::to_string(expires_s) + std::string(more) + "}";
}

std::string AnswerToToken(const std::string& token, std::string_view body = kBody,
                          std::int64_t now_us = kNowUs) {
  OwnedRequest request;
  request.body = body;
  request.headers = {{"Content-Type", "application/webhook+json"}, {"Authorization", token}};
  return AnswerTo(LiveKit(), request, now_us);
}

TEST(Jwt, ATokenOverThisBodyIsAccepted) {
  EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, Claims(kBody, kNowS + 300))), "accepted");
}

TEST(Jwt, ATokenOverAnotherBodyIsInvalid) {
  EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, Claims("other", kNowS + 300))), "invalid_signature");
  EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, R"({"iss":"APIkey","exp":9999999999})")),
            "invalid_signature");
}

TEST(Jwt, TheTokenDoesNotChooseItsAlgorithm) {
  const std::string claims = Claims(kBody, kNowS + 300);
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"HS512"})", R"({"alg":"RS256"})", R"({"alg":"hs256"})",
        R"({"alg":"HS256","crit":["exp"]})", R"({"alg":"HS256","crit":"x"})"}) {
    EXPECT_EQ(AnswerToToken(Hs256(kSecret, header, claims)), "invalid_signature") << header;
  }
  EXPECT_EQ(AnswerToToken(Base64Url(R"({"alg":"none"})") + "." + Base64Url(claims) + "."),
            "invalid_signature");
}

TEST(Jwt, WhatIsNoTokenIsMalformed) {
  for (const char* token :
       {"", ".", "..", "a.b", "a.b.c.d", "!.!.!", "e30.e30.e30", "bnVsbA.e30.AA", "Bearer a.b.c"}) {
    EXPECT_EQ(AnswerToToken(token), "malformed_signature") << token;
  }
}

TEST(Jwt, TheIssuerMustBeTheConfiguredOne) {
  EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, Claims(kBody, kNowS + 300, "other"))), "invalid_signature");
}

TEST(Jwt, ExpiryAndNotBeforeHoldWithTheKindsLeeway) {
  const auto at_expiry = [](std::int64_t expires_s) {
    return AnswerToToken(Hs256(kSecret, kHeader, Claims(kBody, expires_s)));
  };
  EXPECT_EQ(at_expiry(kNowS - 9), "accepted");
  EXPECT_EQ(at_expiry(kNowS - 10), "stale_timestamp");
  const auto not_before = [](std::int64_t at) {
    return AnswerToToken(
        Hs256(kSecret, kHeader, Claims(kBody, kNowS + 300, "APIkey", ",\"nbf\":" + std::to_string(at))));
  };
  EXPECT_EQ(not_before(kNowS + 10), "accepted");
  EXPECT_EQ(not_before(kNowS + 11), "stale_timestamp");
}

TEST(Jwt, ATokenWithoutExpiryOrWithAnOddOneIsInvalid) {
  const std::string hash = BodyHash(kBody);
  for (const char* expiry : {"", R"(,"exp":"soon")", R"(,"exp":-1)", R"(,"exp":1e30)", R"(,"exp":{})"}) {
    const std::string claims = R"({"sha256":")" + hash + R"(","iss":"APIkey")" + expiry + "}";
    EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, claims)), "invalid_signature") << expiry;
  }
}

// RFC 7519 §2, NumericDate: a JSON number of seconds. Whatever else stands there bounds nothing.
TEST(Jwt, ATimeThatIsNoNumberOfSecondsIsInvalid) {
  for (const char* claim : {"nbf", "iat"}) {
    for (const char* value : {R"("1767225600")", R"("")", "true", "null", "{}", "[1767225600]", "-1", "1e30",
                              "99999999999999999999", "9223372036854775807", "1767225600000"}) {
      const std::string more = ",\"" + std::string(claim) + "\":" + value;
      EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, Claims(kBody, kNowS + 300, "APIkey", more))),
                "invalid_signature")
          << more;
    }
  }
  for (const char* value : {R"("1767225900")", "true", "null", "[]", "1767225900000"}) {
    const std::string claims =
        R"({"sha256":")" + BodyHash(kBody) + R"(","iss":"APIkey","exp":)" + value + "}";
    EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, claims)), "invalid_signature") << value;
  }
}

TEST(Jwt, ATimeMayHaveAFractionOrAnExponent) {
  for (const char* value : {"1767225599.75", "1.767225599e9", "0"}) {
    const std::string more = std::string(",\"nbf\":") + value;
    EXPECT_EQ(AnswerToToken(Hs256(kSecret, kHeader, Claims(kBody, kNowS + 300, "APIkey", more))), "accepted")
        << value;
  }
}

// A P-256 key pair, as JWK and as signer.
class P256 {
 public:
  P256() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {}

  std::string Jwk(std::string_view key_id) const {
    return R"({"kty":"EC","crv":"P-256","kid":")" + std::string(key_id) + R"(","x":")" +
           Coordinate(OSSL_PKEY_PARAM_EC_PUB_X) + R"(","y":")" + Coordinate(OSSL_PKEY_PARAM_EC_PUB_Y) + "\"}";
  }

  std::string Token(std::string_view header, std::string_view payload) const {
    std::string token = Base64Url(header) + "." + Base64Url(payload);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::array<unsigned char, 80> der{};
    std::size_t size = der.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context.get(), der.data(), &size, reinterpret_cast<const unsigned char*>(token.data()),
                   token.size());
    const unsigned char* at = der.data();
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
    std::string raw(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + 32, 32);
    return token + "." + Base64Url(raw);
  }

 private:
  std::string Coordinate(const char* name) const {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &number);
    std::string bytes(32, '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), 32);
    BN_free(number);
    return Base64Url(bytes);
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

std::string PlaidClaims(std::int64_t issued_s) {
  std::string hash;
  AppendHex(hash, Sha256Of(kBody).view());
  return R"({"iat":)" + std::to_string(issued_s) + R"(,"request_body_sha256":")" + hash + "\"}";
}

std::string AnswerOfPlaid(std::vector<std::string> keys, const std::string& token) {
  OwnedRequest request;
  request.body = kBody;
  request.headers = {{"Plaid-Verification", token}};
  return AnswerTo(SourceOf("plaid", std::move(keys)), request);
}

TEST(Jwt, Es256WithAWebKey) {
  const P256 key;
  const std::string header = R"({"alg":"ES256","kid":"k1","typ":"JWT"})";
  EXPECT_EQ(AnswerOfPlaid({key.Jwk("k1")}, key.Token(header, PlaidClaims(kNowS))), "accepted");
  EXPECT_EQ(AnswerOfPlaid({P256().Jwk("k1")}, key.Token(header, PlaidClaims(kNowS))), "invalid_signature");
}

TEST(Jwt, AnUnknownKeyIsAKeyThatCannotBeHadRightNow) {
  const P256 key;
  const std::string header = R"({"alg":"ES256","kid":"k2"})";
  EXPECT_EQ(AnswerOfPlaid({key.Jwk("k1")}, key.Token(header, PlaidClaims(kNowS))), "key_unavailable");
  EXPECT_EQ(AnswerOfPlaid({key.Jwk("k1"), key.Jwk("k2")}, key.Token(header, PlaidClaims(kNowS))), "accepted");
}

TEST(Jwt, TheAgeOfATokenIsBounded) {
  const P256 key;
  const std::string header = R"({"alg":"ES256","kid":"k1"})";
  EXPECT_EQ(AnswerOfPlaid({key.Jwk("k1")}, key.Token(header, PlaidClaims(kNowS - 300))), "accepted");
  EXPECT_EQ(AnswerOfPlaid({key.Jwk("k1")}, key.Token(header, PlaidClaims(kNowS - 301))), "stale_timestamp");
  EXPECT_EQ(AnswerOfPlaid({key.Jwk("k1")}, key.Token(header, PlaidClaims(kNowS + 31))), "stale_timestamp");
}

}  // namespace
}  // namespace weir::source
