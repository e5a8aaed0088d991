// A failing disk under a file sink, from below every interface: this file's fdatasync stands in for the C library's in
// any test binary that links it. Nothing in production knows of it. (A store is given another disk: faulty_disk.h.)
#pragma once

namespace weir::tests {

// For as long as there is one, every sync of a file whose name ends in `.ndjson` (a file sink's) fails with
// EIO.
class BrokenLineFileSyncs {
 public:
  BrokenLineFileSyncs();
  ~BrokenLineFileSyncs();
  BrokenLineFileSyncs(const BrokenLineFileSyncs&) = delete;
  BrokenLineFileSyncs& operator=(const BrokenLineFileSyncs&) = delete;
};

}  // namespace weir::tests
