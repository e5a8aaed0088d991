// HMAC (RFC 2104) over SHA-1 and SHA-2, keyed once: the two padded blocks are hashed when the key is set, and
// a message starts from a copy of that state. OpenSSL's block functions are called directly because its
// EVP_MAC duplicates two digest contexts on the heap for every message, which at 1 KiB costs a third of the
// hash itself (bench/verify_bench.cc measures both, and a test holds them to the same answers).
//
// Internal to engine/source: OpenSSL stays behind it.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::source {

enum class HashKind : std::uint8_t { kSha1, kSha256, kSha384, kSha512 };

inline constexpr std::size_t kHashBytesMax = SHA512_DIGEST_LENGTH;
std::size_t HashBytes(HashKind kind);

struct Digest {
  std::array<std::uint8_t, kHashBytesMax> bytes;
  std::size_t size = 0;
  std::span<const std::uint8_t> view() const { return {bytes.data(), size}; }
};

// A running hash. Copying one copies its state.
class Hash {
 public:
  explicit Hash(HashKind kind);
  void Update(std::string_view bytes);
  Digest Finish();
  HashKind kind() const { return kind_; }

 private:
  HashKind kind_;
  union {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
  } state_;
};

Digest Sha256Of(std::string_view bytes);

// Immutable once keyed; holds what is as good as the key, so it cleanses itself.
class HmacKey {
 public:
  HmacKey(HashKind kind, std::string_view key);
  HmacKey(const HmacKey&) = default;
  HmacKey& operator=(const HmacKey&) = default;
  ~HmacKey();

  Hash Begin() const { return inner_; }
  Digest Finish(Hash& message) const;

 private:
  Hash inner_;
  Hash outer_;
};

// Constant time in the contents; different lengths are simply different.
bool SameBytes(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

}  // namespace weir::source
