#include "engine/admin/dead_letter_counts.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/admin/dead_letter_query.h"
#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "engine/limits.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;
using Key = std::vector<std::string>;

constexpr std::array<std::string_view, 4> kGroupings = {"reason", "sink", "source", "type"};
constexpr std::string_view kOther = "other";

Read<std::vector<std::string>> ReadBy(const Parameters& parameters) {
  std::vector<std::string> by;
  const std::string text = ReadText(parameters, "by");
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (std::ranges::find(kGroupings, word) == kGroupings.end() || std::ranges::find(by, word) != by.end()) {
      return std::unexpected(
          "by: expected some of reason, sink, source and type, each once, with commas between");
    }
    by.emplace_back(word);
  }
  return by;
}

std::string ValueOf(const FoundDeadLetter& found, std::string_view grouping) {
  if (grouping == "reason") return found.dead.reason;
  if (grouping == "sink") return found.dead.sink;
  if (!found.event) return "";
  return grouping == "source" ? found.event->source : found.event->type;
}

}  // namespace

ApiReply CountDeadLetters(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kDeadLetterFilters, {"by"}); !known) {
    return Refusal(400, "bad_parameter", known.error());
  }
  const auto filter = ReadDeadLetterFilter(wiring, request.parameters, now_us);
  if (!filter) return Refusal(400, "bad_parameter", filter.error());
  const auto by = ReadBy(request.parameters);
  if (!by) return Refusal(400, "bad_parameter", by.error());

  std::uint64_t count = 0;
  std::map<Key, std::uint64_t> groups;
  const auto visited = VisitDeadLetters(wiring.store, *filter, [&](const FoundDeadLetter& found) {
    ++count;
    if (by->empty()) return true;
    Key key;
    for (const std::string& grouping : *by) key.push_back(ValueOf(found, grouping));
    if (groups.size() >= limits::kAdminRowsMax && !groups.contains(key))
      key.assign(by->size(), std::string(kOther));
    ++groups[std::move(key)];
    return true;
  });
  if (!visited) return Refusal(visited.error());

  std::vector<std::pair<Key, std::uint64_t>> sorted(groups.begin(), groups.end());
  std::ranges::stable_sort(sorted, std::ranges::greater{}, [](const auto& group) { return group.second; });
  Json json = {{"count", count}};
  if (!by->empty()) json["groups"] = Json::array();
  for (const auto& [key, size] : sorted) {
    Json group;
    for (std::size_t i = 0; i < by->size(); ++i) group[(*by)[i]] = key[i];
    group["count"] = size;
    json["groups"].push_back(std::move(group));
  }
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

}  // namespace weir::admin
