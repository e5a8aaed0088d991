// A place in a request where a value is found.
#pragma once

#include <cstdint>
#include <string>

#include "engine/source/json_pointer.h"

namespace weir::source {

struct Location {
  enum class From : std::uint8_t {
    kHeader,      // the only field of that name
    kJson,        // a pointer into the body; in a batch, into the event
    kEnvelope,    // a pointer into the body of a batch
    kForm,        // a field of an application/x-www-form-urlencoded body
    kQuery,       // a parameter of the request's query
    kClaim,       // a claim of the JWT that passed; one the scheme requires
    kField,       // a named item of the signature's list: t in "t=1,v1=…"
    kBodySha256,  // lower-case hex
    kConstant,
  };
  From from = From::kHeader;
  std::string name;  // header in lower case; constant's value
  JsonPointer pointer;
};

// "header x-acme-id", "json /id": for messages and `weir kinds`.
std::string ToString(const Location& location);

}  // namespace weir::source
