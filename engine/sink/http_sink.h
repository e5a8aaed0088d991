// POSTs events to one URL over plain HTTP: a pool of keep-alive connections on the worker's own ring, at most
// `concurrency` of them, one attempt on each at a time.
//
// An attempt has one deadline for everything, connecting included; a drip of bytes does not move it. A
// connection that was kept alive and breaks before the first byte of an answer is taken for one the peer had
// closed meanwhile: its attempt goes once more over a fresh connection, within the same deadline.
//
// An attempt ends with a 2xx status line, whatever becomes of the rest: stopped or killed while it waits for a body, a
// worker would ask for the same a second time. The connection is left to the rest until the attempt's deadline.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/http/url.h"
#include "engine/io/ring.h"
#include "engine/io/wake.h"
#include "engine/sink/forwarded_fields.h"
#include "engine/sink/http_connection.h"
#include "engine/sink/resolver.h"
#include "engine/sink/sink.h"
#include "engine/sink/webhook_signer.h"

namespace weir::sink {

class HttpSink final : public Sink {
 public:
  // The error says what is wrong with the URL or the secret. Neither connects nor resolves.
  static std::expected<std::unique_ptr<HttpSink>, std::string> Create(const config::Sink& config,
                                                                      io::EventfdWake& wake, Report report);
  ~HttpSink() override;

  std::size_t Capacity() const override;
  void Start(const Attempt& attempt, std::int64_t now_ms) override;
  void Turn(std::int64_t now_ms, std::int64_t wait_until_ms) override;
  std::size_t InFlight() const override { return in_flight_; }

 private:
  // A connection's place in the pool, and the attempt that has it.
  struct Slot {
    std::unique_ptr<HttpConnection> connection;
    bool busy = false;  // an attempt waits for its outcome; the rest is of the last one
    std::uint64_t token = 0;
    std::size_t request_bytes = 0;
    std::int64_t started_ns = 0;
    std::int64_t deadline_ms = 0;
    std::int64_t connect_deadline_ms = 0;
    bool on_kept_connection = false;
    bool resolving = false;        // waits for addresses, without a socket
    std::size_t next_address = 0;  // of the resolver's list: the one to try when this one cannot be reached
  };

  HttpSink(const config::Sink& config, http::Url url, std::optional<WebhookSigner> signer,
           io::EventfdWake& wake, Report report);
  bool EnsureRing();
  void ConnectNext(std::uint32_t index, std::int64_t now_ms);
  void Reap(std::int64_t timeout_ms);
  void Handle(const io::Completion& completion, std::int64_t now_ms);
  void OnEvent(std::uint32_t index, HttpConnection::Event event, std::int64_t now_ms);
  bool HasNextAddress(const Slot& slot, std::int64_t now_ms);
  void OnStatus(std::uint32_t index, std::int64_t now_ms);
  void OnBroken(std::uint32_t index);
  void OnFreed(std::uint32_t index, std::int64_t now_ms);
  static bool HasRestToCome(const Slot& slot);
  void EnforceDeadlines(std::int64_t now_ms);
  void OnTimeout(std::uint32_t index);
  void Unable(std::uint32_t index, std::string summary);
  void ConnectResolved(std::int64_t now_ms);
  void Fail(std::uint32_t index, observe::FailureReason reason, std::string summary);
  void Finish(std::uint32_t index, Outcome outcome);
  void ReportFinished();

  const std::int64_t timeout_ms_;
  const std::vector<int> dead_letter_statuses_;
  const http::Url url_;
  std::optional<WebhookSigner> signer_;
  const ForwardedFields forwarded_;
  io::EventfdWake& wake_;
  Report report_;
  Resolver resolver_;

  std::optional<io::Ring> ring_;  // made on the worker's thread, with its first attempt
  std::string ring_problem_;
  bool wake_armed_ = false;  // the kernel holds a read of the wake into wake_value_
  std::uint64_t wake_value_ = 0;
  std::array<io::Completion, 256> completions_;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> idle_;  // last used last, and taken first: the pool shrinks to what is needed
  std::size_t resolving_ = 0;        // slots that wait for addresses
  std::size_t in_flight_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::int64_t next_deadline_ms_;  // not later than the earliest one
  std::vector<Outcome> finished_;
};

}  // namespace weir::sink
