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

// A relative file: is looked up in `directory`. One line end at the end of a file is not part of the secret.
// A file that everyone may read is refused: whoever can log in could forge events.
std::expected<std::string, std::string> ResolveSecret(std::string_view reference,
                                                      const std::filesystem::path& directory,
                                                      const Environment& environment);

// The bytes of a secret's file, under the rules of file:. The error does not name the file.
std::expected<std::string, std::string> ReadSecretFile(const std::filesystem::path& path);

}  // namespace weir::config
