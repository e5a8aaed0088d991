#include "engine/source/key_set.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <string_view>

#include "engine/limits.h"
#include "engine/source/json_reader.h"
#include "engine/source/secret_key.h"
#include "storage/check.h"

namespace weir::source {
namespace {

constexpr std::size_t kKeysPerSetMax = 64;

bool TakesJwk(const Proof& proof) {
  return proof.key.text == KeyText::kJwk;
}

bool IsUsable(const Scheme& scheme, std::string_view key, OSSL_LIB_CTX* library) {
  return std::ranges::any_of(scheme.proofs, [&](const Proof& proof) {
    return TakesJwk(proof) && IsFor(proof, key, 0) && PrepareSecret(proof, key, library).has_value();
  });
}

// Empty: not a set.
std::vector<std::string> KeysOf(const Scheme& scheme, std::string_view text) {
  std::string padded(text);
  padded.append(limits::kJsonPaddingBytes, ' ');
  JsonReader reader;
  std::vector<std::string_view> keys;
  if (!reader.Open({padded.data(), text.size()}) ||
      !reader.Elements(JsonPointer{{"keys"}}, kKeysPerSetMax, keys)) {
    return {};
  }
  const LibraryContext library(OSSL_LIB_CTX_new());
  std::vector<std::string> usable;
  for (const std::string_view key : keys) {
    if (IsUsable(scheme, key, library.get())) usable.emplace_back(key);
  }
  return usable;
}

}  // namespace

void SplitKeySets(const Scheme& scheme, std::vector<std::string>& secrets, std::vector<std::string>& names) {
  WEIR_CHECK(names.size() == secrets.size());
  if (std::ranges::none_of(scheme.proofs, TakesJwk)) return;
  std::vector<std::string> split;
  std::vector<std::string> split_names;
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    std::vector<std::string> keys;
    if (secrets[i].starts_with('{')) keys = KeysOf(scheme, secrets[i]);
    if (keys.empty()) keys.push_back(std::move(secrets[i]));
    split_names.insert(split_names.end(), keys.size(), names[i]);
    std::ranges::move(keys, std::back_inserter(split));
  }
  secrets = std::move(split);
  names = std::move(split_names);
}

}  // namespace weir::source
