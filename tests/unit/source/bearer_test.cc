// Access tokens of senders that sign no body: the key must be known, and the token must be ours.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>

#include "engine/source/encoding.h"
#include "engine/source/key_set.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

std::string Base64Url(std::string_view text) {
  std::string out;
  AppendBase64(out, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
               Base64Form::kUrlUnpadded);
  return out;
}

class Rsa {
 public:
  Rsa() : key_(EVP_RSA_gen(2048), EVP_PKEY_free) {}

  std::string Jwk(std::string_view key_id) const {
    return R"({"kty":"RSA","use":"sig","kid":")" + std::string(key_id) + R"(","n":")" +
           Number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" + Number(OSSL_PKEY_PARAM_RSA_E) + "\"}";
  }

  std::string Token(std::string_view key_id, std::string_view payload,
                    std::string_view type = "RS256") const {
    const std::string header =
        R"({"alg":")" + std::string(type) + R"(","kid":")" + std::string(key_id) + "\"}";
    std::string token = Base64Url(header) + "." + Base64Url(payload);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string signature(256, '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(token.data()), token.size());
    return token + "." + Base64Url(signature);
  }

 private:
  std::string Number(const char* name) const {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &number);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(number);
    return Base64Url(bytes);
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

const Rsa& Entra() {
  static const Rsa key;
  return key;
}

std::string Claims(std::string_view audience, std::string_view issuer = "https://sts.windows.net/tenant/",
                   std::int64_t expires_s = kNowS + 600) {
  return R"({"aud":)" + std::string(audience) + R"(,"iss":")" + std::string(issuer) + R"(","exp":)" +
         std::to_string(expires_s) + "}";
}

Source Grid(std::vector<std::string> secrets) {
  Source source = SourceOf("event-grid", std::move(secrets));
  source.parameters = {{"audience", "app"}, {"issuer", "https://sts.windows.net/tenant/"}};
  return source;
}

std::string AnswerToBearer(const Source& source, const std::string& token) {
  OwnedRequest request;
  request.body = R"([{"id":"1","topic":"t","eventType":"x"}])";
  request.headers = {{"Authorization", "Bearer " + token}};
  return AnswerTo(source, request);
}

TEST(Bearer, ATokenForUsIsAccepted) {
  const Source grid = Grid({Entra().Jwk("k1")});
  EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k1", Claims(R"("app")"))), "accepted");
  EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k1", Claims(R"(["other","app"])"))), "accepted");
}

TEST(Bearer, ATokenForSomebodyElseIsNot) {
  const Source grid = Grid({Entra().Jwk("k1")});
  for (const char* audience : {R"("other")", R"(["other"])", "[]", R"({"0":"x"})", "null", "1", R"("")"}) {
    EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k1", Claims(audience))), "invalid_signature") << audience;
  }
  const std::string other_tenant = "https://sts.windows.net/other/";
  EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k1", Claims(R"("app")", other_tenant))), "invalid_signature");
  EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k1", R"({"aud":"app"})")), "invalid_signature");
}

TEST(Bearer, WithoutKnowingForWhomNoTokenIsAccepted) {
  Source grid = Grid({Entra().Jwk("k1")});
  grid.parameters = {{"issuer", "https://sts.windows.net/tenant/"}};
  EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k1", Claims(R"("")"))), "invalid_signature");
  EXPECT_EQ(ProblemsOf(grid).size(), 1U);
  EXPECT_TRUE(ProblemsOf(Grid({Entra().Jwk("k1")})).empty());
  EXPECT_TRUE(ProblemsOf(SourceOf("event-grid", {"a static token"})).empty());
}

TEST(Bearer, AnotherKeyIsInvalidAndAnUnknownOneCannotBeHadRightNow) {
  const Source grid = Grid({Entra().Jwk("k1")});
  EXPECT_EQ(AnswerToBearer(grid, Rsa().Token("k1", Claims(R"("app")"))), "invalid_signature");
  EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k2", Claims(R"("app")"))), "key_unavailable");
  EXPECT_EQ(AnswerToBearer(grid, Entra().Token("k1", Claims(R"("app")"), "HS256")), "invalid_signature");
}

