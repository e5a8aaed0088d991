#include "tools/status_screen.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/admin/printable.h"
#include "engine/admin/time_expression.h"
#include "engine/text/rfc3339.h"
#include "tools/json_text.h"
#include "tools/source_table.h"
#include "tools/text_table.h"

namespace weir::tools {

namespace {

using Json = nlohmann::ordered_json;

std::string Fixed(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

double Number(const Json& json, const char* key) {
  return json.value(key, 0.0);
}

std::string PerSecond(double now, double before, double seconds) {
  return seconds <= 0 ? "-" : Fixed(std::max(0.0, now - before) / seconds, 0) + "/s";
}

std::string Milliseconds(const Json& latency, const char* key) {
  const double ms = Number(latency, key);
  return Number(latency, "count") == 0 ? "-" : Fixed(ms, ms < 10 ? 2 : 0) + " ms";
}

std::string Seconds(double seconds) {
  return seconds <= 0 ? "-" : admin::FormatDuration(static_cast<std::int64_t>(seconds * 1e6));
}

std::string ServerLines(const Json& report) {
  const Json& server = report["server"];
  if (!server["running"].get<bool>()) return "server    not running; this is what its store says\n";
  std::string text =
      "server    " + Text(server, "version") + ", up " + Seconds(Number(server, "uptime_seconds")) + ", " +
      FormatBytes(Number(server, "resident_bytes")) + " resident, I/O " + Text(server, "ring") + "\n";
  if (server["ready"].get<bool>()) return text + "ready     yes\n";
  for (const Json& reason : server["reasons"])
    text += "NOT READY " + admin::PrintableSentence(reason.get<std::string>()) + "\n";
  return text;
}

std::string ConfigurationLines(const Json& report) {
  const auto found = report.find("configuration");
  if (found == report.end()) return "";
  std::string text = "config    ";
  if (found->value("applied", true)) {
    text += "read " + Text(*found, "read_at") + "\n";
  } else {
    text += "REFUSED at " + Text(*found, "read_at") + ", the one before it is in force\n";
    for (const Json& error : (*found)["errors"])
      text += "          " + admin::PrintableSentence(error.get<std::string>()) + "\n";
  }
  if (const Json& keys = (*found)["needs_restart"]; !keys.empty()) {
    text += "          in force only after a restart:";
    for (const Json& key : keys) text += ' ' + admin::Printable(key.get<std::string>());
    text += "\n";
  }
  return text;
}

std::string UnopenedLines(const Json& report) {
  std::string text;
  for (const Json& sink : report["sinks"]) {
    if (!sink.contains("cannot_open") || sink["cannot_open"].is_null()) continue;
    text += (text.empty() ? "\n" : "") + std::string("sink ") + Text(sink, "sink") +
            " cannot be opened, its events wait: " + Text(sink, "cannot_open") + "\n";
  }
  return text;
}

std::string IngestLines(const Json& report, const Json& earlier, double seconds) {
  const Json& ingest = report["ingest"];
  const Json& commit = report["commit"];
  std::string text = "ingest    " +
                     PerSecond(Number(ingest, "received"), Number(earlier["ingest"], "received"), seconds) +
                     " now; " + Text(ingest, "received") + " stored, " + Text(ingest, "duplicates") +
                     " duplicates, " + Text(ingest, "rejected") + " rejected\n";
  text += "latency   p50 " + Milliseconds(ingest["latency"], "p50_ms") + ", p99 " +
          Milliseconds(ingest["latency"], "p99_ms") + ", p99.9 " +
          Milliseconds(ingest["latency"], "p999_ms") + " to the ack\n";
  text += "commit    " + Fixed(Number(commit, "events_per_batch"), 1) + " events a batch, sync p50 " +
          Milliseconds(commit["sync"], "p50_ms") + ", p99 " + Milliseconds(commit["sync"], "p99_ms") + ", " +
          Text(commit, "queue_depth") + " waiting\n";
  text += "load      " + Text(ingest, "connections") + " connections, " +
          FormatBytes(Number(ingest, "inflight_bytes")) + " in flight\n";
  return text;
}

const Json* FindBy(const Json& rows, const char* key, const std::string& value) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Json& row) { return Text(row, key) == value; });
  return found == rows.end() ? nullptr : &*found;
}

std::string SourceTable(const Json& report, const Json& earlier, double seconds) {
  TextTable table({{"SOURCE"},
                   {"NOW", TextTable::Align::kRight},
                   {"STORED", TextTable::Align::kRight},
                   {"DUPLICATES", TextTable::Align::kRight},
                   {"REJECTED", TextTable::Align::kRight},
                   {"P99", TextTable::Align::kRight}});
  for (const Json& source : report["ingest"]["sources"]) {
    const Json* before = FindBy(earlier["ingest"]["sources"], "source", Text(source, "source"));
    const double received_before = before == nullptr ? 0 : Number(*before, "received");
    table.Add({Text(source, "source"), PerSecond(Number(source, "received"), received_before, seconds),
               Text(source, "received"), Text(source, "duplicates"), Text(source, "rejected"),
               Milliseconds(source["latency"], "p99_ms")});
  }
  return table.empty() ? "" : "\n" + table.Text();
}

