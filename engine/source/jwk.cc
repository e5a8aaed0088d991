#include "engine/source/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

#include "engine/limits.h"
#include "engine/source/encoding.h"
#include "engine/source/json_reader.h"

namespace weir::source {
namespace {

struct FreeBuilder {
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
};
struct FreeParameters {
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
};
struct FreeKeyContext {
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
};
struct FreeNumber {
  void operator()(BIGNUM* p) const { BN_free(p); }
};

KeyHandle Build(const char* type, OSSL_PARAM_BLD* builder, OSSL_LIB_CTX* library) {
  const std::unique_ptr<OSSL_PARAM, FreeParameters> parameters(OSSL_PARAM_BLD_to_param(builder));
  const std::unique_ptr<EVP_PKEY_CTX, FreeKeyContext> context(
      EVP_PKEY_CTX_new_from_name(library, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  }
  return KeyHandle(key);
}

KeyHandle EcKey(const Jwk& jwk, OSSL_LIB_CTX* library) {
  constexpr std::size_t kCoordinateBytes = 32;
  if (jwk.x.size() != kCoordinateBytes || jwk.y.size() != kCoordinateBytes) return nullptr;
  std::vector<std::uint8_t> point = {4};  // uncompressed (SEC 1 §2.3.3)
  point.insert(point.end(), jwk.x.begin(), jwk.x.end());
  point.insert(point.end(), jwk.y.begin(), jwk.y.end());
  const std::unique_ptr<OSSL_PARAM_BLD, FreeBuilder> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return Build("EC", builder.get(), library);
}

KeyHandle RsaKey(const Jwk& jwk, OSSL_LIB_CTX* library) {
  const std::unique_ptr<BIGNUM, FreeNumber> n(
      BN_bin2bn(jwk.n.data(), static_cast<int>(jwk.n.size()), nullptr));
  const std::unique_ptr<BIGNUM, FreeNumber> e(
      BN_bin2bn(jwk.e.data(), static_cast<int>(jwk.e.size()), nullptr));
  const std::unique_ptr<OSSL_PARAM_BLD, FreeBuilder> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return Build("RSA", builder.get(), library);
}

}  // namespace

std::expected<Jwk, std::string> ParseJwk(std::string_view text) {
  std::string padded(text);
  padded.append(limits::kJsonPaddingBytes, ' ');
  JsonReader reader;
  if (!reader.Open({padded.data(), text.size()})) return std::unexpected("is not a JSON Web Key");
  const auto text_of = [&](const char* name) {
    return std::string(reader.Value(JsonPointer{{name}}).value_or(std::string_view()));
  };
  const auto bytes_of = [&](const char* name) {
    return DecodeKeyBase64(text_of(name)).value_or(std::vector<std::uint8_t>());
  };
  Jwk jwk;
  jwk.type = text_of("kty");
  jwk.key_id = text_of("kid");
  jwk.x = bytes_of("x");
  jwk.y = bytes_of("y");
  jwk.n = bytes_of("n");
  jwk.e = bytes_of("e");
  if (jwk.type != "EC" && jwk.type != "RSA")
    return std::unexpected("is a JSON Web Key of a type other than EC and RSA");
  return jwk;
}

KeyHandle KeyFromJwk(const Jwk& jwk, OSSL_LIB_CTX* library) {
  return jwk.type == "EC" ? EcKey(jwk, library) : RsaKey(jwk, library);
}

}  // namespace weir::source
