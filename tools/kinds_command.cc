#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/config/suggest.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "tools/commands.h"
#include "tools/standard_output.h"
#include "tools/text_table.h"

namespace weir::tools {
namespace {

using Json = nlohmann::ordered_json;

struct KindsOptions {
  std::string name;
  bool json = false;
  bool markdown = false;
};

Json KindJson(const source::Kind& kind) {
  return {{"name", kind.name},
          {"title", kind.title},
          {"signs_timestamp", source::HasTimestamp(*kind.scheme)},
          {"needs_public_url", source::NeedsPublicUrl(*kind.scheme)}};
}

void List(bool json) {
  if (json) {
    Json list = Json::array();
    for (const source::Kind& kind : source::Kinds()) list.push_back(KindJson(kind));
    Print(list.dump(2) + '\n');
    return;
  }
  TextTable table({{.title = "KIND"}, {.title = "SENDER"}});
  for (const source::Kind& kind : source::Kinds()) table.Add({kind.name, kind.title});
  table.Add({"custom", "described in [source.scheme]"});
  Print(table.Text());
}

int Show(const KindsOptions& options) {
  const source::Kind* kind = source::FindKind(options.name);
  if (kind == nullptr) {
    std::vector<std::string> names;
    for (const source::Kind& known : source::Kinds()) names.push_back(known.name);
    const std::string_view nearest = config::Nearest(options.name, names);
    return Fail({kUsage, "there is no kind \"" + options.name + '"' +
                             (nearest.empty() ? "" : "; did you mean \"" + std::string(nearest) + "\"?")});
  }
  if (!options.json) {
    Print(source::DescribeKind(*kind));
    return kDone;
  }
  Json json = KindJson(*kind);
  json["scheme_toml"] = kind->toml;
  Print(json.dump(2) + '\n');
  return kDone;
}

int Kinds(const KindsOptions& options) {
  if (options.markdown) {
    Print(source::KindsMarkdown());
    return Finish(kDone);
  }
  if (!options.name.empty()) return Finish(Show(options));
  List(options.json);
  return Finish(kDone);
}

}  // namespace

void AddKindsCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<KindsOptions>();
  CLI::App* command =
      app.add_subcommand("kinds", "The built-in provider kinds; with NAME its whole contract");
  command->footer("Example:\n  weir kinds\n  weir kinds stripe");
  auto* name = command->add_option("name", options->name, "A kind");
  auto* json = command->add_flag("--json", options->json, "JSON instead of text");
  command->add_flag("--markdown", options->markdown, "All of them, as in docs/providers.md")
      ->excludes(name)
      ->excludes(json);
  command->callback([options, &exit_code] { exit_code = Kinds(*options); });
}

}  // namespace weir::tools
