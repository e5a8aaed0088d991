// What the log has promised, kept outside the log: the newest sequence known to be durable, in a small file
// of its own. RocksDB opens "OK" after its write-ahead log was deleted or its MANIFEST cut, and cannot know
// what is missing; a store that holds less than this record is refused. What is no event (a settlement) has no number of its
// own: that it is there is known after an orderly end, from how many rows RocksDB had counted by then.
//
// The record may lag behind the log (by what is committed within kHighWaterEvery), never run ahead of it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "storage/disk.h"
#include "storage/event.h"

namespace weir::storage {

inline constexpr std::chrono::milliseconds kHighWaterEvery{100};

// RocksDB's list of tables, which only grows under one number, and gets larger ones: how far it was durable.
struct TableListEnd {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
};

struct HighWaterRecord {
  std::uint64_t store_id = 0;      // of the store it speaks about
  Sequence durable = kNoSequence;  // at least this much is in the log
  // RocksDB's sequence number when the store was closed: it holds exactly as much. 0: it was not closed, and more may be
  // there.
  std::uint64_t closed_at = 0;
  TableListEnd tables = {};
};

// nullopt: there is no such file, or it is of an older format, as the store then says of itself. An error: it is there and unreadable.
std::expected<std::optional<HighWaterRecord>, std::string> ReadHighWater(Disk& disk,
                                                                         const std::filesystem::path& file);

// Writes the record behind the committer's back, on its own thread.
class HighWaterWriter {
 public:
  // Called on the writer's thread before a record is written: makes everything up to the sequence it returns
  // durable. nullopt: that failed, the record stays as it is.
  using MakeDurable = std::function<std::optional<Sequence>()>;
  // Called on the writer's thread: with a sentence each time a write fails, with an empty one once one succeeds again.
  using Tell = std::function<void(const std::string& trouble)>;

  static std::expected<std::unique_ptr<HighWaterWriter>, std::string> Start(Disk& disk,
                                                                            const std::filesystem::path& file,
                                                                            const HighWaterRecord& initial,
                                                                            MakeDurable make_durable,
                                                                            Tell tell);
  ~HighWaterWriter();  // Stops without writing.
  HighWaterWriter(const HighWaterWriter&) = delete;
  HighWaterWriter& operator=(const HighWaterWriter&) = delete;

  // The log has advanced. Any thread.
  void Advanced();
  // The last write failed, and is tried again every kHighWaterEvery. The record is then further behind than it may
  // be: whoever promises more meanwhile promises what a loss could take unseen. Any thread.
  bool behind() const { return behind_.load(std::memory_order_acquire); }
  // Ends the thread and writes an exact record, if need be at the third attempt.
  std::expected<void, std::string> Close(Sequence durable, std::uint64_t closed_at, TableListEnd tables);

 private:
  HighWaterWriter(std::unique_ptr<DiskFile> file, const HighWaterRecord& initial, MakeDurable make_durable,
                  Tell tell);
  void Run(const std::stop_token& stop);
  std::expected<void, std::string> Write(const HighWaterRecord& record);

  const std::unique_ptr<DiskFile> file_;
  const MakeDurable make_durable_;
  const Tell tell_;
  std::atomic<bool> behind_{false};
  std::array<char, 1024> bytes_{};  // the file as it should be; writer thread, as what follows
  HighWaterRecord record_;          // writer thread; Close after the thread has ended
  std::uint64_t generation_ = 0;    // likewise
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool advanced_ = false;  // under mutex_
  std::jthread thread_;
};

}  // namespace weir::storage