TEST(Bearer, AnExpiredTokenIsStaleAndAnswered401BecauseA400WouldBeFinal) {
  const Source grid = Grid({Entra().Jwk("k1")});
  const std::string token =
      Entra().Token("k1", Claims(R"("app")", "https://sts.windows.net/tenant/", kNowS - 301));
  OwnedRequest request;
  request.headers = {{"Authorization", "Bearer " + token}};
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(grid, request.View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "stale_timestamp");
  EXPECT_EQ(std::get<Rejected>(verdict).status, 401);
}

TEST(Bearer, AStaticTokenIsNoKeyAndAKeyIsNoStaticToken) {
  EXPECT_EQ(AnswerToBearer(SourceOf("event-grid", {"static"}), Entra().Token("k1", Claims(R"("app")"))),
            "invalid_signature");
  const std::string jwk = Entra().Jwk("k1");
  OwnedRequest request;
  request.headers = {{"X-Webhook-Token", jwk}};
  EXPECT_NE(AnswerTo(Grid({jwk}), request), "accepted") << "the key is public";
  request.headers = {{"Authorization", jwk}};
  EXPECT_NE(AnswerTo(SourceOf("okta", {jwk}), request), "accepted") << "the key is public";
}

TEST(Bearer, OktaTakesEither) {
  Source okta = SourceOf("okta", {"Bearer static", Entra().Jwk("k1")});
  okta.parameters = {{"audience", "app"}, {"issuer", "https://sts.windows.net/tenant/"}};
  const auto answer = [&okta](std::string authorization) {
    OwnedRequest request;
    request.body = R"({"data":{"events":[]}})";
    request.headers = {{"Authorization", std::move(authorization)}};
    return AnswerTo(okta, request);
  };
  EXPECT_EQ(answer("Bearer static"), "accepted");
  EXPECT_EQ(answer("Bearer " + Entra().Token("k1", Claims(R"("app")"))), "accepted");
  EXPECT_EQ(answer("Bearer other"), "invalid_signature");
}

TEST(KeySet, IsAsGoodAsItsKeysOneByOne) {
  const Rsa second;
  std::vector<std::string> secrets = {"static", R"({"keys":[)" + Entra().Jwk("k1") +
                                                    R"(,{"kty":"OKP","crv":"Ed25519","x":"AA"}, )" +
                                                    second.Jwk("k2") + "]}"};
  const Source grid = Grid({});
  std::vector<std::string> names = {"one", "set"};
  SplitKeySets(*grid.scheme, secrets, names);
  EXPECT_EQ(names, (std::vector<std::string>{"one", "set", "set"}));
  EXPECT_EQ(secrets, (std::vector<std::string>{"static", Entra().Jwk("k1"), second.Jwk("k2")}));
  EXPECT_EQ(AnswerToBearer(Grid(secrets), second.Token("k2", Claims(R"("app")"))), "accepted");
}

TEST(KeySet, WithoutAUsableKeyStaysAndIsReported) {
  std::vector<std::string> secrets = {R"({"keys":[{"kty":"oct","k":"AA"}]})"};
  const Source grid = Grid({});
  std::vector<std::string> names = {"set"};
  SplitKeySets(*grid.scheme, secrets, names);
  ASSERT_EQ(secrets.size(), 1U);
  EXPECT_EQ(ProblemsOf(Grid(secrets)).size(), 1U);
}

TEST(KeySet, MeansNothingToKindsWithOtherKeys) {
  std::vector<std::string> secrets = {R"({"keys":[{"kty":"oct","k":"AA"}]})"};
  std::vector<std::string> names = {"set"};
  SplitKeySets(*FindKind("stripe")->scheme, secrets, names);
  EXPECT_EQ(secrets.size(), 1U);
}

}  // namespace
}  // namespace weir::source
