// Finds events with the same (source, id) in a log of any size: identities are spread over temporary files by
// their hash, and each file is sorted in memory.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "storage/event.h"

namespace weir::storage {

class AuditIdentities {
 public:
  struct Entry {
    std::uint64_t hash;
    Sequence sequence;
    std::int64_t received_at_us;
    std::int64_t window_us;
  };

  AuditIdentities();
  // False: the temporary files cannot be written.
  bool Add(const Entry& entry);
  // Calls `visit` with every set of two or more entries of one hash, in order of sequence. False: cannot be
  // read back.
  bool ForEachRepeated(const std::function<void(const std::vector<Entry>&)>& visit);

 private:
  static constexpr std::size_t kFiles = 64;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::array<std::unique_ptr<std::FILE, Close>, kFiles> files_;
};

}  // namespace weir::storage
