// Public keys in the shapes providers print them, and signatures checked against them (OpenSSL EVP).
//
// Internal to engine/source: OpenSSL stays behind it. A key belongs to the thread whose library context it
// was made in, so that no reference count or method store is shared between cores.
#pragma once

#include <openssl/evp.h>
#include <openssl/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/source/scheme.h"

namespace weir::source {

struct FreeOpenSsl {
  void operator()(OSSL_LIB_CTX* p) const;
  void operator()(EVP_PKEY* p) const;
  void operator()(EVP_MD_CTX* p) const;
};
using LibraryContext = std::unique_ptr<OSSL_LIB_CTX, FreeOpenSsl>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;

enum class PublicKeyKind : std::uint8_t { kEd25519, kP256, kRsa };

class PublicKey {
 public:
  // `text` is PEM (public key or certificate), a JWK, hex or base64: of the 32 raw bytes for Ed25519, of the
  // DER SubjectPublicKeyInfo otherwise. The error never contains the text.
  static std::expected<PublicKey, std::string> Parse(PublicKeyKind kind, KeyText form, std::string_view text,
                                                     OSSL_LIB_CTX* library);
  // From a key that is already parsed, such as a certificate's; it must be of the kind.
  static std::expected<PublicKey, std::string> FromHandle(PublicKeyKind kind, KeyHandle key,
                                                          OSSL_LIB_CTX* library);

  // `digest`: "SHA256", "SHA1"; nullptr for Ed25519. Signatures: 64 bytes for Ed25519, ASN.1 DER for P-256,
  // PKCS#1 v1.5.
  bool Verify(const char* digest, std::string_view message, std::span<const std::uint8_t> signature) const;

  // A JWS ES256 signature: R and S of 32 bytes each (RFC 7518 §3.4).
  bool VerifyRaw(std::string_view message, std::span<const std::uint8_t> r_and_s) const;

  const std::string& key_id() const { return key_id_; }  // a JWK's kid; empty otherwise

 private:
  PublicKey(KeyHandle key, OSSL_LIB_CTX* library);

  KeyHandle key_;
  std::unique_ptr<EVP_MD_CTX, FreeOpenSsl> context_;
  OSSL_LIB_CTX* library_;
  std::string key_id_;
};

// The other side, for Sign: `pem` is a private key. Ed25519, P-256 (DER) or RSA by the key itself.
std::expected<std::string, std::string> SignWithPrivateKey(std::string_view pem, const char* digest,
                                                           std::string_view message);

}  // namespace weir::source
