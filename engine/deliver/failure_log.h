// When a sink's failures are said aloud: the first after a success at once, then one line a minute at most with
// their number, and one line when it works again. Of a sink that fails and works in turns only so many turns a minute
// are told at once. Pure: time is an argument (any monotonic milliseconds), the caller writes the lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir::deliver {

class FailureLog {
 public:
  static constexpr std::int64_t kLineIntervalMs = 60'000;
  static constexpr int kTurnsToldMax = 5;  // from working to failing, told at once within kLineIntervalMs

  struct Failure {
    std::uint64_t sequence = 0;
    std::uint32_t attempt = 0;  // 1 is the first
    std::string reason;         // as FailureReasonName
    std::string outcome;        // as Outcome::summary
  };
  struct Line {
    enum class Kind : std::uint8_t { kFails, kWorksAgain };
    Kind kind = Kind::kFails;
    std::uint64_t failures = 0;  // kFails: since the line before; kWorksAgain: in all
    std::int64_t for_ms = 0;     // since the first of them
    Failure last;
  };

  std::optional<Line> OnFailure(Failure failure, std::int64_t now_ms);
  std::optional<Line> OnSuccess(std::int64_t now_ms);
  // What was held back, once its minute is over.
  std::optional<Line> OnTime(std::int64_t now_ms);
  // Somebody else has said that the sink fails: its recovery is worth a line.
  void Announced() { announced_ = true; }

 private:
  bool MayTellTurn(std::int64_t now_ms);
  Line Tell(std::int64_t now_ms);

  std::optional<std::int64_t> failing_since_ms_;
  std::optional<std::int64_t> last_line_ms_;
  std::optional<std::int64_t> turns_since_ms_;
  int turns_told_ = 0;  // since then
  bool announced_ = false;
  std::uint64_t failures_ = 0;  // since failing_since_ms_
  std::uint64_t untold_ = 0;
  std::int64_t untold_since_ms_ = 0;
  Failure last_;
};

}  // namespace weir::deliver
