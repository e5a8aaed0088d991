// A source as the hot path sees it: its name, its compiled scheme, its secrets, its limits. Immutable after
// it was built; a reload builds a new table and swaps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/source/on_conflict.h"

namespace weir::source {

inline constexpr std::int64_t kKindTolerance = -1;

struct Scheme;  // scheme.h: a compiled description of one sender's contract

struct Source {
  std::string name;
  std::string kind;
  std::shared_ptr<const Scheme> scheme;
  std::vector<std::string>
      secrets;  // resolved values; cleansed on destruction; never logged, never formatted
  // What each secret is called where it is counted: never its value. Parallel to `secrets`; shorter where nobody
  // gave names.
  std::vector<std::string> secret_names;
  // What its sender handed over once cannot be read: nobody may hand over another, and a reload keeps what is in memory.
  bool captured_secret_lost = false;
  // How far a signed timestamp may be from now, both ways. kKindTolerance = what the kind's contract says,
  // which differs between 5 s and 10 min: configuration sets this only when the operator wrote a tolerance.
  std::int64_t tolerance_s = kKindTolerance;
  // Certificates of senders that name theirs by URL (AWS SNS, PayPal): the last part of the URL's path, and
  // the PEM text. A certificate that is not among them is a key that cannot be had right now: 503, so that
  // the sender tries again.
  std::vector<std::pair<std::string, std::string>> certificates;
  bool certificates_by_name = false;  // they are what the source verifies with, even if there is none yet
  std::int64_t dedupe_window_us = 0;
  std::size_t body_bytes_max = 0;
  std::string public_url;  // empty when the scheme does not sign the URL
  // [source.parameters]: what a contract needs beyond secrets (PayPal's webhook_id, Meta's verify_token).
  std::vector<std::pair<std::string, std::string>> parameters;
  std::uint64_t quarantine_bytes_max = 0;  // refused requests kept for the operator; 0 = none
  bool reject_malformed = false;           // on_malformed = "reject"
  OnConflict on_conflict = OnConflict::kDuplicate;
  bool allow_unsigned_type = false;  // routes may look at a type that the signature does not cover
  std::uint32_t index = 0;           // position in the table: label of its metrics
  std::uint64_t secrets_epoch = 0;   // given by SourceTable, never reused: keyed contexts are cached by it

  Source() = default;
  Source(Source&&) = default;
  Source& operator=(Source&&) = default;
  ~Source();
  // Copies only where somebody says so: every copy holds the secrets once more.
  Source Clone() const { return Source(*this); }

 private:
  Source(const Source&) = default;
};

// Of a secret that its sender handed over.
inline constexpr std::string_view kCapturedSecretName = "captured";
// Of a secret that stands in the configuration itself and was given no name: "insecure:9f3c", two bytes of its
// hash, which are of no help in guessing it.
std::string NameOfLiteral(std::string_view secret);
// The name of secrets[index] in metrics, logs and reports; "secrets[0]" where it was given none.
std::string SecretName(const Source& source, std::size_t index);

// For how long, in seconds, one signed request is taken, from the earliest to the latest moment that its timestamp allows:
// a copy of it has to be known as one for as long. 0 = the sender's time bounds nothing.
std::int64_t ReplayableS(const Source& source);

// Whether a route may look at the type of its events.
bool RoutesByType(const Source& source);

// What keeps a source from being served, each with what would be right: an unusable or empty secret (by
// position, never its value), a missing public_url or parameter, a tolerance where the kind signs no
// timestamp. Empty = none. For configuration.
std::vector<std::string> ProblemsOf(const Source& source);

// What is worth a look and keeps nothing from working, as far as weir can tell; each begins with the key it is
// about. `now_s`: Unix time, for the dates of certificates.
std::vector<std::string> WarningsOf(const Source& source, std::int64_t now_s);

class SourceTable {
 public:
  // Gives every source its index and a new secrets_epoch.
  explicit SourceTable(std::vector<Source> sources);
  // The source of POST /webhooks/{name}; nullptr if there is none.
  const Source* Find(std::string_view name) const;
  const std::vector<Source>& sources() const { return sources_; }

 private:
  std::vector<Source> sources_;
  std::vector<std::uint32_t> by_name_;  // sorted
};

}  // namespace weir::source
