// The secrets of the sources, keyed for their proofs: once per source and thread, and again when a reload
// changed them.
//
// Internal to engine/source. One a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/source/certificate.h"
#include "engine/source/secret_key.h"
#include "engine/source/source.h"

namespace weir::source {

struct KeyedSecret {
  std::uint32_t index;  // of Source::secrets
  SecretKey key;
  Validity validity = {};   // of a certificate's key
  bool vouched_for = true;  // where the kind wants a certificate to be
};

struct KeyedSource {
  std::uint64_t epoch = 0;
  std::vector<std::vector<KeyedSecret>> proofs;  // proofs[i]: the secrets that are for scheme.proofs[i]
  std::vector<std::pair<std::string, KeyedSecret>> certificates;  // by name
};

class KeyRing {
 public:
  KeyRing();
  const KeyedSource& For(const Source& source);
  // Drops what was keyed for other tables.
  void Retain(const SourceTable& table);

 private:
  LibraryContext library_;
  std::vector<std::unique_ptr<KeyedSource>> by_index_;
};

KeyedSource KeySource(const Source& source, OSSL_LIB_CTX* library);

}  // namespace weir::source
