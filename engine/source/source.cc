#include "engine/source/source.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>

#include "engine/limits.h"
#include "engine/source/certificate.h"
#include "engine/source/keyed_hash.h"
#include "engine/source/scheme.h"
#include "engine/source/secret_key.h"
#include "engine/source/timestamp.h"

namespace weir::source {
namespace {

std::string SecretProblem(const Scheme& scheme, std::string_view secret, std::size_t index,
                          OSSL_LIB_CTX* library) {
  if (secret.empty()) return "is empty";
  std::string first;
  std::string prefixes;
  for (const Proof& proof : scheme.proofs) {
    if (!IsFor(proof, secret, index)) {
      if (!proof.key.only_prefix.empty())
        prefixes += (prefixes.empty() ? "" : " or ") + proof.key.only_prefix;
      continue;
    }
    const auto key = PrepareSecret(proof, secret, library);
    if (key) return {};
    if (first.empty()) first = key.error();
  }
  if (!first.empty()) return first;
  return prefixes.empty() ? "is of no use to this kind" : "does not begin with " + prefixes;
}

void CheckSecrets(const Source& source, std::vector<std::string>& problems) {
  if (source.secrets.empty() && source.certificates.empty() && !source.certificates_by_name &&
      !TakesSecretByHandshake(*source.scheme)) {
    problems.emplace_back("secrets are none, so nobody can be verified");
  }
  if (source.secrets.size() > limits::kSecretsPerSourceMax) {
    problems.push_back("secrets are more than " + std::to_string(limits::kSecretsPerSourceMax));
  }
  const LibraryContext library(OSSL_LIB_CTX_new());
  for (std::size_t i = 0; i < source.secrets.size(); ++i) {
    const std::string problem = SecretProblem(*source.scheme, source.secrets[i], i, library.get());
    if (!problem.empty()) problems.push_back("secrets[" + std::to_string(i) + "] " + problem);
  }
}

void CheckCertificates(const Source& source, std::vector<std::string>& problems) {
  const bool used = std::ranges::any_of(source.scheme->proofs, [](const Proof& proof) {
    return proof.certificate.has_value() || proof.procedure == Procedure::kSns;
  });
  if (!used && source.certificates_by_name)
    problems.emplace_back("certificates mean nothing to a sender of this kind");
  const LibraryContext library(OSSL_LIB_CTX_new());
  for (const auto& [name, pem] : source.certificates) {
    const auto key = PublicKey::Parse(PublicKeyKind::kRsa, KeyText::kPem, pem, library.get());
    if (!key) problems.push_back("certificates " + name + " " + key.error());
  }
}

void WarnOfCertificates(const Source& source, std::int64_t now_s, std::vector<std::string>& warnings) {
  constexpr std::int64_t kSoonS = std::int64_t{14} * 86'400;
  for (const auto& [name, pem] : source.certificates) {
    const auto validity = ValidityOf(pem);
    if (!validity) continue;
    const std::string until = FormatTimestamp(validity->until_s, TimeUnit::kRfc3339);
    const auto warn = [&, begin = "certificates " + name + ' '](std::string_view what) {
      warnings.push_back(begin);
      warnings.back().append(what);
    };
    if (now_s > validity->until_s) {
      warn("expired at " + until + "; what it signs is refused");
    } else if (now_s < validity->from_s) {
      warn("does not hold before " + FormatTimestamp(validity->from_s, TimeUnit::kRfc3339));
    } else if (validity->until_s - now_s < kSoonS) {
      warn("expires soon, at " + until);
    }
    if (const std::string problem = ChainProblem(pem); !problem.empty()) {
      const bool refused = WantsChains(*source.scheme) && !IsOwn(pem);
      warn("is not vouched for by an authority of this machine (" + problem + "); " +
           (refused ? "what it signs is refused: its file has to hold the certificates between them, and the "
                      "machine "
                      "its authorities (package ca-certificates)"
                    : "it is believed because its file is configured"));
    }
  }
}

// A token of the right key is not yet one for us: whoever else that key's owner serves has such tokens too.
bool IsNeededByTokens(const Source& source, const std::string& parameter) {
  return std::ranges::any_of(source.scheme->proofs, [&](const Proof& proof) {
    if (!proof.jwt ||
        (proof.jwt->issuer_parameter != parameter && proof.jwt->audience_parameter != parameter)) {
      return false;
    }
    for (std::size_t i = 0; i < source.secrets.size(); ++i) {
      if (IsFor(proof, source.secrets[i], i)) return true;
    }
    return false;
  });
}

void CheckParameters(const Source& source, std::vector<std::string>& problems) {
  const auto& rules = source.scheme->parameters;
  for (const ParameterRule& rule : rules) {
    const bool given = std::ranges::any_of(source.parameters, [&rule](const auto& entry) {
      return entry.first == rule.name && !entry.second.empty();
    });
    const bool needed = rule.required || IsNeededByTokens(source, rule.name);
    if (needed && !given) problems.push_back("parameters." + rule.name + " is missing: " + rule.help);
  }
  for (const auto& [name, value] : source.parameters) {
    if (std::ranges::find(rules, name, &ParameterRule::name) != rules.end()) continue;
    std::string known;
    for (const ParameterRule& rule : rules) known += (known.empty() ? "" : ", ") + rule.name;
    problems.push_back("parameters." + name + " is unknown; this kind takes " +
                       (known.empty() ? "none" : known));
  }
}

}  // namespace

Source::~Source() {
  for (std::string& secret : secrets) OPENSSL_cleanse(secret.data(), secret.size());
}

std::string NameOfLiteral(std::string_view secret) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::size_t kShownBytes = 2;
  const Digest digest = Sha256Of("weir names a secret\n" + std::string(secret));
  std::string name = "insecure:";
  for (const std::uint8_t byte : digest.view().first(kShownBytes)) {
    name += kDigits[byte >> 4];
    name += kDigits[byte & 0xf];
  }
  return name;
}

