#include "tools/signing_input.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "engine/config/quantity.h"
#include "engine/config/secret.h"
#include "engine/limits.h"
#include "tools/commands.h"
#include "tools/config_file.h"

namespace weir::tools {
namespace {

constexpr std::string_view kStandardInput = "-";

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

CommandFailure FileFailure(const std::string& file, const char* what) {
  return {kUsage, file + ": " + what + ": " + std::system_category().message(errno)};
}

}  // namespace

CommandResult<std::string> ReadBody(const std::string& file) {
  const std::unique_ptr<std::FILE, CloseFile> stream(file == kStandardInput ? stdin
                                                                            : std::fopen(file.c_str(), "rb"));
  if (!stream) return std::unexpected(FileFailure(file, "cannot be opened"));
  std::string body;
  std::array<char, 64 * limits::kKiB> chunk;
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), stream.get())) {
    body.append(chunk.data(), got);
    if (body.size() > limits::kBodyBytesCeiling) {
      return std::unexpected(
          CommandFailure{kUsage, file + ": is larger than " + config::FormatSize(limits::kBodyBytesCeiling)});
    }
  }
  if (std::ferror(stream.get()) != 0) return std::unexpected(FileFailure(file, "cannot be read"));
  return body;
}

CommandResult<std::string> SecretOf(const std::string& argument) {
  if (argument.empty()) return std::unexpected(CommandFailure{kUsage, "--secret is empty"});
  if (!config::IsSecretReference(argument)) return argument;
  auto secret = config::ResolveSecret(argument, std::filesystem::current_path(), ProcessEnvironment());
  if (!secret) return std::unexpected(CommandFailure{kUsage, "--secret: " + secret.error()});
  return std::move(secret->value);
}

}  // namespace weir::tools
