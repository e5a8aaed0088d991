// The secret that a sender handed over in a handshake (Asana, Notion): DATA/secrets/SOURCE, mode 0600. It
// counts while the configuration names no secret for the source; the first one stays until its file is
// removed together with DATA/secret-checks/SOURCE, which says what it was, and lies elsewhere so that it outlives the
// directory of the secrets: a file that was lost or altered is an error, not an invitation to hand over another.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace weir::config {

// `source` is a valid name (name.h), so it is a file name too.
std::filesystem::path CapturedSecretPath(const std::filesystem::path& data, std::string_view source);
std::filesystem::path CapturedCheckPath(const std::filesystem::path& data, std::string_view source);

// nullopt: none has been handed over yet. The error does not contain the secret.
std::expected<std::optional<std::string>, std::string> ReadCapturedSecret(const std::filesystem::path& data,
                                                                          std::string_view source);

// Whoever can log in may read it, or change it, and forge events: no loss, and refused as any such file is.
bool IsOpenToEveryone(const std::filesystem::path& data, std::string_view source);

enum class Capture : std::uint8_t { kKept, kTaken };

// Durable on return. kTaken: another secret is there already, and stays. Any thread; one process at a time,
// as everything under DATA.
std::expected<Capture, std::string> KeepCapturedSecret(const std::filesystem::path& data,
                                                       std::string_view source, std::string_view secret);

}  // namespace weir::config
