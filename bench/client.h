// One thread of load: one ring, its share of the connections, one request out on each at most.
//
// Closed loop (rate 0): a connection sends its next request as soon as it has its answer. Open loop: requests
// fall due on a schedule that does not care about answers; when every connection is busy they wait, and their
// response time includes that.
//
//   kDown -> kConnecting -> kIdle <-> kWaiting      any of them -> kDown, and after too long there -> kGivenUp
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/arrivals.h"
#include "bench/connection.h"
#include "bench/endpoint.h"
#include "bench/meter.h"
#include "bench/request_feed.h"
#include "engine/io/buffer_ring.h"
#include "engine/io/ring.h"

namespace weir::bench {

struct ClientOptions {
  Endpoint endpoint;
  std::size_t connections = 1;
  std::uint64_t requests_per_connection = 0;  // 0: no limit
  double rate_per_s = 0;                      // 0: closed loop
  ArrivalPattern pattern = ArrivalPattern::kPoisson;
  std::uint64_t seed = 0;
  std::uint64_t requests_max = 0;  // 0: no limit
  std::int64_t duration_ns = 0;    // 0: no limit; one of the two is set
  std::int64_t warmup_ns = 0;
  std::int64_t answer_timeout_ns = 0;
  std::int64_t reconnect_ns = 0;  // how long a connection may stay down before it is given up
  bool resend = false;            // send unanswered requests again
};

class Client {
 public:
  // What a client works with; all of it outlives the client. `ledger` may be absent.
  struct Wiring {
    const RequestForge& forge;
    const RequestPattern& pattern;
    RequestFeed& feed;
    Timeline& timeline;
    LedgerWriter* ledger;
    const std::atomic<bool>& stop;  // set: send nothing new, collect what is out
  };

  // On the thread that will run it.
  static std::expected<std::unique_ptr<Client>, std::string> Create(const ClientOptions& options,
                                                                    const Wiring& wiring);
  ~Client();

  // Dials every connection and waits until each is open or its reconnect time is over. Returns how many are
  // open.
  std::size_t Connect();
  // From `start_ns` (CLOCK_MONOTONIC) until the run's limit, then until every answer is in or the drain time
  // is over.
  void Run(std::int64_t start_ns);
  const Tally& tally() const { return meter_.tally(); }

 private:
  struct IdleSlot {
    std::uint32_t slot;
    std::uint32_t generation;  // an entry outlives its socket; this tells
  };

  Client(const ClientOptions& options, const Wiring& wiring, io::Ring ring);

  std::size_t CountOf(ConnectionState state) const { return in_state_[static_cast<std::size_t>(state)]; }
  void Move(Connection& connection, ConnectionState to);
  void Dial(std::uint32_t slot);
  void DialDue();
  enum class Why : std::uint8_t { kClosedByServer, kUsedUp, kFailed };
  void Disconnect(std::uint32_t slot, Why why);
  void Dispatch();
  bool MaySend() const;
  std::optional<std::uint32_t> TakeIdle();
  bool TakeRequest(std::uint32_t slot);
  void Submit(std::uint32_t slot);
  void Turn();
  void Handle(const io::Completion& completion);
  void OnConnected(std::uint32_t slot, std::int32_t result);
  void OnReceived(std::uint32_t slot, const io::Completion& completion);
  void OnBytes(std::uint32_t slot, std::string_view bytes);
  void OnAnswer(std::uint32_t slot, int status, bool keep_alive);
  void OnSent(std::uint32_t slot, std::int32_t result);
  void MakeIdle(std::uint32_t slot);
  void ExpireSilent();
  void StopIfAsked();
  void CountWhatIsLeft();
  std::int64_t NextWake_ns() const;
  bool Finished() const;

  ClientOptions options_;
  Wiring wiring_;
  io::Ring ring_;
  std::optional<io::BufferRing> buffers_;  // made when ring_ has its final place
  std::vector<Connection> connections_;
  std::unique_ptr<char[]> request_bytes_;
  std::deque<IdleSlot> idle_;  // open connections without a request, longest idle first
  std::array<io::Completion, 1024> completions_;
  std::optional<ArrivalSchedule> schedule_;  // open loop

  std::array<std::size_t, kConnectionStates> in_state_{};  // connections by state
  std::size_t to_resend_ = 0;                              // unanswered requests that wait for a new socket
  std::uint64_t issued_ = 0;                               // requests taken from the feed
  std::int64_t now_ns_ = 0;  // CLOCK_MONOTONIC, read once before and once after each wait
  std::int64_t wall_offset_s_ = 0;
  std::int64_t start_ns_ = 0;
  std::int64_t end_ns_ = 0;  // of the sending
  std::int64_t expire_at_ns_ = 0;
  std::int64_t starved_since_ns_ = 0;  // 0: not starved

  Meter meter_;
};

}  // namespace weir::bench
