#include "engine/config/load.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "engine/config/sections.h"
#include "engine/config/settings.h"
#include "engine/limits.h"
#include "engine/source/toml.h"

namespace weir::config {
namespace {

using Errors = std::vector<ConfigError>;

std::unexpected<Errors> Failed(const std::filesystem::path& file, std::string reason) {
  return std::unexpected(
      Errors{{.file = file.string(), .line = 0, .column = 0, .key = "", .reason = std::move(reason)}});
}

// The document in the order in which its parts depend on each other. `running`: the [server] that sources and sinks
// are to live under; null for the document's own.
Config ReadDocument(const toml::table& table, const Context& context, const Server* running,
                    Findings& findings) {
  Config config;
  TableReader document(table, "", findings);
  ReadServer(document, context, config.server, config.data_place);
  ReadAdmin(document, context, config.server, config.admin);
  const Server& server = running != nullptr ? *running : config.server;
  ReadSources(document, context, server, config.sources);
  JudgeRetention(document, server, config.sources);
  ReadSinks(document, context, server, config.sinks, config.sink_places);
  ResolveForwarding(config.sources, config.sinks);
  ReadRoutes(document, config.sources, config.sinks, config.routes);
  document.Finish();
  config.settings = DigestSettings(table);
  return config;
}

}  // namespace

std::string ToString(const ConfigError& error) {
  std::string text = error.file;
  if (error.line != 0) text += ':' + std::to_string(error.line);
  text += ": ";
  if (!error.key.empty()) text += error.key + ": ";
  return text + error.reason;
}

std::filesystem::path InDirectory(const Context& context, const std::string& path) {
  return (context.directory / path).lexically_normal();
}

std::expected<Config, Errors> Load(const std::filesystem::path& file, const Environment& environment,
                                   const Server* running) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Failed(file, "cannot be opened: " + std::system_category().message(errno));
  std::string text(limits::kConfigFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return Failed(file, "cannot be read: " + std::system_category().message(errno));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > limits::kConfigFileBytesMax) return Failed(file, "is too large to be a configuration");
  return Parse(text, file, environment, running);
}

std::expected<Config, Errors> Parse(std::string_view text, const std::filesystem::path& name_for_errors,
                                    const Environment& environment, const Server* running) {
  Findings findings(name_for_errors.string());
  toml::table table;
  try {
    table = toml::parse(text, name_for_errors.string());
  } catch (const toml::parse_error& error) {
    const auto begin = error.source().begin;
    findings.Error({.line = begin.line, .column = begin.column, .key = ""}, std::string(error.description()));
    return std::unexpected(findings.TakeErrors());
  }
  std::error_code ignored;
  const auto absolute = std::filesystem::absolute(name_for_errors, ignored);
  std::vector<std::filesystem::path> read;
  const Context context{
      .directory = absolute.parent_path(), .environment = environment, .file = absolute, .read = read};
  Config config = ReadDocument(table, context, nullptr, findings);
  config.file = absolute;
  config.warnings = findings.TakeWarnings();
  if (findings.error_count() != 0) return std::unexpected(findings.TakeErrors());
  if (running == nullptr || *running == config.server) return config;
  Config now = ReadDocument(table, context, running, findings);
  now.file = absolute;
  now.warnings = findings.TakeWarnings();
  if (findings.error_count() == 0) return now;
  Errors errors = findings.TakeErrors();
  for (ConfigError& error : errors) {
    error.reason += "; that is under the [server] that runs, under the one in the file it takes a restart";
  }
  return std::unexpected(std::move(errors));
}

}  // namespace weir::config
