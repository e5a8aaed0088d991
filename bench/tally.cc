#include "bench/tally.h"

#include <algorithm>
#include <numeric>

namespace weir::bench {

std::uint64_t Tally::AnswersOf(RequestClass request_class) const {
  const auto& by_status = answers[static_cast<std::size_t>(request_class)];
  return std::accumulate(by_status.begin(), by_status.end(), std::uint64_t{0});
}

std::uint64_t Tally::Answered() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kRequestClasses; ++i) total += AnswersOf(static_cast<RequestClass>(i));
  return total;
}

std::uint64_t Tally::Unexpected() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kRequestClasses; ++i) {
    for (std::size_t status = 0; status < kStatuses; ++status) {
      if (!IsExpected(static_cast<RequestClass>(i), static_cast<int>(status))) total += answers[i][status];
    }
  }
  return total;
}

void Tally::Merge(const Tally& other) {
  sent += other.sent;
  for (std::size_t i = 0; i < kRequestClasses; ++i) {
    for (std::size_t status = 0; status < kStatuses; ++status) answers[i][status] += other.answers[i][status];
  }
  unanswered += other.unanswered;
  unsent += other.unsent;
  resent += other.resent;
  timeouts += other.timeouts;
  malformed += other.malformed;
  connect_errors += other.connect_errors;
  connections_lost += other.connections_lost;
  connections_reopened += other.connections_reopened;
  connections_used_up += other.connections_used_up;
  connections_given_up += other.connections_given_up;
  starved_ns += other.starved_ns;
  ledger_incomplete = ledger_incomplete || other.ledger_incomplete;
  measured_answers += other.measured_answers;
  window_end_ns = std::max(window_end_ns, other.window_end_ns);
  response.Merge(other.response);
  service.Merge(other.service);
  cpu_s += other.cpu_s;
}

}  // namespace weir::bench
