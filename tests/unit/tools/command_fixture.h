// Commands as an operator types them, over a real store: with no server the store is closed first, with
// Serve() a real admin server holds it.
#pragma once

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "engine/admin/admin_server.h"
#include "tests/unit/admin/operator_fixture.h"
#include "tools/commands.h"

namespace weir::tools {

using Json = nlohmann::ordered_json;

class CommandTest : public admin::OperatorTest {
 protected:
  std::string Data() const { return options.directory.string(); }
  std::filesystem::path File(const std::string& name) const { return options.directory / name; }

  // The server's side of the socket; its sinks take every action.
  void Serve() {
    auto created = admin::AdminServer::Create(
        {.store = *store,
         .data = options.directory,
         .live = admin::Live{.shards = {},
                             .commit = commit_,
                             .retention = retention_,
                             .appends = appends_,
                             .gate = gate_,
                             .visit_sinks = [](const auto&) {},
                             .submit =
                                 [this](std::string_view, deliver::DeadLetterAction action) {
                                   submitted_.push_back(std::move(action));
                                   return true;
                                 },
                             .min_free_disk_bytes = 0,
                             .ring_mode = "test",
                             .started_at_us = admin::kNowUs}},
        {});
    ASSERT_TRUE(created) << created.error();
    server_ = std::move(*created);
    ASSERT_TRUE(server_->Start());
  }
  void StopServing() { server_.reset(); }

  // Exit code as the program's; what it printed is in out_ and err_.
  int Run(std::vector<std::string> arguments) {
    if (!server_) store.reset();
    CLI::App app("weir");
    int exit_code = kDone;
    AddStatusCommand(app, exit_code);
    AddEventsCommand(app, exit_code);
    AddDlqCommand(app, exit_code);
    AddExportCommand(app, exit_code);
    AddVerifyCommand(app, exit_code);
    std::reverse(arguments.begin(), arguments.end());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      exit_code = app.exit(error) == 0 ? kDone : kUsage;
    }
    std::fflush(stdout);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return exit_code;
  }

  static std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }
  std::vector<std::string> OutLines() const { return Lines(out_); }

  std::string out_;
  std::string err_;
  std::vector<deliver::DeadLetterAction> submitted_;

 private:
  observe::CommitProbe commit_;
  observe::RetentionProbe retention_;
  commit::AppendQueue appends_;
  ingest::Gate gate_;
  std::unique_ptr<admin::AdminServer> server_;
};

}  // namespace weir::tools
