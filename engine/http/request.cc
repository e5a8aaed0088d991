#include "engine/http/request.h"

#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/http/tokens.h"

namespace weir::http {

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kOther:
      return "other";
  }
  return {};
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> FindField(const Request& request, std::string_view name, bool* repeated) {
  std::optional<std::string_view> found;
  bool several = false;
  for (const Field& field : request.fields()) {
    if (!EqualsIgnoreCase(field.name, name)) continue;
    if (found) {
      several = true;
    } else {
      found = field.value;
    }
  }
  if (repeated != nullptr) *repeated = several;
  if (several) return std::nullopt;
  return found;
}

}  // namespace weir::http
