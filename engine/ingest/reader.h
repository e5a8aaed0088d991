// Received bytes -> requests, in order. A request that arrived whole is handled where the kernel put it: no
// byte of it is copied before it is encoded for the log. What did not arrive whole is copied out at once,
// because the receive buffer goes back with this turn: a sender that takes its time holds memory of its own
// connection, never a shared buffer.
//
// Bounds: a head by the parser, a body by its source, all of it by [server.limits] inflight_bytes, which is
// charged as the buffer grows and not as the sender announces: an announcement costs a sender nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/config/config.h"
#include "engine/http/request_parser.h"
#include "engine/ingest/connection.h"
#include "engine/ingest/inflight_bytes.h"
#include "engine/ingest/intake.h"
#include "engine/ingest/moment.h"
#include "engine/ingest/partial_request.h"

namespace weir::ingest {

class Reader {
 public:
  Reader(Intake& intake, PendingAnswers& answers, InflightBytes& inflight,
         const config::ServerLimits& limits);

  // limits::kJsonPaddingBytes are readable behind `bytes`. The connection is kServing; it may be kAnswering
  // afterwards, or paused with what was not looked at in its partial request.
  void OnBytes(Connection& connection, std::string_view bytes, const Moment& now);
  // Some of its requests were answered.
  void Resume(Connection& connection, const Moment& now);
  // connection.phase_deadline_ms has passed: 408.
  void OnDeadline(Connection& connection);
  // What is partial will never be whole.
  void Forget(Connection& connection);

  // Bytes of partial requests freed since this was last asked with a true answer; true when they are worth
  // giving back to the system, which the heap does not do by itself.
  bool WorthTrimming();

 private:
  using Phase = PartialRequest::Phase;
  struct Served {
    std::size_t consumed = 0;   // bytes of whole requests
    Phase next = Phase::kHead;  // what the bytes behind them begin
    Target target;              // of the request they begin, unless next is kHead
  };

  Served Serve(Connection& connection, std::string_view bytes, http::RequestParser& parser,
               const Moment& now);
  void Keep(Connection& connection, std::string_view bytes, const Served& served, const Moment& now);
  void Progress(Connection& connection, const Moment& now);
  bool AdvanceHead(Connection& connection, const Moment& now);
  bool AdvanceBody(Connection& connection, const Moment& now);
  bool AdvanceChunks(Connection& connection, const Moment& now);
  void EnterBody(Connection& connection, const Served& served, const Moment& now);
  bool NextRequest(Connection& connection, std::size_t consumed, const Moment& now);
  bool MakeRoom(PartialRequest& partial, std::size_t bytes);
  void Charge(PartialRequest& partial);
  void RefusePartial(Connection& connection, observe::RejectionCode code);
  void PauseIfFull(Connection& connection) const;

  Intake& intake_;
  PendingAnswers& answers_;
  InflightBytes& inflight_;
  config::ServerLimits limits_;
  http::RequestParser::Limits parser_limits_;
  http::RequestParser scratch_;  // for requests that arrive whole
  std::vector<std::unique_ptr<PartialRequest>> spare_;
  std::size_t freed_bytes_ = 0;
};

}  // namespace weir::ingest
