// The text that stands in a signature's field, made with the sender's side of the key: for Sign only.
//
// Internal to engine/source.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/scheme.h"
#include "engine/source/signed_text.h"

namespace weir::source {

using SignatureText = std::expected<std::string, std::string>;

// Encoded, without prefix or list around it.
SignatureText SignatureOf(const Proof& proof, std::string_view secret, const std::vector<SignedPart>& parts);

// Tokens and Basic credentials, prefix included.
SignatureText CredentialOf(const Proof& proof, std::string_view secret);

// A JWT with the claims the proof's rules ask for; HS256 only. `issuer` may be empty when no rule asks for
// one.
SignatureText TokenOf(const Proof& proof, std::string_view secret, std::string_view body,
                      std::string_view issuer, std::int64_t at_unix_s);

}  // namespace weir::source
