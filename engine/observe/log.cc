#include "engine/observe/log.h"

#include <fmt/format.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <memory>
#include <mutex>

#include "engine/text/json_string.h"
#include "engine/text/rfc3339.h"

namespace weir::observe::log {
namespace {

std::atomic<Level> level_now{Level::kInfo};

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

void Write(Level level, std::string_view message, Fields fields) {
  if (level < level_now.load(std::memory_order_relaxed)) return;
  std::string line = FormatLine(NowUs(), level, message, fields);
  if (Enqueue(line)) return;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);  // one call: lines of two threads do not mix
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
  SetLevel(level);
  const std::lock_guard lock(writer_mutex);
  if (writer.logger) return;
  writer.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_pattern("%v");
  writer.logger = std::make_shared<spdlog::async_logger>("weir", std::move(sink), writer.pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
}

void Stop() {
  Writer stopped;
  {
    const std::lock_guard lock(writer_mutex);
    stopped = std::move(writer);
    writer = {};
  }
  if (!stopped.pool) return;
  stopped.logger.reset();
  const std::size_t dropped = stopped.pool->overrun_counter();
  stopped.pool.reset();  // the last owner waits here until the queue is empty
  const std::lock_guard lock(writer_mutex);
  dropped_before += dropped;
}

void Flush() {
  {
    const std::lock_guard lock(writer_mutex);
    if (!writer.logger) return;
  }
  Stop();
  Start(level_now.load(std::memory_order_relaxed));
}

std::uint64_t Dropped() {
  const std::lock_guard lock(writer_mutex);
  return dropped_before + (writer.pool ? writer.pool->overrun_counter() : 0);
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
