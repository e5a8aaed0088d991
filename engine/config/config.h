// The configuration as validated values. Text -> Config is in load.h; nothing else reads TOML except a
// scheme's own fields (engine/source). Immutable after loading; a reload makes a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/source/source.h"

namespace weir::config {

struct Address {
  std::string host;  // numeric IPv4 or IPv6
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
};

enum class AckMode : std::uint8_t { kFsync, kOs };

struct ServerLimits {
  std::size_t body_bytes = 1 << 20;
  std::size_t header_bytes = 16 << 10;
  std::size_t connections = 10'000;
  std::int64_t header_timeout_ms = 10'000;
  std::int64_t body_timeout_ms = 30'000;
  std::int64_t idle_timeout_ms = 75'000;
  std::size_t inflight_bytes = std::size_t{256} << 20;
  std::uint64_t min_free_disk_bytes = std::uint64_t{256} << 20;  // below it: 503 until there is room again
  bool operator==(const ServerLimits&) const = default;
};

struct Server {
  std::vector<Address> listen = {{"127.0.0.1", 8080}};
  std::filesystem::path data = "data";  // absolute after loading
  unsigned threads = 0;                 // resolved: never 0 after loading
  AckMode ack = AckMode::kFsync;
  ServerLimits limits;
  std::int64_t drain_timeout_ms = 10'000;
  std::int64_t retention_ms = 0;  // how long events are kept; 0 = for good
  bool operator==(const Server&) const = default;
};

struct Admin {
  std::optional<Address> listen;
  std::string token;  // resolved; empty = no token asked
  bool operator==(const Admin&) const = default;
};

struct RetryPolicy {
  std::uint32_t attempts = 10;  // in all, the first included
  std::int64_t first_ms = 5'000;
  double factor = 5.0;
  std::int64_t max_ms = 3'600'000;
  double jitter = 0.2;  // fraction of the delay, both ways
  bool operator==(const RetryPolicy&) const = default;
};

struct Breaker {
  std::uint32_t failures = 20;  // in a row
  std::int64_t open_ms = 30'000;
  bool operator==(const Breaker&) const = default;
};

// Where a sink begins that the store has not seen. Known sinks go on where they are.
struct Start {
  enum class At : std::uint8_t {
    kNow,        // behind the newest event; in a store without events that is the beginning
    kBeginning,  // with the oldest event still kept
    kTime,       // with the first event received at or after unix_us
    kAgo,        // with the first event received in the last ago_ms
  };
  At at = At::kNow;
  std::int64_t unix_us = 0;
  std::int64_t ago_ms = 0;
  bool operator==(const Start&) const = default;
};

// What of one source's header fields goes along to a sink. `fields` are patterns in lower case; `never` are
// names that no pattern takes, beside those that source::ForwardingOf rules out.
struct ForwardRule {
  std::string source;
  std::vector<std::string> fields;
  std::vector<std::string> never;
  bool operator==(const ForwardRule&) const = default;
};

enum class SinkKind : std::uint8_t { kHttp, kFile };

struct Sink {
  std::string name;
  SinkKind kind = SinkKind::kHttp;
  // http
  std::string url;
  std::vector<std::string> secrets;  // resolved; the first signs
  std::int64_t timeout_ms = 10'000;
  std::uint32_t concurrency = 64;
  std::vector<int> dead_letter_statuses = {410};
  // file
  std::filesystem::path path;
  std::uint64_t rotate_bytes = std::uint64_t{256} << 20;
  std::int64_t rotate_age_s = 0;  // 0 = by size only
  // both
  Start start;
  std::optional<std::vector<std::string>> forward_headers;  // in lower case; absent = of each kind its own
  std::vector<ForwardRule> forward;  // resolved: one a source of which anything goes along
  RetryPolicy retry;
  Breaker breaker;
  bool operator==(const Sink&) const = default;
};

struct Route {
  std::string source = "*";        // a source's name, or "*"
  std::vector<std::string> types;  // globs over the event type; empty = every type
  std::string sink;
  std::vector<std::string> except = {};  // with "*" and types: sources whose type anybody could have written
  bool operator==(const Route&) const = default;
};

struct Place {
  unsigned line = 0;
  unsigned column = 0;
  std::string key;  // full path: "source[2].secrets[0]"
};

// Of what a [[sink]] says that only a look beyond the file can judge.
struct SinkPlaces {
  Place target;  // url or path
  Place start;
};

// A mistake, or something that works and is still worth a look.
struct ConfigError {
  std::string file;
  unsigned line = 0;  // 1-based; 0 when it has no place in the file
  unsigned column = 0;
  std::string key;     // "source[2].tolerance", counted from 0
  std::string reason;  // what is wrong, and what would be right
};
std::string ToString(const ConfigError& error);  // file:line: key: reason

struct Config {
  std::filesystem::path file;  // absolute
  Server server;
  Place data_place;  // of server.data
  Admin admin;
  std::vector<source::Source> sources;
  std::vector<Sink> sinks;
  std::vector<SinkPlaces> sink_places;  // in the order of `sinks`
  std::vector<Route> routes;
  // What the file says, key by key ("sink billing: retry.first"), as digests: what changed between two files can be
  // named, and no secret is kept a second time.
  std::map<std::string, std::uint64_t> settings;
  std::vector<ConfigError> warnings;  // in the order of the file
};

}  // namespace weir::config
