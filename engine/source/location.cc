#include "engine/source/location.h"

namespace weir::source {

std::string ToString(const Location& location) {
  switch (location.from) {
    case Location::From::kHeader:
      return "header " + location.name;
    case Location::From::kJson:
      return "json " + (location.pointer.tokens.empty() ? "(the document)" : location.pointer.ToString());
    case Location::From::kEnvelope:
      return "envelope " + location.pointer.ToString();
    case Location::From::kForm:
      return "form field " + location.name;
    case Location::From::kQuery:
      return "query parameter " + location.name;
    case Location::From::kClaim:
      return "claim " + location.name;
    case Location::From::kField:
      return "signature field " + location.name;
    case Location::From::kBodySha256:
      return "SHA-256 of the body";
    case Location::From::kConstant:
      return "\"" + location.name + "\"";
  }
  return {};
}

}  // namespace weir::source