// When something last came from each source, and what was last refused.
std::string LastSeen(const Json& report) {
  const auto now_us = text::ParseRfc3339(Text(report, "at"));
  const std::string table =
      LastSeenTable(report["ingest"]["sources"], now_us.value_or(0)) +
      WithoutSourceLine(report["ingest"].value("without_source", Json()), now_us.value_or(0));
  return table.empty() ? "" : "\n" + table;
}

// What the sinks do, then what waits for them: side by side they are wider than a screen.
std::string SinkActivity(const Json& report, const Json& earlier, double seconds) {
  TextTable table({{"SINK"},
                   {"NOW", TextTable::Align::kRight},
                   {"DELIVERED", TextTable::Align::kRight},
                   {"FAILED ATTEMPTS", TextTable::Align::kRight},
                   {"P99", TextTable::Align::kRight},
                   {"BREAKER"}});
  for (const Json& sink : report["sinks"]) {
    if (!sink.contains("processed")) continue;
    const Json* before = FindBy(earlier["sinks"], "sink", Text(sink, "sink"));
    const double processed_before = before == nullptr ? 0 : Number(*before, "processed");
    table.Add({Text(sink, "sink"), PerSecond(Number(sink, "processed"), processed_before, seconds),
               Text(sink, "processed"), Text(sink, "failed_attempts"),
               Milliseconds(sink["latency"], "p99_ms"),
               sink.value("breaker_open", false) ? "open" : "closed"});
  }
  return table.empty() ? "" : "\n" + table.Text();
}

std::string SinkBacklog(const Json& report) {
  TextTable table({{"SINK"},
                   {"QUEUE", TextTable::Align::kRight},
                   {"OLDEST", TextTable::Align::kRight},
                   {"RETRYING", TextTable::Align::kRight},
                   {"DEAD", TextTable::Align::kRight}});
  for (const Json& sink : report["sinks"]) {
    table.Add({Text(sink, "sink"), Text(sink, "queue_depth"), Seconds(Number(sink, "oldest_pending_seconds")),
               Text(sink, "retry_queue_size"), Text(sink, "dead_letters")});
  }
  return table.empty() ? "" : "\n" + table.Text();
}

// An empty log has neither a first nor a last.
std::uint64_t EventsKept(const Json& log) {
  const auto first = log["first_sequence"].get<std::uint64_t>();
  return first == 0 ? 0 : log["last_sequence"].get<std::uint64_t>() - first + 1;
}

}  // namespace

std::string FormatBytes(double bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return Fixed(bytes, unit > 0 && bytes < 9.95 ? 1 : 0) + " " + kUnits[unit];
}

std::string StatusScreen(const Json& report, const Json& earlier, double seconds) {
  const bool running = report["server"]["running"].get<bool>();
  std::string text = ServerLines(report);
  if (running) text += ConfigurationLines(report);
  if (running) text += IngestLines(report, earlier, seconds);
  const Json& log = report["log"];
  text += "log       " + std::to_string(EventsKept(log)) + " events, " + FormatBytes(Number(log, "bytes")) +
          " on disk, " + FormatBytes(Number(report["disk"], "free_bytes")) + " free";
  if (running) text += " (stops below " + FormatBytes(Number(report["disk"], "floor_bytes")) + ")";
  text += "\n";
  if (Number(report, "never_deliverable") > 0) {
    text += "malformed " + Text(report, "never_deliverable") +
            " events never were deliverable: weir dlq list --sink -\n";
  }
  if (report.contains("troubles")) {
    for (const Json& trouble : report["troubles"])
      text += "trouble   " + Text(trouble, "part") + ": " + Text(trouble, "reason") + "\n";
  }
  if (running) text += SourceTable(report, earlier, seconds) + LastSeen(report);
  text += SinkActivity(report, earlier, seconds) + SinkBacklog(report);
  if (running) text += UnopenedLines(report);
  for (const Json& sink : report["sinks"]) {
    if (sink.contains("held") && !sink["held"].is_null())
      text += "held      " + Text(sink, "sink") + " delivers nothing: " + Text(sink, "held") + "\n";
    if (Number(sink, "stopped_at") == 0) continue;
    text += "stopped   " + Text(sink, "sink") + " at event " + Text(sink, "stopped_at") +
            ", which cannot be read: weir sinks skip --sink " + Text(sink, "sink") + "\n";
  }
  return text;
}

}  // namespace weir::tools
