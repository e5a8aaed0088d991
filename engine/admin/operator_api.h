// The operator's API, without HTTP: every request of the commands and of /api/… ends here, whether a server
// runs or the command opened the store itself. One request is one bounded step; none waits for anything but
// the disk.
//
//   GET  /status                      engine/admin/status_report.h
//   GET  /sources                     engine/admin/source_report.h
//   GET  /events /events/count /events/show /export     engine/admin/event_endpoints.h
//   GET  /dlq /dlq/count, POST /dlq/retry /dlq/drop                engine/admin/dead_letter_endpoints.h
//   GET  /quarantine /quarantine/show, POST /quarantine/admit /quarantine/drop   quarantine_endpoints.h
//   GET  /cursor, PUT /cursor                           engine/admin/cursor_endpoints.h
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/admin/api_request.h"
#include "engine/admin/snapshot_cache.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

class OperatorApi {
 public:
  explicit OperatorApi(const Wiring& wiring) : wiring_(wiring), snapshots_(wiring.store) {}

  // Any thread. `now_us`: Unix time in microseconds.
  ApiReply Handle(const ApiRequest& request, std::int64_t now_us);

  static bool Has(std::string_view method, std::string_view path);
  static std::vector<std::string> Paths(std::string_view method);

 private:
  const Wiring& wiring_;
  SnapshotCache snapshots_;
};

}  // namespace weir::admin
