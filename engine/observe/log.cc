#include "engine/observe/log.h"

#include <fmt/format.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "engine/observe/standard_error.h"
#include "engine/text/json_string.h"
#include "engine/text/rfc3339.h"

namespace weir::observe::log {
namespace {

std::atomic<Level> level_now{Level::kInfo};

// A line that nobody takes for so long is given up, and what queued up behind it drops at the queue's other end.
constexpr std::int64_t kLineWaitMs = 60'000;
// Without a writer thread the caller itself waits.
constexpr std::int64_t kDirectWaitMs = 100;

// Made with the first line, and never destroyed: threads may log until the process ends.
StandardError& Output() {
  static auto* const output = new StandardError;
  return *output;
}

std::atomic<std::uint64_t> unwritten{0};

class StandardErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!Output().Write({line.data(), line.size()}, kLineWaitMs))
      unwritten.fetch_add(1, std::memory_order_relaxed);
  }
  void flush_() override {}
};

// The writer thread and the queue in front of it. The pool outlives the logger: lines in the queue hold the
// logger alive.
struct Writer {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

std::mutex writer_mutex;
Writer writer;                     // protected by writer_mutex
std::uint64_t dropped_before = 0;  // protected by writer_mutex: dropped by writers that have been stopped

// False when no writer runs. Posting under the lock cannot block (the queue drops its oldest line instead)
// and keeps Stop from ending the pool between the look and the post.
bool Enqueue(std::string_view line) {
  const std::lock_guard lock(writer_mutex);
  if (!writer.logger) return false;
  writer.logger->log(spdlog::level::critical, spdlog::string_view_t(line.data(), line.size()));
  return true;
}

struct AppendValue {
  std::string& out;
  void operator()(std::string_view text) const { text::AppendJsonString(out, text); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(double value) const {
    if (std::isfinite(value)) {
      fmt::format_to(std::back_inserter(out), "{}", value);
    } else {
      out += "null";  // JSON has no word for it
    }
  }
  void operator()(std::int64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
  void operator()(std::uint64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
};

std::int64_t NowUs() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
}

// Without memory for it a line is one that could not be written: whoever logs has something else to do.
void Write(Level level, std::string_view message, Fields fields) {
  if (level < level_now.load(std::memory_order_relaxed)) return;
  try {
    std::string line = FormatLine(NowUs(), level, message, fields);
    if (Enqueue(line)) return;
    line += '\n';
    if (Output().Write(line, kDirectWaitMs)) return;
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): counted below
  }
  unwritten.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::optional<Level> ParseLevel(std::string_view name) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError}) {
    if (name == LevelName(level)) return level;
  }
  return std::nullopt;
}

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "";
}

void Start(Level level) {
  Output();  // finds out which file it is before anybody can have moved that away
  SetLevel(level);
  const std::lock_guard lock(writer_mutex);
  if (writer.logger) return;
  auto sink = std::make_shared<StandardErrorSink>();
  sink->set_pattern("%v");
  try {
    writer.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  } catch (const std::exception&) {
    return;  // no thread to be had: lines are written by whoever logs them
  }
  writer.logger = std::make_shared<spdlog::async_logger>("weir", std::move(sink), writer.pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
}

void Stop(std::int64_t within_ms) {
  Writer stopped;
  {
    const std::lock_guard lock(writer_mutex);
    stopped = std::move(writer);
    writer = {};
  }
  if (!stopped.pool) return;
  stopped.logger.reset();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(within_ms);
  while (stopped.pool->queue_size() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Output().GiveUp();  // also where the queue is empty: its last line may be the one that nobody takes
  const std::size_t dropped = stopped.pool->overrun_counter();
  stopped.pool.reset();  // the last owner waits here until the queue is empty
  const std::lock_guard lock(writer_mutex);
  dropped_before += dropped;
}

std::string Reopen() {
  return Output().Reopen();
}

bool WritesToFile() {
  return Output().is_file();
}

std::uint64_t Dropped() {
  const std::lock_guard lock(writer_mutex);
  return unwritten.load(std::memory_order_relaxed) + dropped_before +
         (writer.pool ? writer.pool->overrun_counter() : 0);
}

void SetLevel(Level level) {
  level_now.store(level, std::memory_order_relaxed);
}

void Debug(std::string_view message, Fields fields) {
  Write(Level::kDebug, message, fields);
}
void Info(std::string_view message, Fields fields) {
  Write(Level::kInfo, message, fields);
}
void Warn(std::string_view message, Fields fields) {
  Write(Level::kWarn, message, fields);
}
void Error(std::string_view message, Fields fields) {
  Write(Level::kError, message, fields);
}

std::string FormatLine(std::int64_t now_us, Level level, std::string_view message, Fields fields) {
  std::string line = R"({"time":")";
  text::AppendRfc3339(line, now_us);
  line += R"(","level":")";
  line += LevelName(level);
  line += R"(","msg":)";
  text::AppendJsonString(line, message);
  for (const Field& field : fields) {
    line += ',';
    text::AppendJsonString(line, field.key);
    line += ':';
    std::visit(AppendValue{line}, field.value);
  }
  line += '}';
  return line;
}

}  // namespace weir::observe::log
