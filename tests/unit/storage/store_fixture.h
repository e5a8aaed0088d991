// A small language for tests of a store: put events in, close, open, damage files, look.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "storage/event_codec.h"
#include "storage/event_store.h"
#include "storage/high_water.h"
#include "storage/keys.h"
#include "storage/rocks.h"
#include "storage/wal_disk.h"
#include "tests/support/faulty_disk.h"
#include "tests/support/stored_events.h"
#include "tests/support/temp_directory.h"

namespace weir::storage {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kNowUs = 1'790'000'000 * kSecondUs;
inline constexpr std::int64_t kWeekUs = 604'800 * kSecondUs;

struct Arrival {
  std::string id;
  std::string body = "{}";
  std::string source = "shop";
  std::string malformed = {};
  std::int64_t received_at_us = kNowUs;
  std::uint64_t substance = 0;
  std::uint32_t attempt = 0;
};

using tests::MakeTempDirectory;

// An empty store to copy: making one takes forty syncs, copying it none.
inline const std::filesystem::path& PristineStore() {
  struct Pristine {
    Pristine() : directory(MakeTempDirectory()) {
      StoreOptions options;
      options.directory = directory;
      if (!EventStore::Open(options)) std::abort();
    }
    ~Pristine() { std::filesystem::remove_all(directory); }
    std::filesystem::path directory;
  };
  static const Pristine pristine;
  return pristine.directory;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    options.directory = MakeTempDirectory();
    options.disk = disk;
    options.memtable_bytes = 1u << 20;
    CopyAll(PristineStore(), options.directory);
  }
  ~StoreTest() override {
    store.reset();
    std::filesystem::remove_all(options.directory);
  }

