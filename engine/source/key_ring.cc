#include "engine/source/key_ring.h"

#include <openssl/crypto.h>

#include "engine/source/scheme.h"

namespace weir::source {

KeyedSource KeySource(const Source& source, OSSL_LIB_CTX* library) {
  KeyedSource keyed;
  keyed.epoch = source.secrets_epoch;
  for (const Proof& proof : source.scheme->proofs) {
    auto& keys = keyed.proofs.emplace_back();
    for (std::size_t i = 0; i < source.secrets.size(); ++i) {
      if (!IsFor(proof, source.secrets[i], i)) continue;
      // A secret that cannot be used was a configuration error (ProblemsOf); here it merely matches nothing.
      auto key = PrepareSecret(proof, source.secrets[i], library);
      if (key) keys.push_back({static_cast<std::uint32_t>(i), *std::move(key)});
    }
  }
  for (const auto& [name, pem] : source.certificates) {
    auto key = PublicKey::Parse(PublicKeyKind::kRsa, KeyText::kPem, pem, library);
    if (!key) continue;
    keyed.certificates.emplace_back(
        name,
        KeyedSecret{.index = 0,
                    .key = SecretKey(*std::move(key)),
                    .validity = ValidityOf(pem).value_or(Validity{}),
                    .vouched_for = !WantsChains(*source.scheme) || IsOwn(pem) || ChainProblem(pem).empty()});
  }
  return keyed;
}

KeyRing::KeyRing() : library_(OSSL_LIB_CTX_new()) {}

const KeyedSource& KeyRing::For(const Source& source) {
  if (source.index >= by_index_.size()) by_index_.resize(source.index + 1);
  std::unique_ptr<KeyedSource>& place = by_index_[source.index];
  // Epoch 0 is a source that no table has numbered; nothing tells it from the next such source.
  if (!place || source.secrets_epoch == 0 || place->epoch != source.secrets_epoch) {
    place = std::make_unique<KeyedSource>(KeySource(source, library_.get()));
  }
  return *place;
}

void KeyRing::Retain(const SourceTable& table) {
  for (std::size_t i = 0; i < by_index_.size(); ++i) {
    if (!by_index_[i]) continue;
    const bool kept = i < table.sources().size() && table.sources()[i].secrets_epoch == by_index_[i]->epoch;
    if (!kept) by_index_[i].reset();
  }
}

}  // namespace weir::source
