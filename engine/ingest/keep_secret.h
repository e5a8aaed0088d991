// Where a shard puts the secret that a sender hands over in a handshake (Asana, Notion). It happens once in
// the life of a source, so the shard waits for it: the sender may be told only of what is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace weir::ingest {

enum class SecretKept : std::uint8_t {
  kKept,    // durable, and in force in every shard
  kTaken,   // another one was handed over before
  kFailed,  // it could not be written
};

// Any shard's thread, several at once.
using KeepSecret = std::function<SecretKept(std::string_view source, std::string_view secret)>;

}  // namespace weir::ingest
