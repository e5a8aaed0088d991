// The sources that are configured or once were, as the store remembers them: what an operator may name in a
// filter, with a running server and without one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "storage/event_store.h"

namespace weir::admin {

struct KnownSource {
  std::string name;
  bool configured = false;  // by the configuration that was last applied
};

// Sources remembered; past it the former ones that were first remembered are forgotten.
inline constexpr std::size_t kKnownSourcesMax = 4096;

// Empty: no server has said yet.
storage::StoreResult<std::vector<KnownSource>> KnownSources(const storage::EventStore& store);
std::vector<std::string> FormerNames(const std::vector<KnownSource>& sources);
// `names` are configured from now on, nothing else is.
storage::StoreResult<void> RememberSources(storage::EventStore& store, const std::vector<std::string>& names);

// When the newest event of each source was received (Unix time, microseconds), as far as the newest `scan_max`
// events of the log say.
storage::StoreResult<std::map<std::string, std::int64_t>> LastReceivedInLog(const storage::EventStore& store,
                                                                            std::size_t scan_max);

}  // namespace weir::admin
