// The readers of the document's sections; load.cc calls them in order. Each leaves the default where a value
// is wrong and reports the mistake.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/config/load.h"
#include "engine/config/table_reader.h"

namespace weir::config {

struct Context {
  std::filesystem::path directory;  // of the configuration file; relative paths start here
  const Environment& environment;
  std::filesystem::path file = {};  // the configuration itself
  // Files and directories that were read for it so far: secrets and certificates. No sink may write to them.
  std::vector<std::filesystem::path>& read;
};

void ReadServer(TableReader& document, const Context& context, Server& server, Place& data_place);
void ReadAdmin(TableReader& document, const Context& context, const Server& server, Admin& admin);
void ReadSources(TableReader& document, const Context& context, const Server& server,
                 std::vector<source::Source>& sources);
// After the sources, whose dedupe windows reach into the log.
void JudgeRetention(TableReader& document, const Server& server, const std::vector<source::Source>& sources);
void ReadSinks(TableReader& document, const Context& context, const Server& server, std::vector<Sink>& sinks,
               std::vector<SinkPlaces>& places);
// After sources and sinks: a route that leads from or to nowhere is a mistake.
void ReadRoutes(TableReader& document, const std::vector<source::Source>& sources,
                const std::vector<Sink>& sinks, std::vector<Route>& routes);

// The sink's own `forward_headers`, and what follows from them and the kinds of the sources.
void ReadForwardHeaders(TableReader& reader, Sink& sink);
void ResolveForwarding(const std::vector<source::Source>& sources, std::vector<Sink>& sinks);

struct NamedSecrets {
  std::vector<std::string> values;
  std::vector<std::string> names;  // parallel; see source::Source::secret_names
};
// The values of `key` (an array of references) and of `key`_insecure (an array of literals), in that order. A
// secret without a name goes by its reference, a literal by two bytes of its hash: neither changes when another
// secret is added or the order is another.
NamedSecrets ReadSecrets(TableReader& reader, std::string_view key, const Context& context);
// The value of `key` or of `key`_insecure, both single strings.
std::optional<std::string> ReadSecret(TableReader& reader, std::string_view key, const Context& context);

// Absolute, with "." and ".." resolved in the text only.
std::filesystem::path InDirectory(const Context& context, const std::string& path);

}  // namespace weir::config
