// The log: one JSON object a line on stderr. {"time":RFC 3339 UTC,"level":…,"msg":…, then the fields in the
// order given}. Never a payload, a secret or a signature: pass identifiers ("source", "event_id",
// "correlation_id") and reasons.
//
// Any thread may log. Between Start and Stop a line is queued (kQueueLines, the oldest is dropped when the
// writer falls behind) and a writer thread does the I/O, so that a ring never blocks on a slow terminal.
// Outside of that window lines are written directly, and dropped where nobody takes them for a tenth of a second.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace weir::observe::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };

// "debug", "info", "warn", "error".
std::optional<Level> ParseLevel(std::string_view name);
std::string_view LevelName(Level level);

// Keys are ours: JSON-safe literals, not "time", "level" or "msg". Values may be anything; strings are
// escaped, bytes that are not UTF-8 become U+FFFD. Views must live until the call returns.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Field(std::string_view k, T v) : key(k), value(static_cast<std::uint64_t>(v)) {}
};
using Fields = std::initializer_list<Field>;

inline constexpr std::size_t kQueueLines = 8192;

// Starts the writer thread. It inherits the caller's signal mask: block the signals you wait for first. Where no thread
// can be started, lines are written by whoever logs them.
void Start(Level level);
// Writes what is queued, but for no longer than `within_ms`: what nobody reads is dropped and counted. Then ends the
// writer thread; lines that follow are written by whoever logs them.
void Stop(std::int64_t within_ms);
// Standard error that is a file is opened again by its name, after somebody moved it away to rotate it. Empty, or why
// that is not possible. Does nothing where it is not a file.
std::string Reopen();
bool WritesToFile();
// Lines dropped since the process started because the writer fell behind.
std::uint64_t Dropped();

void SetLevel(Level level);

void Debug(std::string_view message, Fields fields = {});
void Info(std::string_view message, Fields fields = {});
void Warn(std::string_view message, Fields fields = {});
void Error(std::string_view message, Fields fields = {});

// The text of one line, without its newline. Pure; `now_us` is Unix time in microseconds.
std::string FormatLine(std::int64_t now_us, Level level, std::string_view message, Fields fields);

}  // namespace weir::observe::log

namespace weir {
namespace log = observe::log;
}  // namespace weir
