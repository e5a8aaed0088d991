// A request that has not arrived whole. Exists only while it is partial: an idle connection has none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/http/request_parser.h"
#include "engine/ingest/padded_buffer.h"
#include "engine/observe/shard_probe.h"
#include "engine/source/source.h"

namespace weir::ingest {

// What a source's requests are counted in.
struct SourceCounters {
  observe::SourceProbe* probe = nullptr;
  std::vector<observe::SecretProbe*> secrets;  // by the place of the secret in Source::secrets
};

// The sources in force, with their counters by Source::index. A partial request keeps those it was admitted
// under.
struct ActiveSources {
  std::shared_ptr<const source::SourceTable> table;
  std::vector<SourceCounters> counters;
};

// Who an admitted request is for. Without a source it asks for the health of the process.
struct Target {
  const source::Source* source = nullptr;
  observe::SourceProbe* probe = nullptr;
  std::span<observe::SecretProbe* const> secrets;
};

struct PartialRequest {
  enum class Phase : std::uint8_t {
    kHead,     // bytes: not yet a whole head, or not yet looked at because the connection is paused
    kBody,     // bytes: the head and what is there of `total_bytes`
    kChunked,  // bytes: the head and chunk framing not yet decoded; `decoded`: the body so far
  };

  explicit PartialRequest(http::RequestParser::Limits parser_limits) : parser(parser_limits) {}

  Phase phase = Phase::kHead;
  http::RequestParser parser;
  PaddedBuffer bytes;
  std::string decoded;
  std::size_t total_bytes = 0;
  Target target;
  std::shared_ptr<const ActiveSources> sources;  // keeps `target` alive over a reload
  std::size_t charged_bytes = 0;                 // counted in InflightBytes
};

}  // namespace weir::ingest
