#include "tools/filter_options.h"

#include <CLI/CLI.hpp>
#include <chrono>

#include "engine/admin/event_state.h"
#include "engine/admin/time_expression.h"

namespace weir::tools {

namespace {

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// An empty value is what an unset shell variable leaves; as a filter it would mean "everything".
void AddText(CLI::App& command, FilterOptions& filter, const char* name, const std::string& help) {
  command
      .add_option_function<std::string>(
          std::string("--") + name,
          [&filter, name](const std::string& text) { filter.parameters[name] = text; }, help)
      ->check([](const std::string& text) {
        return text.empty() ? std::string("must not be empty") : std::string();
      });
}

void AddTime(CLI::App& command, FilterOptions& filter, const char* name, const std::string& help) {
  command
      .add_option_function<std::string>(
          std::string("--") + name,
          [&filter, name](const std::string& text) {
            filter.parameters[name] = admin::FormatTime(admin::ParseTime(text, NowUs()).value_or(0));
          },
          help)
      ->check([](const std::string& text) {
        const auto time = admin::ParseTime(text, NowUs());
        return time ? std::string() : time.error();
      });
}

}  // namespace

void AddDataOption(CLI::App& command, std::string& data) {
  command.add_option("--data", data, "Directory of the store ([server] data)")->required();
}

void AddEventFilter(CLI::App& command, FilterOptions& filter) {
  AddText(command, filter, "source", "Only events of this source");
  AddText(command, filter, "type", "Only types this glob matches, as in routes: 'invoice.*'");
  AddText(command, filter, "id", "Only the event with the sender's id");
  AddTime(command, filter, "since",
          "Received at or after: 2026-11-21T09:30:00Z, 2026-11-21, or 15m, 2h, 7d ago");
  AddTime(command, filter, "until", "Received before; the same forms");
  command
      .add_option_function<std::string>(
          "--state", [&filter](const std::string& text) { filter.parameters["state"] = text; },
          "Only events in this state: " + std::string(admin::kStateNames))
      ->check([](const std::string& text) {
        return admin::ParseState(text) ? std::string() : "expected one of " + std::string(admin::kStateNames);
      });
}

void AddDeadLetterFilter(CLI::App& command, FilterOptions& filter) {
  AddText(command, filter, "sink", "Only letters of this sink; '-' holds events that never were deliverable");
  AddText(command, filter, "source", "Only events of this source");
  AddText(command, filter, "type", "Only types this glob matches, as in routes: 'invoice.*'");
  AddText(command, filter, "id", "Only the event with the sender's id");
  AddText(command, filter, "reason", "Only letters with this reason: attempts_exhausted, 410");
  AddTime(command, filter, "since", "Died at or after: 2026-11-21T09:30:00Z, 2026-11-21, or 15m, 2h, 7d ago");
  AddTime(command, filter, "until", "Died before; the same forms");
}

void AddQuarantineFilter(CLI::App& command, FilterOptions& filter) {
  AddText(command, filter, "id",
          "Only this one, by the id it is listed with or the X-Request-Id of its answer");
  AddText(command, filter, "source", "Only requests to this source");
  AddText(command, filter, "reason",
          "Only those refused for this reason: invalid_signature, stale_timestamp");
  AddTime(command, filter, "since",
          "Received at or after: 2026-11-21T09:30:00Z, 2026-11-21, or 15m, 2h, 7d ago");
  AddTime(command, filter, "until", "Received before; the same forms");
}

}  // namespace weir::tools
