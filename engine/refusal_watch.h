// Refusals said aloud, and not too often: one line for each source and code a minute at most, the first of them
// at once; and an alarm when a source refuses everything that comes, which every health check calls green. Pure:
// time is an argument, what happened is read from the shards' counters. Bounded by the number of sources that
// a probe knows (observe::kSourcesMax).
//
// One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/observe/shard_probe.h"

namespace weir {

class RefusalWatch {
 public:
  static constexpr std::int64_t kLineIntervalMs = 60'000;
  // From the first refusal after which nothing was accepted; repeated while refusals go on.
  static constexpr std::int64_t kAlarmAfterMs = std::int64_t{4} * 60'000;
  // Refused methods that are no alarm yet: somebody looks at the address with a browser. More of them are a sender, or a
  // check of the health of the wrong address.
  static constexpr std::uint64_t kLooksInMax = 10;
  static constexpr std::int64_t kAlarmIntervalMs = std::int64_t{60} * 60'000;

  struct Notice {
    enum class Kind : std::uint8_t {
      kRefused,      // `count` with `code` since the line before
      kAllRefused,   // `count` within `for_ms`, the last of them with `code`; nothing accepted
      kAcceptsAgain  // after kAllRefused: `count` were refused within `for_ms`
    };
    Kind kind = Kind::kRefused;
    std::string source;  // empty: refused before the source was known
    observe::RejectionCode code = observe::RejectionCode::kCount;
    std::uint64_t count = 0;
    std::uint64_t request_id = 0;  // of the last of them
    std::int64_t for_ms = 0;
    std::string detail = {};  // likewise; empty: there is nothing to add
  };

  // `now_ms`: any monotonic milliseconds.
  std::vector<Notice> Look(const std::vector<const observe::ShardProbe*>& shards, std::int64_t now_ms);

 private:
  static constexpr auto kCodes = static_cast<std::size_t>(observe::RejectionCode::kCount);
  struct Sums {
    std::array<std::uint64_t, kCodes> refused{};
    std::array<std::int64_t, kCodes> last_at_us{};
    std::array<std::uint64_t, kCodes> last_request_id{};
    std::array<std::string, kCodes> last_detail{};
    std::uint64_t accepted = 0;
  };
  struct Told {
    std::array<std::uint64_t, kCodes> refused{};
    std::array<std::optional<std::int64_t>, kCodes> line_ms;
    std::uint64_t accepted = 0;
    std::uint64_t unaccepted = 0;            // refusals up to the last one after which something was accepted
    std::uint64_t unaccepted_by_method = 0;  // those of them for their method
    std::optional<std::int64_t> refusing_since_ms;
    std::optional<std::int64_t> refusing_methods_since_ms;
    std::optional<std::int64_t> alarm_ms;
    std::uint64_t alarmed = 0;  // refusals by then
  };

  static void AddUp(const observe::SourceProbe& probe, Sums& sums);
  static void TellCodes(const std::string& source, const Sums& sums, Told& told, std::int64_t now_ms,
                        std::vector<Notice>& notices);
  static void JudgeSource(const std::string& source, const Sums& sums, Told& told, std::int64_t now_ms,
                          std::vector<Notice>& notices);

  std::map<std::string, Told> told_;
};

// What the operator is told to do, beside the notice.
struct RefusalHints {
  std::string config_file;
  std::string data;
  bool kept = false;  // the source keeps refused requests in the quarantine
};
// The command that explains it, or the key that says what is taken.
std::string HintFor(const RefusalWatch::Notice& notice, const RefusalHints& hints);
// One line of the log.
void Log(const RefusalWatch::Notice& notice, const RefusalHints& hints);

}  // namespace weir
