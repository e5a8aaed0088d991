// The signature's field -> candidate signature texts and named items. Bounded; a form that is not the
// scheme's is malformed as a whole, never skipped.
//
// Internal to engine/source.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/request_values.h"
#include "engine/source/scheme.h"

namespace weir::source {

enum class SignatureState : std::uint8_t { kPresent, kMissing, kMalformed };

// Where the signature is looked for: "header x-signature, after \"sha256=\"".
std::string PlacesText(const SignatureField& field);

// Whether the scheme's signature field is there at all, however it looks. Decides which proof of several
// applies.
bool HasSignature(const SignatureField& field, RequestValues& values);

// Fills `signatures` (texts, prefix removed, not yet decoded) and values.list_fields().
SignatureState ReadSignatures(const SignatureField& field, RequestValues& values,
                              std::vector<std::string_view>& signatures);

// Bytes of one signature text, strictly, into `out`.
std::optional<std::size_t> DecodeSignature(const SignatureField& field, std::string_view text,
                                           std::span<std::uint8_t> out);
// The other way, without the prefix.
std::string EncodeSignature(const SignatureField& field, std::span<const std::uint8_t> bytes);

}  // namespace weir::source
