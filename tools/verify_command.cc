#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/admin/event_json.h"
#include "engine/admin/printable.h"
#include "storage/audit.h"
#include "storage/event_store.h"
#include "tools/commands.h"
#include "tools/filter_options.h"
#include "tools/json_text.h"
#include "tools/operator_client.h"
#include "tools/progress.h"
#include "tools/standard_output.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

// What a person is shown of a list that may be long; --json has up to storage::kFindingsMax.
constexpr std::size_t kFindingsShown = 20;

struct VerifyOptions {
  std::string data;
  std::string ledger;
  bool json = false;
  bool repair = false;
  bool yes = false;
};

CommandFailure FailureOf(const storage::StoreError& error) {
  using enum storage::StoreErrorCode;
  switch (error.code) {
    case kLocked:
    case kFormat:
    case kNotFound:
      return {kUsage, error.message};
    case kDataLoss:
    case kCorruption:
    case kIo:
    case kStalled:
      return {kFoundWrong, error.message};
  }
  return {kFoundWrong, error.message};
}

Json ToJson(const storage::AuditReport& report, bool with_ledger) {
  Json json = {{"sound", report.sound()},
               {"first_sequence", report.first},
               {"last_sequence", report.last},
               {"events", report.events},
               {"event_bytes", report.event_bytes},
               {"malformed", report.malformed},
               {"sinks", report.sinks},
               {"retries", report.retries},
               {"dead_letters", report.dead_letters},
               {"conflicts", report.conflicts},
               {"accepted_losses", report.accepted_losses},
               {"holes", report.holes},
               {"lost_sequences", report.lost_sequences}};
  if (with_ledger) json["ledger"] = {{"ids", report.ledger_ids}, {"found", report.ledger_found}};
  json["findings_total"] = report.findings_total;
  json["findings"] = Json::array();
  for (const storage::Finding& finding : report.findings) {
    json["findings"].push_back({{"kind", storage::FindingName(finding.kind)},
                                {"sequence", finding.sequence},
                                {"detail", finding.detail}});
  }
  return json;
}

void PrintReport(const storage::AuditReport& report, bool with_ledger) {
  PrintField("events", std::to_string(report.events) + " (sequences " + std::to_string(report.first) +
                           " to " + std::to_string(report.last) + ")");
  PrintField("malformed", std::to_string(report.malformed));
  PrintField("sinks", std::to_string(report.sinks));
  PrintField("retries", std::to_string(report.retries));
  PrintField("dead letters", std::to_string(report.dead_letters));
  PrintField("conflicts", std::to_string(report.conflicts));
  if (report.accepted_losses > 0) PrintField("accepted losses", std::to_string(report.accepted_losses));
  if (report.holes > 0) {
    PrintField("holes",
               std::to_string(report.holes) + " of " + std::to_string(report.lost_sequences) + " sequences");
  }
  if (with_ledger) {
    PrintField("ledger", std::to_string(report.ledger_found) + " of " + std::to_string(report.ledger_ids) +
                             " acknowledged ids are stored");
  }
  for (std::size_t i = 0; i < report.findings.size() && i < kFindingsShown; ++i) {
    const storage::Finding& finding = report.findings[i];
    const std::string place =
        finding.sequence == storage::kNoSequence ? "" : " at " + std::to_string(finding.sequence);
    Print("WRONG " + std::string(storage::FindingName(finding.kind)) + place + ": " +
          admin::PrintableSentence(finding.detail) + "\n");
  }
  if (report.findings_total > kFindingsShown) {
    Print("… and " + std::to_string(report.findings_total - kFindingsShown) + " more\n");
  }
  Print(report.sound() ? "sound\n" : std::to_string(report.findings_total) + " findings\n");
}

constexpr const char* kWhatRepairDoes =
    "The dedupe index is made anew from the log. Nothing that is stored is given up; an event whose record "
    "cannot be\n"
    "read is not in the new index, so that the same id is then stored as a new event. Damaged records stay "
    "as they are:\n"
    "a backup may have them; `weir sinks skip` lets a sink go past them.\n";

// An answer only where somebody can give one.
bool Agreed(const VerifyOptions& options) {
  if (options.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) return false;
  std::fputs("Go on? [y/N] ", stderr);
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

int Repair(const VerifyOptions& options) {
  std::fputs(kWhatRepairDoes, stderr);
  if (!Agreed(options)) return Fail({kUsage, "nothing was changed; --yes goes on without asking"});
  storage::StoreOptions store;
  store.directory = options.data;
  store.create_if_missing = false;
  store.rebuild_dedupe = true;
  const auto opened = storage::EventStore::Open(store);
  if (!opened) return Fail(FailureOf(opened.error()));
  const auto statistics = (*opened)->Statistics();
  Print("the dedupe index is made anew: " + std::to_string(statistics.dedupe_runs) + " runs of " +
        std::to_string(statistics.dedupe_entries_sealed) + " events\n");
  return Finish(kDone);
}

int Verify(const VerifyOptions& options) {
  if (options.repair) return Repair(options);
  Progress progress("checked", "events");
  storage::AuditRequest request;
  request.directory = options.data;
  if (!options.ledger.empty()) request.ledger = options.ledger;
  request.progress = [&progress](std::uint64_t checked, std::uint64_t total) {
    progress.Update(checked, total == 0 ? -1 : static_cast<double>(checked) / static_cast<double>(total));
  };
  const auto report = storage::Audit(request);
  if (!report) return Fail(FailureOf(report.error()));
  if (options.json) {
    Print(admin::Dump(ToJson(*report, request.ledger.has_value())) + "\n");
  } else {
    PrintReport(*report, request.ledger.has_value());
  }
  return Finish(report->sound() ? kDone : kFoundWrong);
}

constexpr const char* kFooter =
    "Reads the whole store at rest and changes nothing: every sequence is there, every record decodes and "
    "follows the\n"
    "one before it, no id is stored twice inside its window, nothing refers to an event that is not there.\n"
    "\n"
    "A ledger has one acknowledged id a line, or SOURCE TAB ID, as weir-bench --ledger writes it.\n"
    "\n"
    "Exit code 1 when anything is wrong, 2 when there is no store or a server has it open.\n"
    "\n"
    "Example:\n"
    "  weir verify --data data --ledger acked.txt";

}  // namespace

void AddVerifyCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand("verify", "Offline audit of every invariant of a store");
  command->footer(kFooter);
  AddDataOption(*command, options->data);
  command->add_option("--ledger", options->ledger, "Also prove that each id in this file is stored")
      ->check(CLI::ExistingFile);
  command->add_flag("--json", options->json, "JSON instead of text");
  command->add_flag("--repair", options->repair,
                    "Make anew what can be derived from the log: the dedupe index");
  command->add_flag("--yes", options->yes, "Repair without asking");
  command->callback([options, &exit_code] { exit_code = Verify(*options); });
}

}  // namespace weir::tools
