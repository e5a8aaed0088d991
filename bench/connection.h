// One connection of the load: where it is, what is in the kernel, and which request it carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "bench/request_feed.h"
#include "engine/http/response_parser.h"

namespace weir::bench {

enum class ConnectionState : std::uint8_t {
  kDown,        // no socket; dialled again at retry_at_ns
  kConnecting,  // a connect is in the kernel
  kIdle,        // open, nothing asked
  kWaiting,     // a request is out
  kGivenUp,     // down for longer than the reconnect time; never dialled again
};
inline constexpr std::size_t kConnectionStates = 5;

struct Connection {
  ConnectionState state = ConnectionState::kDown;
  int fd = -1;
  std::uint32_t generation = 0;  // of this slot's socket; completions of an earlier one are dropped

  // The request in `bytes`, from the moment it is taken from the feed until its answer.
  char* bytes =
      nullptr;  // request_bytes_max() bytes, prepared; the kernel may read them while send_in_kernel
  std::size_t size = 0;
  SignedRequest request;
  std::int64_t intended_ns = 0;
  std::int64_t sent_ns = 0;
  bool send_in_kernel = false;  // only for requests whose send posts its completion
  std::uint64_t answers = 0;    // on this socket
  bool resend = false;          // unanswered on the last socket: goes out first on the next one

  // An answer that is not ScanAnswer's common case. Made when first needed.
  std::unique_ptr<http::ResponseParser> parser;
  bool in_parser = false;

  std::int64_t down_since_ns = 0;  // first failure since it last was open; 0 while open
  std::int64_t retry_at_ns = 0;    // kDown: when to dial; kConnecting: when it was dialled
  std::int64_t retry_gap_ns = 0;
};

}  // namespace weir::bench
