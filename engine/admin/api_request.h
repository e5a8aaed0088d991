// One request to the operator's API and its answer, free of HTTP and of where it came from: the admin server
// makes them from its sockets, the commands make them directly when no server runs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/event_store.h"

namespace weir::admin {

using Parameters = std::map<std::string, std::string, std::less<>>;

struct ApiRequest {
  std::string method;     // "GET", "POST", "PUT"
  std::string path;       // below /api: "/events"
  Parameters parameters;  // of the query, decoded; a name given twice is refused before this is made
  std::string body;
};

struct ApiReply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// {"error":{"code":"…","message":"…"}}
ApiReply Refusal(int status, std::string_view code, std::string_view message);
ApiReply Refusal(const storage::StoreError& error);
ApiReply BadParameter(std::string_view reason);  // 400 bad_parameter

}  // namespace weir::admin