  static void CopyAll(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  }
  std::filesystem::path Database() const { return options.directory / "store"; }
  // What `kill -9` leaves behind: the files as they are while the store is open. The high-water record is the
  // one of a store that is open, as if it had been written in the last moment.
  void Crash() {
    disk->Kill("high-water");
    const TableListEnd tables = HighWaterNow().tables;
    store.reset();
    LeaveUnclosed(tables);
    disk = std::make_shared<tests::FaultyDisk>();
    options.disk = disk;
  }
  HighWaterRecord HighWaterNow() const {
    return ReadHighWater(*MachineDisk(), options.directory / "high-water").value().value();
  }
  // What closing says of files is what it was told of those that did not reach the disk.
  void LeaveUnclosed(TableListEnd tables) {
    HighWaterRecord record = HighWaterNow();
    record.closed_at = 0;
    record.tables = tables;
    const auto written = HighWaterWriter::Start(
        *MachineDisk(), options.directory / "high-water", record, [] { return std::nullopt; },
        [](const std::string&) {});
    if (!written) throw std::runtime_error(written.error());
  }
  // Files of the database by extension or name, oldest first.
  std::vector<std::filesystem::path> DatabaseFiles(std::string_view what) const {
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(Database())) {
      const std::string name = file.path().filename().string();
      if (name.ends_with(what) || name.starts_with(what)) files.push_back(file.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static std::string Read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void Write(const std::filesystem::path& file, std::string_view bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  static void FlipByte(const std::filesystem::path& file, std::size_t at) {
    std::string bytes = Read(file);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
    Write(file, bytes);
  }

  void Open() {
    auto opened = EventStore::Open(options);
    if (!opened) throw std::runtime_error(opened.error().message);  // ends the test as failed
    store = *std::move(opened);
  }
  void Reopen() {
    store.reset();
    Open();
  }
  // The error of an open that must fail.
  StoreError Refusal() {
    store.reset();
    auto opened = EventStore::Open(options);
    if (opened) {
      ADD_FAILURE() << "the store opened";
      return {StoreErrorCode::kIo, ""};
    }
    return opened.error();
  }

  // One commit of these arrivals.
  StoreResult<std::vector<AppendResult>> TryCommit(const std::vector<Arrival>& arrivals,
                                                   std::int64_t window_us = kWeekUs) {
    std::vector<Event> events;
    for (const Arrival& arrival : arrivals) {
      Event& event = events.emplace_back();
      event.received_at_us = arrival.received_at_us;
      event.source = arrival.source;
      event.id = arrival.id;
      event.type = "order.paid";
      event.malformed = arrival.malformed;
      event.headers = "Content-Type: application/json\r\n";
      event.body = arrival.body;
      event.substance = arrival.substance;
      event.attempt = arrival.attempt;
    }
    return tests::CommitEvents(*store, events, window_us);
  }
  std::vector<AppendResult> Commit(const std::vector<Arrival>& arrivals, std::int64_t window_us = kWeekUs) {
    auto results = TryCommit(arrivals, window_us);
    if (!results) {
      ADD_FAILURE() << results.error().message;
      return std::vector<AppendResult>(arrivals.size());
    }
    return *std::move(results);
  }
  AppendResult CommitOne(Arrival arrival, std::int64_t window_us = kWeekUs) {
    return Commit({std::move(arrival)}, window_us)[0];
  }
  // Events `prefix`0, `prefix`1 … in groups of 100.
  void Fill(std::size_t count, std::string_view prefix = "evt_", std::size_t body_bytes = 100) {
    std::vector<Arrival> group;
    for (std::size_t i = 0; i < count; ++i) {
      group.push_back({.id = std::string(prefix) + std::to_string(i), .body = std::string(body_bytes, 'x')});
      if (group.size() == 100 || i + 1 == count) {
        for (const AppendResult& result : Commit(group)) ASSERT_EQ(result.outcome, AppendOutcome::kStored);
        group.clear();
      }
    }
  }
  // As the store has them: what is opened without it does not find its write-ahead logs.
  StoreOptions WithLogs() const {
    StoreOptions with_logs = options;
    with_logs.disk = OnWalDisk(options);
    return with_logs;
  }
  // Changes the closed database behind the store's back, with checksums of RocksDB's own intact.
  void Tamper(const std::function<void(Rocks&)>& change) {
    store.reset();
    auto rocks = Rocks::Open(Database(), WithLogs(), false, LogDamage::kRefuse);
    ASSERT_TRUE(rocks) << rocks.error().message;
    change(**rocks);
  }
  static std::string Record(Rocks& rocks, Sequence sequence) {
    return rocks.Get(Family::kEvents, SequenceKey(sequence).view()).value().value();
  }
  static void PutRecord(Rocks& rocks, Sequence sequence, const std::string& record) {
    rocks.db().Put({}, rocks.family(Family::kEvents), ToSlice(SequenceKey(sequence).view()), record);
  }
  // The same event with another body, sealed as if it had always been so.
  static void Forge(Rocks& rocks, Sequence sequence) {
    const std::string old = Record(rocks, sequence);
    Event event = Peek(old.data(), old.size());
    event.body = "forged";
    std::string record(EncodedSize(event), '\0');
    Encode(event, record.data());
    Seal(record.data(), record.size(), sequence, PreviousCheckOf(old), kWeekUs);
    PutRecord(rocks, sequence, record);
  }
  // Ids in log order; a failure of the reader fails the test.
  std::vector<std::string> Ids(Sequence first = 1) {
    std::vector<std::string> ids;
    LogReader reader = store->ReadFrom(first);
    while (true) {
      const auto event = reader.Next();
      if (!event) {
        ADD_FAILURE() << event.error().message;
        break;
      }
      if (!*event) break;
      ids.emplace_back((*event)->id);
    }
    return ids;
  }

  std::shared_ptr<tests::FaultyDisk> disk = std::make_shared<tests::FaultyDisk>();
  StoreOptions options;
  std::unique_ptr<EventStore> store;
};

}  // namespace weir::storage
