// X.509 certificates of senders that name theirs by URL: when they hold, and who vouches for them. The files are
// the operator's and believed as such; nothing is fetched.
//
// Internal to engine/source: OpenSSL stays behind it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace weir::source {

struct Validity {
  std::int64_t from_s = std::numeric_limits<std::int64_t>::min();  // Unix time, both inclusive
  std::int64_t until_s = std::numeric_limits<std::int64_t>::max();
  bool Includes(std::int64_t now_s) const { return now_s >= from_s && now_s <= until_s; }
};

// Of the first certificate of a PEM text. nullopt when it holds none, such as a bare public key.
std::optional<Validity> ValidityOf(std::string_view pem);

// Whether the first certificate of the text is signed by its own key.
bool IsOwn(std::string_view pem);

// Why the first certificate of the text is not vouched for by an authority of this machine, by way of the
// further certificates of the text; its dates aside. Empty: it is.
std::string ChainProblem(std::string_view pem);

}  // namespace weir::source
