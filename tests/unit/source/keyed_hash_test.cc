#include "engine/source/keyed_hash.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <string>

#include "engine/source/encoding.h"

namespace weir::source {
namespace {

// OpenSSL's own HMAC, as its documentation has it.
std::string EvpMac(const char* digest, std::string_view key, std::string_view message) {
  std::array<unsigned char, 64> out{};
  std::size_t size = 0;
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                                                              EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(mac.get()),
                                                                          EVP_MAC_CTX_free);
  std::string name = digest;
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                                   OSSL_PARAM_construct_end()};
  EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), parameters);
  EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(message.data()), message.size());
  EVP_MAC_final(context.get(), out.data(), &size, out.size());
  std::string text;
  AppendHex(text, {out.data(), size});
  return text;
}

std::string Ours(HashKind kind, std::string_view key, std::string_view message) {
  const HmacKey hmac(kind, key);
  Hash running = hmac.Begin();
  running.Update(message.substr(0, message.size() / 3));
  running.Update(message.substr(message.size() / 3));
  std::string text;
  AppendHex(text, hmac.Finish(running).view());
  return text;
}

TEST(KeyedHash, AgreesWithEvpMacForEveryHashKeyLengthAndMessageLength) {
  const std::pair<HashKind, const char*> kinds[] = {{HashKind::kSha1, "SHA1"},
                                                    {HashKind::kSha256, "SHA256"},
                                                    {HashKind::kSha384, "SHA384"},
                                                    {HashKind::kSha512, "SHA512"}};
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes.push_back(static_cast<char>(i * 7));
  for (const auto& [kind, name] : kinds) {
    for (const std::size_t key_size : {1, 32, 63, 64, 65, 127, 128, 129, 200}) {
      for (const std::size_t message_size : {0, 1, 55, 56, 64, 111, 112, 128, 300}) {
        const auto key = std::string_view(bytes).substr(0, key_size);
        const auto message = std::string_view(bytes).substr(0, message_size);
        EXPECT_EQ(Ours(kind, key, message), EvpMac(name, key, message))
            << name << key_size << " " << message_size;
      }
    }
  }
}

TEST(KeyedHash, AKeyServesAnyNumberOfMessages) {
  const HmacKey hmac(HashKind::kSha256, "key");
  Hash first = hmac.Begin();
  first.Update("one");
  const Digest once = hmac.Finish(first);
  Hash other = hmac.Begin();
  other.Update("two");
  (void)hmac.Finish(other);
  Hash again = hmac.Begin();
  again.Update("one");
  EXPECT_TRUE(SameBytes(once.view(), hmac.Finish(again).view()));
}

TEST(KeyedHash, BytesOfDifferentLengthDiffer) {
  const std::array<std::uint8_t, 2> a = {1, 2};
  EXPECT_TRUE(SameBytes(a, a));
  EXPECT_FALSE(SameBytes(a, std::span(a).first(1)));
}

}  // namespace
}  // namespace weir::source
