#include "engine/sink/file_sink.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "engine/limits.h"
#include "engine/sink/cloud_event.h"
#include "engine/sink/wait_for_wake.h"
#include "storage/check.h"

namespace weir::sink {

namespace {

std::int64_t MonotonicNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::expected<std::unique_ptr<FileSink>, std::string> FileSink::Create(const config::Sink& config,
                                                                       io::EventfdWake& wake, Report report) {
  auto file = NdjsonFile::Open(
      {.path = config.path, .rotate_bytes = config.rotate_bytes, .rotate_age_s = config.rotate_age_s});
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<FileSink>(
      new FileSink(std::move(*file), ForwardedFields(config.forward), wake, std::move(report)));
}

std::size_t FileSink::Capacity() const {
  if (lines_.size() >= limits::kFileSinkBatchBytes) return 0;
  return limits::kFileSinkBatchEvents - started_.size();
}

void FileSink::Start(const Attempt& attempt, std::int64_t) {
  WEIR_CHECK(Capacity() > 0);
  AppendCloudEventLine(lines_, attempt.event, {.state = {}, .forwarded = &forwarded_});
  started_.push_back({attempt.token, attempt.event.sequence, MonotonicNs()});
}

void FileSink::Turn(std::int64_t now_ms, std::int64_t wait_until_ms) {
  if (!WriteDue(now_ms)) {
    const std::int64_t next_write_ms =
        started_.empty() ? wait_until_ms : last_write_ms_ + limits::kFileSinkSyncIntervalMs;
    return WaitForWake(wake_, std::min(wait_until_ms, next_write_ms) - now_ms);
  }
  WriteBatch();
  last_write_ms_ = MonotonicNs() / 1'000'000;
}

bool FileSink::WriteDue(std::int64_t now_ms) const {
  if (started_.empty()) return false;
  return Capacity() == 0 || now_ms >= last_write_ms_ + limits::kFileSinkSyncIntervalMs;
}

void FileSink::WriteBatch() {
  const auto written =
      file_.Append({.lines = lines_, .first = started_.front().sequence, .last = started_.back().sequence},
                   std::time(nullptr));
  const std::int64_t now_ns = MonotonicNs();
  lines_.clear();
  if (lines_.capacity() > 2 * limits::kFileSinkBatchBytes) lines_.shrink_to_fit();
  // Taken out first: what is reported is no longer in flight.
  for (const Started& started : std::exchange(started_, {})) {
    Outcome outcome;
    outcome.token = started.token;
    outcome.duration_ns = now_ns - started.started_ns;
    if (written) {
      outcome.result = Result::kDelivered;
    } else if (file_.unopened()) {
      outcome.result = Result::kUnable;
      outcome.summary = written.error();
    } else {
      outcome.failure = observe::FailureReason::kIo;
      outcome.summary = written.error();
    }
    report_(std::move(outcome));
  }
}

}  // namespace weir::sink
