// The running program: owns store, committer, shards, delivery workers and the admin server; starts them
// bottom-up and stops them top-down. One object a process.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "engine/config/config.h"
#include "engine/config/load.h"

namespace weir {

class Server {
 public:
  struct Options {
    bool accept_data_loss = false;    // open a store that lost events; see docs/guarantees.md
    config::Environment environment;  // for the reload
  };

  // Opens and audits the store, binds every address. Nothing is served yet. Blocks the signals it
  // handles in the calling thread, so call it before any other thread exists.
  static std::expected<std::unique_ptr<Server>, std::string> Create(config::Config config, Options options);
  ~Server();

  // Serves until SIGTERM or SIGINT, then drains; a second signal ends the process at once, still without losing
  // an ack. SIGHUP reloads. Returns the exit code: 0 after a drain, 1 after a failed commit.
  int Run();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir
