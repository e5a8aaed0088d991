// Where a secret's bytes come from: env:NAME, file:PATH, cred:NAME (systemd credentials). The only place that
// reads them. Errors name the reference, never the value.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/config/load.h"

namespace weir::config {

// True for text that begins with env:, file: or cred:.
bool IsSecretReference(std::string_view text);

struct ResolvedSecret {
  std::string value;
  std::string warning = {};         // of a file that may be used and is still worth a look; empty otherwise
  std::filesystem::path file = {};  // that it was read from; empty where it was none
};

// A relative file: is looked up in `directory`. One line end at the end of a file is not part of the secret.
// A file that everyone may read is refused where weir's own user owns it and could change that: whoever can
// log in could forge events. Elsewhere, as in a container whose secrets are mounted 0444, it is a warning.
std::expected<ResolvedSecret, std::string> ResolveSecret(std::string_view reference,
                                                         const std::filesystem::path& directory,
                                                         const Environment& environment);

// The bytes of a secret's file, under the rules of file:. The error does not name the file.
std::expected<ResolvedSecret, std::string> ReadSecretFile(const std::filesystem::path& path);

// What makes it likely that a secret is not the text that the sender has: white space around it, a line end
// within, quotes, a byte order mark. Empty: nothing. Keys in PEM and JSON are never looked at.
std::string SuspicionAbout(std::string_view secret);

}  // namespace weir::config
