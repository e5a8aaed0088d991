// Appends events to an NDJSON file, one CloudEvents object a line (cloud_event.h), and settles them after the
// sync that made their lines durable. Events that come while a sync runs share the next one; while they keep
// coming there is one sync in limits::kFileSinkSyncIntervalMs, because this disk is also the one whose syncs
// ingest waits for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/io/wake.h"
#include "engine/sink/forwarded_fields.h"
#include "engine/sink/ndjson_file.h"
#include "engine/sink/sink.h"

namespace weir::sink {

class FileSink final : public Sink {
 public:
  static std::expected<std::unique_ptr<FileSink>, std::string> Create(const config::Sink& config,
                                                                      io::EventfdWake& wake, Report report);

  std::size_t Capacity() const override;
  void Start(const Attempt& attempt, std::int64_t now_ms) override;
  void Turn(std::int64_t now_ms, std::int64_t wait_until_ms) override;
  std::size_t InFlight() const override { return started_.size(); }

 private:
  struct Started {
    std::uint64_t token;
    storage::Sequence sequence;
    std::int64_t started_ns;
  };

  FileSink(NdjsonFile file, ForwardedFields forwarded, io::EventfdWake& wake, Report report)
      : file_(std::move(file)), forwarded_(std::move(forwarded)), wake_(wake), report_(std::move(report)) {}
  bool WriteDue(std::int64_t now_ms) const;
  void WriteBatch();

  NdjsonFile file_;
  const ForwardedFields forwarded_;
  io::EventfdWake& wake_;
  Report report_;
  std::string lines_;
  std::vector<Started> started_;
  std::int64_t last_write_ms_ = 0;
};

}  // namespace weir::sink
