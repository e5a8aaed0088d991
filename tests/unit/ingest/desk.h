// The pure half of a shard, on the test's own thread: what is handed over is looked at and acknowledged at
// once.
#pragma once

#include <gtest/gtest.h>

#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "engine/ingest/intake.h"
#include "engine/ingest/reader.h"
#include "storage/event_codec.h"
#include "tests/unit/ingest/shard_fixture.h"

namespace weir::ingest {

class Desk {
 protected:
  Desk() { writer_.SetTime(now_.unix_s()); }

  // The bodies of what was handed over since the last call; each is acknowledged.
  std::vector<std::string> Bodies() {
    EXPECT_TRUE(handover_.Push(now_.monotonic_ns).empty());
    std::vector<std::string> bodies;
    commit::Append append;
    while (appends_.Pop(std::span(&append, 1)) == 1) {
      bodies.emplace_back(storage::Peek(append.records, append.bytes).body);
      inflight_.Refund(
          answers_.Complete({.ticket = append.ticket,
                             .unavailable = false,
                             .rests_on = sequence_ + 1,
                             .first = {.outcome = commit::CommitOutcome::kStored, .sequence = ++sequence_},
                             .further = std::vector<commit::EventResult>(append.record_count - 1u)}));
    }
    return bodies;
  }

  Moment now_{.monotonic_ns = 1'000'000'000, .unix_us = std::time(nullptr) * std::int64_t{1'000'000}};
  config::ServerLimits limits_;
  storage::Sequence sequence_ = 0;
  Gate gate_;
  observe::ShardProbe probe_;
  commit::AppendQueue appends_;
  ConnectionTable connections_{64};
  AnswerWriter writer_{config::AckMode::kFsync};
  PendingAnswers answers_{connections_, writer_};
  InflightBytes inflight_{gate_};
  Handover handover_{0, appends_, gate_};
  Intake intake_{{.gate = gate_,
                  .probe = probe_,
                  .answers = answers_,
                  .writer = writer_,
                  .handover = handover_,
                  .inflight = inflight_,
                  .inflight_bytes_max = limits_.inflight_bytes,
                  .seed = 1},
                 MakeSources({"hooks", "small"})};
  Reader reader_{intake_, answers_, inflight_, limits_};
};

}  // namespace weir::ingest
