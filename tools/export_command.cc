#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <thread>

#include "engine/admin/cursor_endpoints.h"
#include "engine/admin/event_endpoints.h"
#include "tools/commands.h"
#include "tools/export_cursor.h"
#include "tools/filter_options.h"
#include "tools/operator_client.h"
#include "tools/output_file.h"
#include "tools/progress.h"
#include "tools/standard_output.h"
#include "tools/unreadable_note.h"

namespace weir::tools {

namespace {

// How often a follower that has everything asks again.
constexpr std::chrono::milliseconds kFollowInterval{200};

struct ExportOptions {
  std::string data;
  FilterOptions filter;
  std::string format = "ndjson";
  std::string out;
  std::string cursor;
  bool follow = false;
};

volatile std::sig_atomic_t stop_requested = 0;

void RequestStop(int) {
  stop_requested = 1;
}

// A follower is ended by a signal; what it has written until then is complete and its cursor says so.
void StopOnSignals() {
  struct sigaction action{};
  action.sa_handler = RequestStop;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

CommandFailure Wrong(std::string message) {
  return {kFoundWrong, std::move(message)};
}

// A piece of the export, and where the next one starts.
struct Piece {
  std::string text;
  std::uint64_t events = 0;
  std::uint64_t next = 0;
  bool finished = false;
  std::string unreadable;  // admin::kUnreadableHeader
};

std::string HeaderOf(const admin::ApiReply& reply, const std::string& name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

CommandResult<Piece> Fetch(OperatorClient& client, const admin::Parameters& parameters) {
  auto reply = client.Get("/export", parameters);
  if (!reply) return std::unexpected(reply.error());
  Piece piece;
  piece.next = std::strtoull(HeaderOf(*reply, admin::kNextSequenceHeader).c_str(), nullptr, 10);
  piece.events = std::strtoull(HeaderOf(*reply, admin::kEventsHeader).c_str(), nullptr, 10);
  piece.finished = HeaderOf(*reply, admin::kFinishedHeader) == "1";
  piece.unreadable = HeaderOf(*reply, admin::kUnreadableHeader);
  piece.text = std::move(reply->body);
  if (piece.next == 0) return std::unexpected(Wrong("the server's answer does not say where to go on"));
  return piece;
}

CommandResult<ExportCursor> LoadCursor(OperatorClient& client, const std::string& name) {
  const auto reply = client.Get("/cursor", {{"name", name}});
  if (!reply) return std::unexpected(reply.error());
  const auto json = nlohmann::json::parse(reply->body);
  if (json["value"].is_null()) return ExportCursor{};
  const auto cursor = ParseExportCursor(json["value"].get<std::string>());
  if (!cursor)
    return std::unexpected(Wrong("cursor " + name + " holds something else than the place of an export"));
  return *cursor;
}

// Opens a growing file where the cursor left it.
CommandResult<OutputFile> OpenAppending(const ExportOptions& options, const std::string& path,
                                        const ExportCursor& cursor) {
  auto file = OutputFile::Append(path);
  if (!file) return std::unexpected(Wrong(file.error()));
  if (cursor.file == path && cursor.inode == file->inode() && file->bytes() >= cursor.bytes) {
    if (auto cut = file->CutBack(cursor.bytes); !cut) return std::unexpected(Wrong(cut.error()));
  } else if (file->bytes() > 0) {
    const std::string who = options.cursor.empty() ? "" : " that cursor " + options.cursor + " did not write";
    return std::unexpected(CommandFailure{kUsage, path + ": already has content" + who});
  }
  return std::move(*file);
}

// One export from its options to its last byte.
class Export {
 public:
  Export(const ExportOptions& options, OperatorClient& client, ExportCursor cursor, OutputFile out)
      : options_(options), client_(client), cursor_(std::move(cursor)), out_(std::move(out)) {}

  CommandResult<void> Run();
  bool stdout_closed() const { return stdout_closed_; }
  const UnreadableNote& unreadable() const { return unreadable_; }

 private:
  admin::Parameters NextRequest(bool header) const;
  CommandResult<void> Take(const Piece& piece);
  CommandResult<void> SaveCursor();
  double Fraction(std::uint64_t next) const;

  const ExportOptions& options_;
  OperatorClient& client_;
  ExportCursor cursor_;
  OutputFile out_;
  std::uint64_t events_ = 0;
  UnreadableNote unreadable_;
  std::uint64_t last_ = 0;  // of the log when the export began
  bool stdout_closed_ = false;
};

admin::Parameters Export::NextRequest(bool header) const {
  admin::Parameters parameters = options_.filter.parameters;
  parameters["format"] = options_.format;
  if (header) parameters["header"] = "1";
  if (cursor_.next > 1) parameters["from"] = std::to_string(cursor_.next);
  return parameters;
}

CommandResult<void> Export::SaveCursor() {
  if (options_.cursor.empty()) return {};
  const auto put = client_.Put("/cursor", {{"name", options_.cursor}}, ToText(cursor_));
  if (!put) return std::unexpected(put.error());
  return {};
}

// The order is the promise: the bytes first, the disk second, the cursor last.
CommandResult<void> Export::Take(const Piece& piece) {
  if (auto written = out_.Write(piece.text); !written) {
    stdout_closed_ = options_.out.empty() && errno == EPIPE;
    return std::unexpected(Wrong(written.error()));
  }
  events_ += piece.events;
  const bool moved = piece.next != cursor_.next || !piece.text.empty();
  cursor_.next = piece.next;
  cursor_.bytes = out_.bytes();
  if (!moved || options_.cursor.empty()) return {};
  if (auto synced = out_.Sync(); !synced) return std::unexpected(Wrong(synced.error()));
  return SaveCursor();
}

double Export::Fraction(std::uint64_t next) const {
  return options_.follow || last_ == 0 ? -1 : static_cast<double>(next) / static_cast<double>(last_);
}

CommandResult<void> Export::Run() {
  const auto status = client_.Get("/status", {});
  if (!status) return std::unexpected(status.error());
  last_ = nlohmann::json::parse(status->body)["log"]["last_sequence"].get<std::uint64_t>();
  Progress progress("exported", "events");
  bool header = cursor_.bytes == 0 && (cursor_.next == 1 || !options_.out.empty());
  while (stop_requested == 0) {
    const auto piece = Fetch(client_, NextRequest(header));
    if (!piece) return std::unexpected(piece.error());
    header = false;
    unreadable_.AddHeader(piece->unreadable);
    if (auto taken = Take(*piece); !taken) return taken;
    progress.Update(events_, Fraction(piece->next));
    // What was stored since the export began is left to the next one, or a fast sender would keep it busy for
    // ever.
    if (!options_.follow && (piece->finished || piece->next > last_)) break;
    if (options_.follow && piece->finished) std::this_thread::sleep_for(kFollowInterval);
  }
  if (auto committed = out_.Commit(); !committed) return std::unexpected(Wrong(committed.error()));
  return {};
}

CommandResult<OutputFile> OpenOutput(const ExportOptions& options, ExportCursor& cursor) {
  if (options.out.empty()) {
    cursor = {.next = cursor.next, .file = {}, .inode = 0, .bytes = 0};
    return OutputFile::Stdout();
  }
  if (options.cursor.empty() && !options.follow) {
    auto file = OutputFile::Replace(options.out);
    if (!file) return std::unexpected(Wrong(file.error()));
    return std::move(*file);
  }
  const std::string path = std::filesystem::absolute(options.out).lexically_normal().string();
  auto file = OpenAppending(options, path, cursor);
  if (!file) return file;
  cursor = {.next = cursor.next, .file = path, .inode = file->inode(), .bytes = file->bytes()};
  return file;
}

int RunExport(const ExportOptions& options) {
  auto client = OperatorClient::Open(options.data, options.cursor.empty() ? Access::kRead : Access::kWrite);
  if (!client) return Fail(client.error());
  if (options.follow && !(*client)->online()) {
    return Fail({kNotReachable, "--follow needs a running server; none answers at " + options.data});
  }
  ExportCursor cursor;
  if (!options.cursor.empty()) {
    auto loaded = LoadCursor(**client, options.cursor);
    if (!loaded) return Fail(loaded.error());
    cursor = std::move(*loaded);
  }
  auto out = OpenOutput(options, cursor);
  if (!out) return Fail(out.error());
  StopOnSignals();
  Export run(options, **client, std::move(cursor), std::move(*out));
  const auto done = run.Run();
  run.unreadable().Print("not in the export");
  if (done) return run.unreadable().any() ? kFoundWrong : kDone;
  return run.stdout_closed() ? kFoundWrong : Fail(done.error());
}

constexpr const char* kFooter =
    "ndjson: one CloudEvents 1.0 object a line. csv: RFC 4180 with the columns sequence, id, source, type, "
    "state,\n"
    "received_at and body_base64 (the body's exact bytes).\n"
    "\n"
    "--out FILE appears when it is complete and on disk. With --cursor or --follow FILE grows instead, and "
    "an export\n"
    "that was killed goes on exactly where its cursor left the file: nothing missing, nothing twice. Without "
    "--out the\n"
    "cursor moves when stdout has taken the events. An event that cannot be read is left out and named, and "
    "the exit "
    "code is 1.\n"
    "\n"
    "Example:\n"
    "  weir export --data data --source stripe --since 7d --format csv --out week.csv\n"
    "  weir export --data data --follow --cursor lake --out events.ndjson";

}  // namespace

void AddExportCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write events as CloudEvents NDJSON or CSV");
  command->footer(kFooter);
  AddDataOption(*command, options->data);
  command->add_option("--format", options->format, "ndjson or csv")
      ->capture_default_str()
      ->check(CLI::IsMember({"ndjson", "csv"}));
  AddEventFilter(*command, options->filter);
  command->add_option("--out", options->out, "File instead of stdout");
  command->add_flag("--follow", options->follow,
                    "Go on with new events until interrupted; needs a running server");
  command->add_option("--cursor", options->cursor, "Begin where the last export with this NAME ended")
      ->check([](const std::string& name) {
        return admin::IsCursorName(name) ? std::string() : "expected 1 to 64 of A-Z a-z 0-9 . _ -";
      });
  command->callback([options, &exit_code] { exit_code = RunExport(*options); });
}

}  // namespace weir::tools
