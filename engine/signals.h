// What signals mean to the server, and the end that no client, sink or disk can put off.
//
//   SIGTERM SIGINT   drain; once more: end at once
//   SIGHUP           read the configuration again
//   SIGUSR1          open the log again
//   SIGUSR2 SIGPIPE SIGXFSZ SIGALRM and others that would end a process without meaning to   nothing
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "engine/io/socket.h"

namespace weir {

class Signals {
 public:
  // Blocks what is handled in the calling thread and in every thread that it starts afterwards: call it first.
  static std::expected<Signals, std::string> Take();

  // Readable when one has come.
  int fd() const { return fd_.get(); }
  std::optional<int> Next();

  // From now on the process ends with `exit_code` when SIGTERM or SIGINT comes, or when `within_ms` have passed,
  // whatever any thread is doing. Nothing acked is lost by that: an ack follows its sync. What sinks had settled in
  // the last moment may be delivered once more. Main thread.
  static void EndBy(std::int64_t within_ms, int exit_code);

 private:
  explicit Signals(io::Descriptor fd) : fd_(std::move(fd)) {}
  io::Descriptor fd_;
};

}  // namespace weir
