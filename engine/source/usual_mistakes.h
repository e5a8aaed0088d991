// The mistakes that make an authentic request fail its verification, each as the request and the source as
// they would be without it. Pure; for `weir explain`.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "engine/source/captured_request.h"
#include "engine/source/source.h"

namespace weir::source {

enum class Mistake : std::uint8_t {
  kClock,         // signed at another time than the tolerance allows, or in another unit
  kOtherSecret,   // signed with a secret that another source has
  kSecretText,    // the right secret, copied or decoded in another way
  kLineEnds,      // a newline added to or taken from the body, CRLF for LF
  kReserialized,  // the JSON was parsed and written again on its way
  kDecompressed,  // the body was compressed or decompressed on its way
  kUrl,           // the sender signs another URL than public_url
  kEncoding,      // hex for base64, a prefix that is there or is not
  kAlgorithm,     // another hash under the HMAC
};
inline constexpr int kMistakes = 9;
std::string_view MistakeName(Mistake mistake);  // "line_ends"

// The request as the sender may have meant it, and the source as it may have to be configured.
struct Trial {
  Mistake mistake;
  std::string says;  // what is supposed, as half a sentence
  const Source& source;
  const CapturedRequest& request;
  bool keeps_time = true;  // false: the change is about the timestamp, so an untimely request is no match
};

// Source is moved, never copied, so that no secret is kept twice by oversight; this is the place that means
// to.
Source CopyOf(const Source& source);

// `others`: every source of the configuration, `source` itself included or not. Stops when `visit` says so by
// false.
void ForEachTrial(const Source& source, std::span<const Source> others, const CapturedRequest& request,
                  const std::function<bool(const Trial&)>& visit);

}  // namespace weir::source
