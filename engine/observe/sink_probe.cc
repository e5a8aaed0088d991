#include "engine/observe/sink_probe.h"

namespace weir::observe {

std::string_view FailureReasonName(FailureReason reason) {
  switch (reason) {
    case FailureReason::kConnect:
      return "connect";
    case FailureReason::kTimeout:
      return "timeout";
    case FailureReason::kStatus4xx:
      return "status_4xx";
    case FailureReason::kStatus5xx:
      return "status_5xx";
    case FailureReason::kThrottled:
      return "throttled";
    case FailureReason::kProtocol:
      return "protocol";
    case FailureReason::kIo:
      return "io";
    case FailureReason::kCount:
      break;
  }
  return "";
}

}  // namespace weir::observe
