#include "engine/admin/api_request.h"

#include "engine/text/json_string.h"

namespace weir::admin {

namespace {

std::string_view CodeName(storage::StoreErrorCode code) {
  using enum storage::StoreErrorCode;
  switch (code) {
    case kLocked:
      return "store_locked";
    case kFormat:
      return "store_format";
    case kDataLoss:
      return "store_data_loss";
    case kCorruption:
      return "store_corruption";
    case kIo:
      return "store_io";
    case kStalled:
      return "store_stalled";
    case kNotFound:
      return "not_found";
  }
  return "store_error";
}

}  // namespace

ApiReply Refusal(int status, std::string_view code, std::string_view message) {
  ApiReply reply;
  reply.status = status;
  reply.body = R"({"error":{"code":)";
  text::AppendJsonString(reply.body, code);
  reply.body += R"(,"message":)";
  text::AppendJsonString(reply.body, message);
  reply.body += "}}";
  return reply;
}

ApiReply Refusal(const storage::StoreError& error) {
  return Refusal(error.code == storage::StoreErrorCode::kNotFound ? 404 : 500, CodeName(error.code),
                 error.message);
}

ApiReply BadParameter(std::string_view reason) {
  return Refusal(400, "bad_parameter", reason);
}

}  // namespace weir::admin
