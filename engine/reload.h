// The running server takes its configuration anew: the file is read and validated as a boot would, then sources,
// sinks and routes change together, or nothing does. What else stands in the file takes effect at the next start,
// and is named until then.
//
// Main thread, but where a function says otherwise.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/commit/queues.h"
#include "engine/config/config.h"
#include "engine/config/load.h"
#include "engine/delivery_set.h"
#include "engine/io/wake.h"
#include "engine/observe/reload_probe.h"
#include "engine/source/source.h"

namespace weir {

class Reload {
 public:
  struct Wiring {
    config::Config& in_force;  // its sinks and routes are replaced; its sources live in the table
    config::Environment environment;
    DeliverySet& delivery;
    std::function<std::shared_ptr<const source::SourceTable>()> sources;  // in force
    // Lowers what this machine cannot give, as a boot would; the error is that it cannot give enough.
    std::function<std::expected<void, std::string>(config::Config&)> fit;
    std::function<void(std::shared_ptr<const source::SourceTable>)> use_sources;
    std::function<void(std::vector<commit::TailQueue*>)> set_tails;
    observe::ReloadProbe& probe;
  };

  // Takes what is in force for what the process was started with.
  Reload(Wiring wiring, std::int64_t now_us);

  // Reads the file and applies it, or says why not. Everybody who waits in Ask gets the report.
  void Run(std::int64_t now_us);

  // Any thread. Waits for a Run that begins after this call, which wake_fd() asks the main thread for; nullopt when
  // the server stops first.
  std::optional<observe::ReloadReport> Ask();
  int wake_fd() const { return wake_.fd(); }
  // Nobody waits any longer, and nobody will.
  void Close();

 private:
  observe::ReloadReport ApplyOrSayWhy(std::int64_t now_us);
  observe::ReloadReport Apply(std::int64_t now_us);
  std::vector<std::string> Changes(const config::Config& next) const;
  void NameRotatedSecrets(const config::Config& next, std::vector<std::string>& changes) const;
  std::vector<std::string> RemovedSinks(const config::Config& next) const;
  std::uint64_t BeginRun();
  void EndRun(std::uint64_t run, observe::ReloadReport report);

  Wiring wiring_;
  // What the process was started with: [server] and [admin] are compared to it for as long as it runs.
  config::Server started_server_;
  config::Admin started_admin_;

  io::EventfdWake wake_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::uint64_t runs_begun_ = 0;  // protected by mutex_
  std::uint64_t runs_ended_ = 0;  // protected by mutex_
  bool closed_ = false;           // protected by mutex_
  observe::ReloadReport report_;  // protected by mutex_: of the last run that ended
};

}  // namespace weir