std::string SecretName(const Source& source, std::size_t index) {
  if (index < source.secret_names.size()) return source.secret_names[index];
  return "secrets[" + std::to_string(index) + ']';
}

std::int64_t ReplayableS(const Source& source) {
  std::int64_t longest_s = 0;
  for (const Proof& proof : source.scheme->proofs) {
    if (proof.jwt) longest_s = std::max(longest_s, proof.jwt->max_age_s + proof.jwt->leeway_s);
    if (!proof.timestamp) continue;
    const TimestampRule& rule = *proof.timestamp;
    if (source.tolerance_s != kKindTolerance) {
      longest_s = std::max(longest_s, 2 * source.tolerance_s);
    } else if (rule.bounded) {
      longest_s = std::max(longest_s, rule.past_s + rule.future_s);
    }
  }
  return longest_s;
}

bool RoutesByType(const Source& source) {
  return source.allow_unsigned_type || source.scheme->event.type_signed;
}

std::vector<std::string> ProblemsOf(const Source& source) {
  std::vector<std::string> problems;
  CheckSecrets(source, problems);
  CheckCertificates(source, problems);
  CheckParameters(source, problems);
  if (NeedsPublicUrl(*source.scheme) && source.public_url.empty()) {
    problems.emplace_back("public_url is missing: this kind signs the URL it called, as the sender has it");
  }
  if (source.tolerance_s != kKindTolerance && !HasTimestamp(*source.scheme)) {
    problems.emplace_back("tolerance means nothing here: this kind signs no timestamp");
  }
  return problems;
}

std::vector<std::string> WarningsOf(const Source& source, std::int64_t now_s) {
  std::vector<std::string> warnings;
  WarnOfCertificates(source, now_s, warnings);
  for (std::size_t i = 0; i < source.secrets.size(); ++i) {
    for (const std::string& prefix : source.scheme->other_credentials) {
      if (!source.secrets[i].starts_with(prefix)) continue;
      warnings.push_back(
          "secrets[" + std::to_string(i) + "] begins with " + prefix +
          ", as an API key of this sender does; webhooks are signed with a secret of their own");
      break;
    }
  }
  for (std::size_t i = 0; i < source.secrets.size(); ++i) {
    for (const Proof& proof : source.scheme->proofs) {
      const std::string_view prefix = proof.signature.prefix;
      const bool credential = proof.algorithm == Algorithm::kToken || proof.algorithm == Algorithm::kBasic;
      if (!credential || prefix.empty() || !IsFor(proof, source.secrets[i], i)) continue;
      if (!http::EqualsIgnoreCase(std::string_view(source.secrets[i]).substr(0, prefix.size()), prefix))
        continue;
      warnings.push_back("secrets[" + std::to_string(i) + "] begins with \"" + std::string(prefix) +
                         "\", which stands before the secret in the request and is no part of it");
      break;
    }
  }
  for (const auto& [name, value] : source.parameters) {
    if (!value.empty() && (value.front() == ' ' || value.back() == ' ')) {
      warnings.push_back("parameters." + name + " begins or ends with a space");
    }
  }
  return warnings;
}

SourceTable::SourceTable(std::vector<Source> sources) : sources_(std::move(sources)) {
  static std::atomic<std::uint64_t> last_epoch{0};
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    sources_[i].index = static_cast<std::uint32_t>(i);
    sources_[i].secrets_epoch = last_epoch.fetch_add(1, std::memory_order_relaxed) + 1;
    by_name_.push_back(static_cast<std::uint32_t>(i));
  }
  std::ranges::sort(by_name_, {}, [this](std::uint32_t i) { return std::string_view(sources_[i].name); });
}

const Source* SourceTable::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [this](std::uint32_t i) { return std::string_view(sources_[i].name); });
  if (found == by_name_.end() || sources_[*found].name != name) return nullptr;
  return &sources_[*found];
}

}  // namespace weir::source
