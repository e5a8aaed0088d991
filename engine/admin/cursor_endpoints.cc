#include "engine/admin/cursor_endpoints.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "engine/limits.h"

namespace weir::admin {

namespace {

constexpr std::size_t kNameBytesMax = 64;

std::string KeyOf(const std::string& name) {
  return "export.cursor." + name;
}

Read<std::string> ReadName(const ApiRequest& request) {
  if (auto known = OnlyKnown(request.parameters, {}, {"name"}); !known) return std::unexpected(known.error());
  std::string name = ReadText(request.parameters, "name");
  if (!IsCursorName(name)) return std::unexpected("name: expected 1 to 64 of A-Z a-z 0-9 . _ -");
  return name;
}

}  // namespace

bool IsCursorName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kNameBytesMax && std::all_of(name.begin(), name.end(), allowed);
}

ApiReply GetCursor(const storage::EventStore& store, const ApiRequest& request) {
  const auto name = ReadName(request);
  if (!name) return Refusal(400, "bad_parameter", name.error());
  const auto value = store.GetMeta(KeyOf(*name));
  if (!value && value.error().code != storage::StoreErrorCode::kNotFound) return Refusal(value.error());
  nlohmann::ordered_json json = {{"name", *name}, {"value", nullptr}};
  if (value) json["value"] = *value;
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

ApiReply PutCursor(storage::EventStore& store, const ApiRequest& request) {
  const auto name = ReadName(request);
  if (!name) return Refusal(400, "bad_parameter", name.error());
  if (request.body.size() > limits::kExportCursorBytesMax) {
    return Refusal(413, "body_too_large", "a cursor's value has at most 4 KiB");
  }
  if (auto put = store.PutMeta(KeyOf(*name), request.body); !put) return Refusal(put.error());
  ApiReply reply;
  reply.body = Dump({{"name", *name}, {"value", request.body}});
  return reply;
}

}  // namespace weir::admin
