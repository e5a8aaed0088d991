#include "tools/stepped_action.h"

#include <nlohmann/json.hpp>

#include "tools/progress.h"

namespace weir::tools {

CommandResult<void> ActInSteps(OperatorClient& client, const std::string& path, admin::Parameters parameters,
                               const std::string& verb, const std::string& noun,
                               const std::function<std::uint64_t(const nlohmann::ordered_json&)>& add) {
  Progress progress(verb, noun);
  for (;;) {
    const auto reply = client.Post(path, parameters);
    if (!reply) return std::unexpected(reply.error());
    const auto json = nlohmann::ordered_json::parse(reply->body);
    const std::uint64_t done = add(json);
    if (!json["more"].get<bool>()) return {};
    parameters["after"] = json["after"].get<std::string>();
    progress.Update(done, -1);
  }
}

}  // namespace weir::tools
