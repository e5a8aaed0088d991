// A store with several tables of each kind and a log behind them, and the way out that a refusal names.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {

inline constexpr std::size_t kEvents = 3000;

class AcceptedLoss : public StoreTest {
 protected:
  AcceptedLoss() {
    options.memtable_bytes = 256u << 10;  // several tables
    options.dedupe_head_events = 500;     // and several runs
  }

  // kEvents events in tables and a few more in the write-ahead log; a sink with a position, a retry and a dead letter.
  void Build() {
    Open();
    Fill(kEvents, "evt_", 1000);
    Reopen();
    SettlementBatch batch;
    batch.sink = "billing";
    batch.position = SinkPosition{.offset = 100, .above = {}};
    batch.retries_added = {{.sequence = 50, .due_us = 1, .attempts = 1, .last_outcome = "503"}};
    batch.dead_added = {{.sink = "billing",
                         .sequence = 60,
                         .died_at_us = 1,
                         .attempts = 5,
                         .reason = "410",
                         .last_answer = ""}};
    ASSERT_TRUE(store->Settle(batch));
    Fill(20, "late_");
    Crash();
  }

  // Nothing is flushed meanwhile: which of two logs holds what would be a matter of luck.
  void BuildInOneLog() {
    options.memtable_bytes = 64u << 20;
    Open();
    Fill(kEvents, "evt_", 1000);
    for (int i = 0; i < 20; ++i)
      CommitOne({.id = "late_" + std::to_string(i), .body = std::string(100, 'x')});
    Crash();
  }

  // The refusal names the way out; the way out works; what is left is sound and is deduplicated; what is lost is
  // stored anew under a number that was never given out. Returns how many events are left.
  std::size_t GoOn() {
    const StoreError refusal = Refusal();
    EXPECT_NE(refusal.message.find("--accept-data-loss"), std::string::npos) << refusal.message;
    EXPECT_NE(refusal.message.find("gives up"), std::string::npos) << refusal.message;
    options.accept_data_loss = true;
    Open();
    options.accept_data_loss = false;
    EXPECT_FALSE(store->notes().empty());
    return IsSoundAndGoesOn();
  }

  std::size_t IsSoundAndGoesOn() {
    const std::vector<std::string> left = Ids();
    const std::set<std::string> there(left.begin(), left.end());
    Sequence highest = store->last_sequence();
    EXPECT_GE(highest, kEvents + 20) << "sequences that were given out";
    Resend(there, highest);
    Reopen();
    EXPECT_TRUE(store->notes().empty());
    EXPECT_EQ(Ids().size(), kEvents + 20);
    for (const AppendResult& result : Commit(Sent())) EXPECT_EQ(result.outcome, AppendOutcome::kDuplicate);
    store.reset();
    AuditRequest request;
    request.directory = options.directory;
    const auto report = Audit(request);
    if (!report) {
      ADD_FAILURE() << report.error().message;
      return left.size();
    }
    EXPECT_TRUE(report->sound()) << FindingName(report->findings[0].kind) << " "
                                 << report->findings[0].sequence << " " << report->findings[0].detail;
    return left.size();
  }

  static std::vector<Arrival> Sent() {
    std::vector<Arrival> sent;
    sent.reserve(kEvents + 20);
    for (std::size_t i = 0; i < kEvents; ++i)
      sent.push_back({.id = "evt_" + std::to_string(i), .body = std::string(1000, 'x')});
    for (std::size_t i = 0; i < 20; ++i)
      sent.push_back({.id = "late_" + std::to_string(i), .body = std::string(100, 'x')});
    return sent;
  }
  void Resend(const std::set<std::string>& there, Sequence highest) {
    const std::vector<Arrival> sent = Sent();
    for (std::size_t at = 0; at < sent.size(); at += 100) {
      const std::vector<Arrival> group(
          sent.begin() + static_cast<std::ptrdiff_t>(at),
          sent.begin() + static_cast<std::ptrdiff_t>(std::min(at + 100, sent.size())));
      const auto results = Commit(group);
      for (std::size_t i = 0; i < group.size(); ++i) {
        const bool stored = results[i].outcome == AppendOutcome::kStored;
        EXPECT_EQ(stored, !there.contains(group[i].id)) << group[i].id;
        EXPECT_TRUE(!stored || results[i].sequence > highest) << group[i].id;
      }
    }
  }

  // How many there are depends on when memtables were written out.
  std::vector<std::filesystem::path> TablesOf(Family family) {
    store.reset();
    std::vector<std::filesystem::path> tables;
    {
      auto rocks = Rocks::Open(
          Database(),
          [&] {
            StoreOptions read = WithLogs();
            read.read_only = true;
            return read;
          }(),
          false, LogDamage::kRefuse);
      std::vector<rocksdb::LiveFileMetaData> files;
      (*rocks)->db().GetLiveFilesMetaData(&files);
      std::ranges::sort(files, {}, [](const auto& file) { return file.smallestkey; });
      for (const auto& file : files) {
        if (file.column_family_name == kFamilyNames[static_cast<std::size_t>(family)])
          tables.push_back(Database() / file.name.substr(1));
      }
    }
    return tables;
  }
  std::filesystem::path TableOf(Family family, std::size_t which = 0) {
    const auto tables = TablesOf(family);
    if (tables.size() <= which) throw std::runtime_error("too few tables");
    return tables[which];
  }
  std::filesystem::path WriteAheadLog() { return DatabaseFiles(".log").back(); }
  std::filesystem::path Manifest() { return DatabaseFiles("MANIFEST").back(); }
  static void Halve(const std::filesystem::path& file) {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  }
  static void FlipMiddle(const std::filesystem::path& file) {
    FlipByte(file, std::filesystem::file_size(file) / 2);
  }
  static void FlipEnd(const std::filesystem::path& file) {
    FlipByte(file, std::filesystem::file_size(file) - 10);
  }
};

}  // namespace weir::storage
