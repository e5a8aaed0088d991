#include "engine/config/secret.h"
#include "engine/config/sections.h"

namespace weir::config {
namespace {

constexpr std::string_view kInsecure = "_insecure";

void WarnOfText(const Place& place, std::string_view secret, Findings& findings) {
  const std::string suspicion = SuspicionAbout(secret);
  if (!suspicion.empty()) {
    findings.Warning(place, "the secret " + suspicion + "; is that the text that the sender has?");
  }
}

std::optional<std::string> Resolve(const Text& text, const std::string& insecure_key, Findings& findings,
                                   const Context& context) {
  if (!IsSecretReference(text.value)) {
    findings.Error(text.place,
                   "a secret is not written here; name where it is, as env:NAME, file:PATH or "
                   "cred:NAME, or put the literal in " +
                       insecure_key);
    return std::nullopt;
  }
  auto secret = ResolveSecret(text.value, context.directory, context.environment);
  if (!secret) {
    findings.Error(text.place, secret.error());
    return std::nullopt;
  }
  if (!secret->warning.empty()) findings.Warning(text.place, std::move(secret->warning));
  WarnOfText(text.place, secret->value, findings);
  return std::move(secret->value);
}

std::optional<std::string> TakeLiteral(const Text& text, const std::string& key, Findings& findings) {
  if (text.value.empty()) {
    findings.Error(text.place, "is empty");
    return std::nullopt;
  }
  if (IsSecretReference(text.value)) {
    findings.Error(text.place, "is taken as a literal; a reference belongs in " + key);
    return std::nullopt;
  }
  findings.Warning(text.place, "the secret is in the configuration file itself");
  WarnOfText(text.place, text.value, findings);
  return text.value;
}

}  // namespace

std::vector<std::string> ReadSecrets(TableReader& reader, std::string_view key, const Context& context) {
  const std::string plain(key);
  const std::string insecure = plain + std::string(kInsecure);
  std::vector<std::string> secrets;
  for (const Text& text : reader.Strings(plain)) {
    if (auto secret = Resolve(text, insecure, reader.findings(), context))
      secrets.push_back(std::move(*secret));
  }
  for (const Text& text : reader.Strings(insecure)) {
    if (auto secret = TakeLiteral(text, plain, reader.findings())) secrets.push_back(std::move(*secret));
  }
  return secrets;
}

std::optional<std::string> ReadSecret(TableReader& reader, std::string_view key, const Context& context) {
  const std::string plain(key);
  const std::string insecure = plain + std::string(kInsecure);
  const auto reference = reader.String(plain);
  const auto literal = reader.String(insecure);
  if (reference && literal) reader.Error(insecure, "is given together with " + plain + "; keep one");
  if (reference) return Resolve(*reference, insecure, reader.findings(), context);
  if (literal) return TakeLiteral(*literal, plain, reader.findings());
  return std::nullopt;
}

}  // namespace weir::config
