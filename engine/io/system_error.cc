#include "engine/io/system_error.h"

#include <cstring>

namespace weir::io {

std::string DescribeError(std::string_view call, int error) {
  const char* name = strerrorname_np(error);
  const char* text = strerrordesc_np(error);
  std::string sentence(call);
  sentence += ": ";
  sentence += name != nullptr ? name : "errno " + std::to_string(error);
  if (text != nullptr) {
    sentence += " (";
    sentence += text;
    sentence += ")";
  }
  return sentence;
}

}  // namespace weir::io
