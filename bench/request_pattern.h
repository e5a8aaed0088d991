// The requests of a run differ in few bytes: the id, the timestamp, the signature. A pattern knows where,
// learned from sample requests; a patch is those bytes of one request, about a tenth of it. A run can then
// hold millions of signed requests ahead of time, and sending one is a few short copies into a buffer that is
// warm in the cache. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

class RequestPattern {
 public:
  RequestPattern() = default;
  // Every byte that may ever differ must differ between two of the samples. Samples of unequal length
  // (signatures of a variable-length encoding) give a pattern whose patch is the whole request. At least one
  // sample.
  static RequestPattern Learn(std::span<const std::string> samples);

  std::size_t patch_bytes() const { return patch_bytes_; }
  std::size_t request_bytes_max() const { return base_.size(); }

  // Writes patch_bytes() bytes to `patch`. False: `request` differs from the pattern in a byte that never
  // differed between the samples, or is longer than any of them.
  bool Extract(std::string_view request, char* patch) const;

  // A buffer of request_bytes_max() bytes must be prepared once before requests are applied to it.
  void Prepare(char* buffer) const;
  // Turns a prepared buffer into the request of this patch. Returns its size.
  std::size_t Apply(const char* patch, char* buffer) const;

 private:
  struct Place {
    std::uint32_t offset;
    std::uint32_t size;
  };
  std::string base_;
  std::vector<Place> places_;  // ascending, disjoint
  std::size_t patch_bytes_ = 0;
  bool whole_ = false;  // the patch is a length (4 bytes) and the request
};

}  // namespace weir::bench
