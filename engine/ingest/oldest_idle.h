// Which connection has to go when a new one finds no place: of those that are idle, the one that has been so
// longest. As nginx reuses the oldest keep-alive connections when worker_connections are used up.
//
// One look over the table finds the oldest few, which the next calls take one by one, so that a crowd at the
// door costs a fraction of a look a connection.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/ingest/connection.h"

namespace weir::ingest {

class OldestIdle {
 public:
  explicit OldestIdle(ConnectionTable& connections) : connections_(connections) {}

  // nullptr: none is idle, or none was at the last look a moment ago. The caller closes what it is given.
  Connection* Take(std::int64_t now_ms);

 private:
  struct Candidate {
    std::int64_t last_active_ms;
    std::uint32_t slot;
    std::uint32_t generation;
  };
  void Look();

  ConnectionTable& connections_;
  std::vector<Candidate> candidates_;  // the oldest last
  std::int64_t next_look_ms_ = 0;
};

}  // namespace weir::ingest
