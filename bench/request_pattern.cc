#include "bench/request_pattern.h"

#include <algorithm>
#include <cstring>

#include "storage/check.h"

namespace weir::bench {
namespace {

// Equal bytes between two differing ones that are not worth a copy of their own.
constexpr std::size_t kGapBytesMax = 8;
constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);
// A sample need not be the longest request there is: DER signatures vary by a few bytes.
constexpr std::size_t kWholeSlackBytes = 64;

}  // namespace

RequestPattern RequestPattern::Learn(std::span<const std::string> samples) {
  WEIR_CHECK(!samples.empty());
  RequestPattern pattern;
  pattern.base_ = samples.front();

  const auto longest = std::ranges::max_element(samples, {}, &std::string::size);
  if (std::ranges::any_of(samples, [&](const std::string& s) { return s.size() != longest->size(); })) {
    pattern.whole_ = true;
    pattern.base_.assign(longest->size() + kWholeSlackBytes, '\0');
    pattern.patch_bytes_ = kLengthBytes + pattern.base_.size();
    return pattern;
  }

  for (std::size_t i = 0; i < pattern.base_.size(); ++i) {
    const char byte = pattern.base_[i];
    if (std::ranges::all_of(samples, [&](const std::string& sample) { return sample[i] == byte; })) continue;
    const auto offset = static_cast<std::uint32_t>(i);
    if (!pattern.places_.empty()) {
      Place& last = pattern.places_.back();
      if (i - (last.offset + last.size) <= kGapBytesMax) {
        last.size = offset + 1 - last.offset;
        continue;
      }
    }
    pattern.places_.push_back({offset, 1});
  }
  for (const Place& place : pattern.places_) pattern.patch_bytes_ += place.size;
  return pattern;
}

bool RequestPattern::Extract(std::string_view request, char* patch) const {
  if (whole_) {
    if (request.size() > base_.size()) return false;
    const auto size = static_cast<std::uint32_t>(request.size());
    std::memcpy(patch, &size, kLengthBytes);
    std::memcpy(patch + kLengthBytes, request.data(), request.size());
    return true;
  }
  if (request.size() != base_.size()) return false;
  std::size_t compared = 0;
  for (const Place& place : places_) {
    if (std::memcmp(request.data() + compared, base_.data() + compared, place.offset - compared) != 0)
      return false;
    std::memcpy(patch, request.data() + place.offset, place.size);
    patch += place.size;
    compared = place.offset + place.size;
  }
  return std::memcmp(request.data() + compared, base_.data() + compared, base_.size() - compared) == 0;
}

void RequestPattern::Prepare(char* buffer) const {
  std::memcpy(buffer, base_.data(), base_.size());
}

std::size_t RequestPattern::Apply(const char* patch, char* buffer) const {
  if (whole_) {
    std::uint32_t size = 0;
    std::memcpy(&size, patch, kLengthBytes);
    std::memcpy(buffer, patch + kLengthBytes, size);
    return size;
  }
  for (const Place& place : places_) {
    std::memcpy(buffer + place.offset, patch, place.size);
    patch += place.size;
  }
  return base_.size();
}

}  // namespace weir::bench
