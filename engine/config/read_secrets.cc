#include <algorithm>

#include "engine/config/name.h"
#include "engine/config/secret.h"
#include "engine/config/sections.h"
#include "engine/source/source.h"

namespace weir::config {
namespace {

constexpr std::string_view kInsecure = "_insecure";
constexpr std::size_t kNameBytesMax = 64;

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
  if (!secret->file.empty()) context.read.push_back(secret->file);
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

// The secret's name, where it was given one that can be a label.
std::optional<std::string> NameOf(const NamedText& entry, const std::vector<std::string>& taken,
                                  Findings& findings) {
  if (!entry.name) return std::nullopt;
  const std::string& name = entry.name->value;
  if (name.size() > kNameBytesMax || !IsName(name)) {
    findings.Error(entry.name->place,
                   "must be at most " + std::to_string(kNameBytesMax) +
                       " letters, digits, '-', '_' and '.', beginning with a letter or digit");
    return std::nullopt;
  }
  if (std::ranges::find(taken, name) != taken.end()) {
    findings.Error(entry.name->place, '"' + name + "\" is the name of an earlier secret");
  }
  return name;
}

}  // namespace

NamedSecrets ReadSecrets(TableReader& reader, std::string_view key, const Context& context) {
  const std::string plain(key);
  const std::string insecure = plain + std::string(kInsecure);
  NamedSecrets secrets;
  const auto add = [&](const NamedText& entry, std::optional<std::string> value, auto otherwise) {
    const auto name = NameOf(entry, secrets.names, reader.findings());
    if (!value) return;
    secrets.names.push_back(name ? *name : otherwise(*value));
    secrets.values.push_back(*std::move(value));
  };
  for (const NamedText& entry : reader.NamedStrings(plain, "secret")) {
    add(entry, Resolve(entry.text, insecure, reader.findings(), context),
        [&](const std::string&) { return entry.text.value; });
  }
  for (const NamedText& entry : reader.NamedStrings(insecure, "secret")) {
    add(entry, TakeLiteral(entry.text, plain, reader.findings()), source::NameOfLiteral);
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
