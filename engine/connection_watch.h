// When it is to be said that connections are refused: at once, then once in a while with what came together since.
// Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace weir {

class ConnectionWatch {
 public:
  // Since the process started.
  struct Totals {
    std::uint64_t limit = 0;
    std::uint64_t descriptors = 0;
    std::uint64_t displaced = 0;
    bool operator==(const Totals&) const = default;
  };

  // What happened since the last time there was something to say; nullopt: nothing, or too soon.
  std::optional<Totals> Look(const Totals& totals, std::int64_t now_ms);

 private:
  Totals said_;
  std::int64_t next_ms_ = INT64_MIN;
};

}  // namespace weir
