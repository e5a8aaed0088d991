#include "engine/source/public_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <vector>

#include "engine/source/encoding.h"
#include "engine/source/jwk.h"

namespace weir::source {
namespace {

constexpr std::size_t kEd25519KeyBytes = 32;
constexpr std::size_t kP256PartBytes = 32;
constexpr int kRsaBitsMin = 2048;

struct FreeBio {
  void operator()(BIO* p) const { BIO_free(p); }
};
struct FreeCertificate {
  void operator()(X509* p) const { X509_free(p); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio ReadOnly(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

KeyHandle FromPem(std::string_view text, OSSL_LIB_CTX* library) {
  if (text.find("BEGIN CERTIFICATE") != std::string_view::npos) {
    const std::unique_ptr<X509, FreeCertificate> certificate(
        PEM_read_bio_X509(ReadOnly(text).get(), nullptr, nullptr, nullptr));
    return KeyHandle(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
  }
  return KeyHandle(PEM_read_bio_PUBKEY_ex(ReadOnly(text).get(), nullptr, nullptr, nullptr, library, nullptr));
}

KeyHandle FromBytes(PublicKeyKind kind, const std::vector<std::uint8_t>& bytes, OSSL_LIB_CTX* library) {
  if (kind == PublicKeyKind::kEd25519 && bytes.size() == kEd25519KeyBytes) {
    return KeyHandle(EVP_PKEY_new_raw_public_key_ex(library, "ED25519", nullptr, bytes.data(), bytes.size()));
  }
  const unsigned char* at = bytes.data();
  return KeyHandle(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(bytes.size()), library, nullptr));
}

bool IsOfKind(PublicKeyKind kind, const EVP_PKEY* key) {
  switch (kind) {
    case PublicKeyKind::kEd25519:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
    case PublicKeyKind::kP256: {
      std::array<char, 32> group{};
      std::size_t size = 0;
      return EVP_PKEY_is_a(key, "EC") == 1 &&
             EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
             (std::string_view(group.data(), size) == "prime256v1" ||
              std::string_view(group.data(), size) == "P-256");
    }
    case PublicKeyKind::kRsa:
      return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= kRsaBitsMin;
  }
  return false;
}

std::string_view KindText(PublicKeyKind kind) {
  switch (kind) {
    case PublicKeyKind::kEd25519:
      return "an Ed25519 public key (32 bytes)";
    case PublicKeyKind::kP256:
      return "a P-256 public key";
    case PublicKeyKind::kRsa:
      return "an RSA public key or certificate of at least 2048 bits";
  }
  return {};
}

}  // namespace

void FreeOpenSsl::operator()(OSSL_LIB_CTX* p) const {
  OSSL_LIB_CTX_free(p);
}
void FreeOpenSsl::operator()(EVP_PKEY* p) const {
  EVP_PKEY_free(p);
}
void FreeOpenSsl::operator()(EVP_MD_CTX* p) const {
  EVP_MD_CTX_free(p);
}

PublicKey::PublicKey(KeyHandle key, OSSL_LIB_CTX* library)
    : key_(std::move(key)), context_(EVP_MD_CTX_new()), library_(library) {}

std::expected<PublicKey, std::string> PublicKey::FromHandle(PublicKeyKind kind, KeyHandle key,
                                                            OSSL_LIB_CTX* library) {
  if (!key || !IsOfKind(kind, key.get())) {
    ERR_clear_error();
    return std::unexpected("is not " + std::string(KindText(kind)));
  }
  return PublicKey(std::move(key), library);
}

std::expected<PublicKey, std::string> PublicKey::Parse(PublicKeyKind kind, KeyText form,
                                                       std::string_view text, OSSL_LIB_CTX* library) {
  if (text.starts_with("-----BEGIN")) return FromHandle(kind, FromPem(text, library), library);
  std::vector<std::uint8_t> bytes;
  switch (form) {
    case KeyText::kJwk: {
      auto jwk = ParseJwk(text);
      if (!jwk) return std::unexpected(jwk.error());
      auto key = FromHandle(kind, KeyFromJwk(*jwk, library), library);
      if (key) key->key_id_ = jwk->key_id;
      return key;
    }
    case KeyText::kHex: {
      bytes.resize(text.size() / 2);
      if (!DecodeHex(text, bytes, HexCase::kAny)) return std::unexpected("is not hexadecimal");
      break;
    }
    case KeyText::kUtf8:
    case KeyText::kBase64:
    case KeyText::kPem: {
      auto decoded = DecodeKeyBase64(text);
      if (!decoded) return std::unexpected("is neither PEM nor base64");
      bytes = *std::move(decoded);
      break;
    }
  }
  return FromHandle(kind, FromBytes(kind, bytes, library), library);
}

bool PublicKey::Verify(const char* digest, std::string_view message,
                       std::span<const std::uint8_t> signature) const {
  EVP_MD_CTX_reset(context_.get());
  const bool passed =
      EVP_DigestVerifyInit_ex(context_.get(), nullptr, digest, library_, nullptr, key_.get(), nullptr) == 1 &&
      EVP_DigestVerify(context_.get(), signature.data(), signature.size(),
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
  // A wrong signature leaves an entry in the thread's error queue, which nobody else would ever empty.
  if (!passed) ERR_clear_error();
  return passed;
}

bool PublicKey::VerifyRaw(std::string_view message, std::span<const std::uint8_t> r_and_s) const {
  if (r_and_s.size() != 2 * kP256PartBytes) return false;
  struct FreeSignature {
    void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
  };
  const std::unique_ptr<ECDSA_SIG, FreeSignature> parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(r_and_s.data(), kP256PartBytes, nullptr);
  BIGNUM* s = BN_bin2bn(r_and_s.data() + kP256PartBytes, kP256PartBytes, nullptr);
  if (ECDSA_SIG_set0(parts.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return false;
  }
  std::array<std::uint8_t, 80> der{};
  unsigned char* at = der.data();
  const int size = i2d_ECDSA_SIG(parts.get(), nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > der.size() || i2d_ECDSA_SIG(parts.get(), &at) != size)
    return false;
  return Verify("SHA256", message, {der.data(), static_cast<std::size_t>(size)});
}

std::expected<std::string, std::string> SignWithPrivateKey(std::string_view pem, const char* digest,
                                                           std::string_view message) {
  const KeyHandle key(PEM_read_bio_PrivateKey(ReadOnly(pem).get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_MD_CTX, FreeOpenSsl> context(EVP_MD_CTX_new());
  if (!key) return std::unexpected("the secret is not a private key in PEM");
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) != 1) {
    return std::unexpected("the private key cannot sign for this kind");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                     message.size()) != 1) {
    return std::unexpected("the private key cannot sign for this kind");
  }
  signature.resize(size);
  return signature;
}

}  // namespace weir::source
