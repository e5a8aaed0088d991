// Health, metrics and the operator's API over HTTP: on the socket DIR/admin.sock, always, and on
// [admin].listen if given. Off the hot path: one accepting thread and a small fixed pool a listener.
//
// Who may do what:
//   socket   everything; its file mode (0600) is the permission
//   TCP      /healthz /readyz /metrics: anyone who can connect (no payload, no secret in them)
//            /api/…: only with [admin].token, as "Authorization: Bearer TOKEN"; without a configured token
//            not at all
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "engine/admin/wiring.h"
#include "engine/config/config.h"

namespace weir::admin {

inline constexpr const char* kSocketName = "admin.sock";

class AdminServer {
 public:
  // Binds the socket and the TCP address, so that a port that is taken is an error before anything runs. A
  // socket file left by a process that is gone is replaced: whoever holds the store's lock owns the socket,
  // so call this after the store is open.
  static std::expected<std::unique_ptr<AdminServer>, std::string> Create(Wiring wiring, config::Admin admin);
  ~AdminServer();  // Stop()

  // The TCP address, with the port the kernel chose for port 0; nullopt without [admin].listen.
  std::optional<config::Address> bound() const;

  std::expected<void, std::string> Start();
  // Finishes the requests being answered, ends the threads, removes the socket file.
  void Stop();

 private:
  struct State;
  explicit AdminServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::admin
