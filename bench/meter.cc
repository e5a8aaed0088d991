#include "bench/meter.h"

#include <algorithm>

#include "bench/clock.h"

namespace weir::bench {

void Meter::Answered(const SignedRequest& request, int status, std::int64_t intended_ns, std::int64_t sent_ns,
                     std::int64_t now_ns) {
  const auto known = static_cast<std::size_t>(std::clamp(status, 0, static_cast<int>(Tally::kStatuses) - 1));
  ++tally_.answers[static_cast<std::size_t>(request.request_class)][known];
  if (!IsExpected(request.request_class, status)) Trouble();
  if (ledger_ != nullptr && status >= 200 && status < 300) {
    const std::uint64_t end = forge_.FirstEventOf(request.id_number + 1);
    for (std::uint64_t event = forge_.FirstEventOf(request.id_number); event < end; ++event)
      ledger_->Add(forge_.IdOf(event));
  }

  second_.Record(now_ns - intended_ns);
  const std::int64_t measured_from_ns = window_.start_ns + window_.warmup_ns;
  if (intended_ns >= measured_from_ns) {
    tally_.response.Record(now_ns - intended_ns);
    tally_.service.Record(now_ns - sent_ns);
  }
  if (now_ns >= measured_from_ns && (window_.end_ns == 0 || now_ns <= window_.end_ns)) {
    ++tally_.measured_answers;
    tally_.window_end_ns = now_ns;
  }
}

void Meter::StillOut(std::int64_t intended_ns, std::int64_t sent_ns, std::int64_t now_ns) {
  tally_.response.Record(now_ns - intended_ns);
  tally_.service.Record(now_ns - sent_ns);
}

void Meter::NeverSent(std::int64_t intended_ns, std::int64_t now_ns) {
  ++tally_.unsent;
  tally_.response.Record(now_ns - intended_ns);
}

void Meter::Roll(std::int64_t now_ns) {
  if (ledger_ != nullptr) ledger_->FlushIfDue(now_ns);
  const std::int64_t elapsed_ns = std::max<std::int64_t>(0, now_ns - window_.start_ns);
  const auto index = static_cast<std::uint32_t>(elapsed_ns / kSecond_ns);
  while (second_index_ < index) {
    timeline_.Post(second_index_++, trouble_, second_);
    second_.Clear();
    trouble_ = 0;
  }
}

void Meter::Finish(std::int64_t now_ns) {
  if (window_.end_ns != 0) tally_.window_end_ns = std::min(window_.end_ns, now_ns);
  if (second_.count() > 0 || trouble_ > 0) timeline_.Post(second_index_, trouble_, second_);
  if (ledger_ != nullptr) tally_.ledger_incomplete = !ledger_->Flush();
}

}  // namespace weir::bench
