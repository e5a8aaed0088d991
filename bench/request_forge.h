// Makes the bytes of one signed request, as a provider of the kind would send it. Slow (it signs): used ahead
// of the run or beside it, never on the measuring path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "bench/traffic.h"
#include "engine/source/source.h"

namespace weir::bench {

struct ForgeOptions {
  std::shared_ptr<const source::Scheme> scheme;
  std::string secret;
  std::string url;        // as given; some schemes sign it
  std::string authority;  // of the Host field
  std::string target;     // of the request line
  std::string id_prefix;
  std::size_t payload_bytes = 0;  // of an event
  std::size_t batch = 1;          // events a request carries; above 1 only for a scheme with batches
};

class RequestForge {
 public:
  explicit RequestForge(ForgeOptions options);

  // The error says what the kind needs that was not given, or that it cannot be made invalid or stale.
  std::expected<std::string, std::string> Make(const PlannedRequest& planned, std::int64_t at_unix_s) const;

  // False for kinds whose requests look the same whenever they are sent: they cannot be stale.
  bool SignsTimestamp(std::int64_t at_unix_s) const;

  // The events of request `id_number` are [FirstEventOf(id_number), FirstEventOf(id_number + 1)).
  std::uint64_t FirstEventOf(std::uint64_t id_number) const { return id_number * options_.batch; }

  // The prefix and twelve digits, so that every id of a run has the same length.
  std::string IdOf(std::uint64_t event_number) const;

 private:
  std::string BodyOf(std::uint64_t id_number, std::int64_t at_unix_s) const;

  ForgeOptions options_;
};

}  // namespace weir::bench
