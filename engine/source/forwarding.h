// Which of a sender's header fields may leave weir together with its event, whatever an operator's pattern
// says. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

struct Scheme;

enum class Forwarding : std::uint8_t {
  kAllowed,
  kCredential,  // a secret, a token, a cookie or a signature, judged by its name
  kMessage,  // of the connection or the message it came in (RFC 9110 §7.6.1), which the next one has its own of
};

// `name`: of a header field, in any case.
Forwarding ForwardingOf(std::string_view name);

// The fields, in lower case, in which a sender of this kind sends its signature or credential, under whatever
// name: they are never forwarded.
std::vector<std::string> ProofFields(const Scheme& scheme);

}  // namespace weir::source
