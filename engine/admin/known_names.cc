#include "engine/admin/known_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>

#include "engine/admin/delivery_snapshot.h"
#include "engine/admin/known_sources.h"
#include "engine/config/suggest.h"
#include "engine/limits.h"
#include "engine/source/verifier.h"

namespace weir::admin {

namespace {

constexpr std::size_t kNamesListed = 20;

// What a worker writes by itself; every other reason is a status, or the sink's or the payload's own.
constexpr std::array<std::string_view, 3> kReasonsOfWorkers = {"attempts_exhausted", "no longer in the log",
                                                               "unreadable"};

bool IsStatus(std::string_view reason) {
  return reason.size() == 3 &&
         std::ranges::all_of(reason, [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool IsOneOf(const std::vector<std::string>& known, std::string_view name) {
  return std::ranges::find(known, name) != known.end();
}

}  // namespace

std::string UnknownName(std::string_view noun, std::string_view name, const std::vector<std::string>& known) {
  std::string text = "there is no " + std::string(noun) + " \"" + std::string(name) + '"';
  const std::string_view nearest = config::Nearest(std::string(name), known);
  if (!nearest.empty()) text += "; did you mean \"" + std::string(nearest) + "\"?";
  if (known.empty()) return text;
  text += nearest.empty() ? "; there are: " : " There are: ";
  for (std::size_t i = 0; i < known.size() && i < kNamesListed; ++i) text += (i == 0 ? "" : ", ") + known[i];
  if (known.size() > kNamesListed) text += " and " + std::to_string(known.size() - kNamesListed) + " more";
  return text;
}

Read<void> CheckSourceName(const Wiring& wiring, std::string_view name) {
  if (name.empty()) return {};
  const auto sources = KnownSources(wiring.store);
  if (!sources || sources->empty()) return {};
  std::vector<std::string> known;
  for (const KnownSource& source : *sources) known.push_back(source.name);
  std::error_code error;
  const bool may_be_directory = name.find('/') == std::string_view::npos && !name.starts_with('.');
  if (IsOneOf(known, name) ||
      (may_be_directory && std::filesystem::exists(wiring.data / quarantine::kDirectoryName / name, error))) {
    return {};
  }
  // A store that an older server has filled knows its former sources by their events alone.
  if (const auto logged = LastReceivedInLog(wiring.store, limits::kAdminScanEventsMax)) {
    if (logged->contains(std::string(name))) return {};
  }
  std::ranges::sort(known);
  return std::unexpected("source: " + UnknownName("source", name, known));
}

Read<void> CheckSinkName(const Wiring& wiring, std::string_view name) {
  if (name.empty() || name == storage::kIngestSink) return {};
  const auto stored = KnownSinks(wiring.store);
  if (!stored) return {};  // whoever reads it next says why
  std::set<std::string> names(stored->begin(), stored->end());
  if (wiring.live) {
    wiring.live->visit_sinks([&](const observe::SinkProbe& probe) { names.insert(probe.sink); });
  }
  if (names.contains(std::string(name))) return {};
  std::vector<std::string> known(names.begin(), names.end());
  return std::unexpected("sink: " + UnknownName("sink", name, known));
}

Read<void> CheckDeathReason(const Wiring& wiring, std::string_view reason) {
  if (reason.empty() || IsStatus(reason)) return {};
  if (std::ranges::find(kReasonsOfWorkers, reason) != kReasonsOfWorkers.end()) return {};
  std::set<std::string> reasons;
  auto visited = wiring.store.VisitDeadLetters("", [&](const storage::DeadLetter& dead) {
    if (reasons.size() < limits::kAdminRowsMax) reasons.insert(dead.reason);
    return dead.reason != reason;
  });
  if (!visited || reasons.contains(std::string(reason))) return {};
  reasons.insert(kReasonsOfWorkers.begin(), kReasonsOfWorkers.end());
  return std::unexpected(
      "reason: " + UnknownName("reason", reason, std::vector<std::string>(reasons.begin(), reasons.end())));
}

Read<void> CheckRefusalCode(std::string_view code) {
  if (code.empty()) return {};
  using enum source::RejectReason;
  std::vector<std::string> known;
  for (const auto reason :
       {kMissingSignature, kMalformedSignature, kInvalidSignature, kStaleTimestamp, kUnsupportedEncoding,
        kMethodNotAllowed, kKeyUnavailable, kMissingField, kMalformedPayload}) {
    known.emplace_back(source::RejectCode(reason));
  }
  if (IsOneOf(known, code)) return {};
  return std::unexpected("reason: " + UnknownName("reason", code, known));
}

}  // namespace weir::admin
