// Events and dead letters as the JSON objects of the API; what the commands print with --json is the same.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "engine/admin/dead_letter_query.h"
#include "engine/admin/delivery_snapshot.h"
#include "engine/admin/event_query.h"
#include "engine/admin/wiring.h"

namespace weir::admin {

nlohmann::ordered_json ToJson(const EventSummary& event);
nlohmann::ordered_json ToJson(const FoundDeadLetter& found);

// Everything about one event: kept headers and, for every sink, its fate and why it is not delivered ("why").
// Values of headers that carry credentials are replaced by their length: a static token in a stored request is
// still the sender's secret. The body only on demand.
struct DetailOptions {
  bool body = false;
};
nlohmann::ordered_json DetailJson(const storage::Event& event, const DeliverySnapshot& snapshot,
                                  const Wiring& wiring, DetailOptions options);

// Header fields as received -> [{"name","value"}], credentials as {"name","hidden_bytes"}.
nlohmann::ordered_json HeadersJson(std::string_view headers);

// The bytes of a body, padded base64.
std::string BodyBase64(std::string_view body);

// One line of JSON. Bytes that are not UTF-8 become U+FFFD.
std::string Dump(const nlohmann::ordered_json& json);

}  // namespace weir::admin
