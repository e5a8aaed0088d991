// One client connection as the shard sees it: its state, what the kernel holds of it, and where its answers
// stand. Small, because ten thousand of them may be idle: bytes of a request that arrives in pieces, answers
// in the making and send buffers are borrowed only while there are any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/ingest/partial_request.h"

namespace weir::ingest {

inline constexpr std::uint32_t kNoIndex = 0xFFFFFFFFu;

struct Connection {
  enum class State : std::uint8_t {
    kFree,       // no descriptor; the slot may be taken
    kServing,    // requests are read and answered
    kAnswering,  // no further request is read; what is owed is still answered -> kLingering, or kClosing if
                 // the peer is done
    kLingering,  // all answered and our side shut down; what still comes is discarded until the peer closes
                 // -> kClosing
    kClosing,    // operations are cancelled; once the kernel has given all of them back the descriptor is
                 // closed -> kFree
  };

  int fd = -1;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  State state = State::kFree;

  // True exactly while the kernel holds such an operation of this connection.
  bool receive_in_flight = false;
  bool send_in_flight = false;
  bool close_in_flight = false;
  std::uint8_t cancels_in_flight = 0;

  bool starved = false;  // on the list of those waiting for a receive buffer
  bool paused = false;   // as many requests in the works as may be; reads no further until some are answered
  bool peer_closed = false;  // nothing more will come
  bool answer_due = false;   // on the list of those with something to write

  // Answers owed, in the order of their requests: a list in PendingAnswers.
  std::uint16_t pending_count = 0;
  std::uint32_t first_pending = kNoIndex;
  std::uint32_t last_pending = kNoIndex;

  std::uint32_t sent_bytes = 0;       // of `sending` that have gone out
  std::uint32_t discarded_bytes = 0;  // while lingering
  std::unique_ptr<std::string> sending;
  std::unique_ptr<PartialRequest> partial;

  std::int64_t last_active_ms = 0;     // bytes came in or an answer went out
  std::int64_t phase_deadline_ms = 0;  // of the head, the body or the lingering; 0 = none runs
  std::int64_t send_started_ms = 0;

  // Nothing of a request is here and no answer is owed: closing it costs the peer a reconnect and nothing else.
  bool idle() const {
    return state == State::kServing && partial == nullptr && pending_count == 0 && !send_in_flight;
  }
  bool in_flight() const {
    return receive_in_flight || send_in_flight || cancels_in_flight > 0 || close_in_flight;
  }
};

// Slots, reused last in first out so that few of them are warm. Allocated in blocks: a pointer to one stays
// valid.
class ConnectionTable {
 public:
  explicit ConnectionTable(std::size_t capacity) : capacity_(capacity) {}

  // nullptr when all slots are taken. The slot is in state kServing with nothing in flight.
  Connection* Take(int fd);
  // Nothing may be in flight. Moves the generation on, so that a late completion of this use is recognised.
  void Release(Connection& connection);

  Connection& operator[](std::uint32_t slot) { return blocks_[slot / kBlock][slot % kBlock]; }
  std::size_t open() const { return open_; }
  std::size_t slots() const { return slots_; }  // ever used; every open connection is below

 private:
  static constexpr std::size_t kBlock = 256;
  std::size_t capacity_;
  std::size_t open_ = 0;
  std::size_t slots_ = 0;
  std::vector<std::unique_ptr<Connection[]>> blocks_;
  std::vector<std::uint32_t> free_;
};

}  // namespace weir::ingest
