#include "engine/source/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <ctime>
#include <memory>

namespace weir::source {
namespace {

struct Free {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  void operator()(STACK_OF(X509) * p) const { sk_X509_pop_free(p, X509_free); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;

Bio ReadOnly(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate Next(const Bio& bio) {
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  // The end of the text leaves an entry in the thread's error queue, which nobody else would ever empty.
  if (!certificate) ERR_clear_error();
  return certificate;
}

std::optional<std::int64_t> UnixTime(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return std::nullopt;
  return ::timegm(&broken_down);
}

}  // namespace

std::optional<Validity> ValidityOf(std::string_view pem) {
  const Certificate certificate = Next(ReadOnly(pem));
  if (!certificate) return std::nullopt;
  const auto from_s = UnixTime(X509_get0_notBefore(certificate.get()));
  const auto until_s = UnixTime(X509_get0_notAfter(certificate.get()));
  if (!from_s || !until_s) return std::nullopt;
  return Validity{.from_s = *from_s, .until_s = *until_s};
}

bool IsOwn(std::string_view pem) {
  const Certificate certificate = Next(ReadOnly(pem));
  const bool own = certificate && X509_self_signed(certificate.get(), 1) == 1;
  ERR_clear_error();
  return own;
}

std::string ChainProblem(std::string_view pem) {
  const Bio bio = ReadOnly(pem);
  const Certificate leaf = Next(bio);
  if (!leaf) return {};
  const std::unique_ptr<STACK_OF(X509), Free> others(sk_X509_new_null());
  while (Certificate other = Next(bio)) sk_X509_push(others.get(), other.release());
  const std::unique_ptr<X509_STORE, Free> authorities(X509_STORE_new());
  X509_STORE_set_default_paths(authorities.get());
  ERR_clear_error();  // a machine without authorities
  const std::unique_ptr<X509_STORE_CTX, Free> check(X509_STORE_CTX_new());
  X509_STORE_CTX_init(check.get(), authorities.get(), leaf.get(), others.get());
  X509_STORE_CTX_set_flags(check.get(), X509_V_FLAG_NO_CHECK_TIME);
  const bool vouched_for = X509_verify_cert(check.get()) == 1;
  ERR_clear_error();
  if (vouched_for) return {};
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
}

}  // namespace weir::source
