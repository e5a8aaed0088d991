#include "engine/ingest/connection.h"

#include "storage/check.h"

namespace weir::ingest {

Connection* ConnectionTable::Take(int fd) {
  if (free_.empty()) {
    if (slots_ == capacity_) return nullptr;
    if (slots_ % kBlock == 0) blocks_.push_back(std::make_unique<Connection[]>(kBlock));
    free_.push_back(static_cast<std::uint32_t>(slots_++));
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  ++open_;
  Connection& connection = (*this)[slot];
  WEIR_CHECK(connection.state == Connection::State::kFree && !connection.in_flight());
  const std::uint32_t generation = connection.generation;
  connection = Connection{};
  connection.fd = fd;
  connection.slot = slot;
  connection.generation = generation;
  connection.state = Connection::State::kServing;
  return &connection;
}

void ConnectionTable::Release(Connection& connection) {
  WEIR_CHECK(connection.state == Connection::State::kClosing && !connection.in_flight());
  WEIR_CHECK(connection.pending_count == 0 && connection.partial == nullptr && connection.sending == nullptr);
  connection.state = Connection::State::kFree;
  connection.fd = -1;
  ++connection.generation;
  --open_;
  free_.push_back(connection.slot);
}

}  // namespace weir::ingest
