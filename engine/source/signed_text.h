// A template and a request -> the pieces of the text that the sender signed, in order, without copying the
// body.
//
// Internal to engine/source.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/source/request_values.h"
#include "engine/source/source.h"
#include "engine/source/template.h"

namespace weir::source {

struct SignedPart {
  std::string_view text;
  bool is_secret = false;  // the secret's own bytes stand here (plain hashes)
};

// What the verifier already knows when it puts the text together.
struct SignedInputs {
  const Source& source;
  std::string_view timestamp;
  std::string_view id;
};

enum class AssemblyFault : std::uint8_t { kNone, kMissing, kMalformed };

AssemblyFault AssembleSigned(const Template& text, const SignedInputs& inputs, RequestValues& values,
                             std::vector<SignedPart>& parts);

// The URL the sender called: the source's public_url, and the query of this request unless public_url has
// one.
std::string_view PublicUrl(const Source& source, RequestValues& values);

std::string_view ParameterOf(const Source& source, std::string_view name);  // empty when it is not set

}  // namespace weir::source
