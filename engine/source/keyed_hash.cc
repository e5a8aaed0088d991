// The block functions are deprecated in favour of EVP, not going away: they carry the same SHA-NI code
// without the heap.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "engine/source/keyed_hash.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "storage/check.h"

namespace weir::source {
namespace {

std::size_t BlockBytes(HashKind kind) {
  return kind == HashKind::kSha384 || kind == HashKind::kSha512 ? SHA512_CBLOCK : SHA256_CBLOCK;
}

}  // namespace

std::size_t HashBytes(HashKind kind) {
  switch (kind) {
    case HashKind::kSha1:
      return SHA_DIGEST_LENGTH;
    case HashKind::kSha256:
      return SHA256_DIGEST_LENGTH;
    case HashKind::kSha384:
      return SHA384_DIGEST_LENGTH;
    case HashKind::kSha512:
      return SHA512_DIGEST_LENGTH;
  }
  return 0;
}

Hash::Hash(HashKind kind) : kind_(kind) {
  switch (kind) {
    case HashKind::kSha1:
      SHA1_Init(&state_.sha1);
      break;
    case HashKind::kSha256:
      SHA256_Init(&state_.sha256);
      break;
    case HashKind::kSha384:
      SHA384_Init(&state_.sha512);
      break;
    case HashKind::kSha512:
      SHA512_Init(&state_.sha512);
      break;
  }
}

void Hash::Update(std::string_view bytes) {
  switch (kind_) {
    case HashKind::kSha1:
      SHA1_Update(&state_.sha1, bytes.data(), bytes.size());
      break;
    case HashKind::kSha256:
      SHA256_Update(&state_.sha256, bytes.data(), bytes.size());
      break;
    case HashKind::kSha384:
      SHA384_Update(&state_.sha512, bytes.data(), bytes.size());
      break;
    case HashKind::kSha512:
      SHA512_Update(&state_.sha512, bytes.data(), bytes.size());
      break;
  }
}

Digest Hash::Finish() {
  Digest digest;
  digest.size = HashBytes(kind_);
  switch (kind_) {
    case HashKind::kSha1:
      SHA1_Final(digest.bytes.data(), &state_.sha1);
      break;
    case HashKind::kSha256:
      SHA256_Final(digest.bytes.data(), &state_.sha256);
      break;
    case HashKind::kSha384:
      SHA384_Final(digest.bytes.data(), &state_.sha512);
      break;
    case HashKind::kSha512:
      SHA512_Final(digest.bytes.data(), &state_.sha512);
      break;
  }
  return digest;
}

Digest Sha256Of(std::string_view bytes) {
  Hash hash(HashKind::kSha256);
  hash.Update(bytes);
  return hash.Finish();
}

HmacKey::HmacKey(HashKind kind, std::string_view key) : inner_(kind), outer_(kind) {
  std::array<std::uint8_t, SHA512_CBLOCK> block{};
  const std::size_t block_bytes = BlockBytes(kind);
  if (key.size() > block_bytes) {
    Hash hash(kind);
    hash.Update(key);
    Digest digest = hash.Finish();
    std::ranges::copy(digest.view(), block.begin());
    OPENSSL_cleanse(digest.bytes.data(), digest.bytes.size());
  } else {
    std::ranges::copy(key, block.begin());
  }
  const std::string_view padded{reinterpret_cast<const char*>(block.data()), block_bytes};
  for (std::uint8_t& byte : block) byte ^= 0x36;
  inner_.Update(padded);
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  outer_.Update(padded);
  OPENSSL_cleanse(block.data(), block.size());
}

HmacKey::~HmacKey() {
  OPENSSL_cleanse(&inner_, sizeof inner_);
  OPENSSL_cleanse(&outer_, sizeof outer_);
}

Digest HmacKey::Finish(Hash& message) const {
  const Digest inner = message.Finish();
  Hash outer = outer_;
  outer.Update({reinterpret_cast<const char*>(inner.bytes.data()), inner.size});
  return outer.Finish();
}

bool SameBytes(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weir::source
