#include <sched.h>

#include <algorithm>
#include <array>
#include <limits>

#include "engine/config/address.h"
#include "engine/config/quantity.h"
#include "engine/config/sections.h"
#include "engine/limits.h"

namespace weir::config {
namespace {

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kRetentionMaxMs = std::int64_t{36'600} * 24 * kHourMs;

// One thread a core, leaving one to the committer where there are more than two.
unsigned DefaultThreads() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  const int cores = CPU_COUNT(&allowed);
  const int threads = cores > 2 ? cores - 1 : cores;
  return static_cast<unsigned>(std::clamp(threads, 1, static_cast<int>(limits::kIngestThreadsMax)));
}

bool SamePlace(const Address& a, const Address& b) {
  const auto is_v6 = [](const Address& at) { return at.host.contains(':'); };
  const auto is_every = [](const Address& at) { return at.host == "0.0.0.0" || at.host == "::"; };
  const bool meet = a.host == b.host || (is_v6(a) == is_v6(b) && (is_every(a) || is_every(b)));
  return meet && a.port == b.port && a.port != 0;
}

void ReadListen(TableReader& server, std::vector<Address>& listen) {
  if (!server.Has("listen")) {
    server.Strings("listen");
    return;
  }
  const std::size_t errors_before = server.findings().error_count();
  std::vector<Address> addresses;
  const std::vector<Text> texts = server.Strings("listen");
  for (const Text& text : texts) {
    const auto address = ParseAddress(text.value);
    if (!address) {
      server.findings().Error(text.place, address.error());
    } else if (std::ranges::any_of(addresses, [&](const Address& a) { return SamePlace(a, *address); })) {
      server.findings().Error(
          text.place, '"' + text.value + "\" is listed twice, by itself or in an address that is every one");
    } else {
      addresses.push_back(*address);
    }
  }
  if (texts.empty() && server.findings().error_count() == errors_before) {
    server.Error("listen", "is empty; nothing could be received");
  }
  if (texts.size() > limits::kListenAddressesMax) {
    server.Error("listen", "has more than " + std::to_string(limits::kListenAddressesMax) + " addresses");
  }
  if (!addresses.empty()) listen = std::move(addresses);
}

void ReadLimits(TableReader& reader, unsigned threads, ServerLimits& out) {
  reader.Size("body", {1, limits::kBodyBytesCeiling}, out.body_bytes);
  reader.Size("headers", {limits::kKiB, limits::kHeadBytesCeiling}, out.header_bytes);
  auto connections = static_cast<std::uint32_t>(out.connections);
  reader.Count("connections", {1, limits::kConnectionsPerShardMax * limits::kIngestThreadsMax}, connections);
  if (connections > limits::kConnectionsPerShardMax * threads) {
    reader.Error("connections", "is more than " + std::to_string(limits::kConnectionsPerShardMax) +
                                    " for each of the " + std::to_string(threads) + " threads");
  }
  out.connections = connections;
  reader.DurationMs("header_timeout", {kSecondMs / 10, kHourMs}, out.header_timeout_ms);
  reader.DurationMs("body_timeout", {kSecondMs / 10, kHourMs}, out.body_timeout_ms);
  reader.DurationMs("idle_timeout", {kSecondMs / 10, 24 * kHourMs}, out.idle_timeout_ms);
  reader.Size("inflight_bytes", {limits::kMiB, std::uint64_t{1} << 40}, out.inflight_bytes);
  reader.Size("min_free_disk", {0, std::uint64_t{1} << 50}, out.min_free_disk_bytes);
  if (out.min_free_disk_bytes < limits::kMinFreeDiskBytesMin) {
    reader.Error(
        "min_free_disk",
        "is less than 64MiB, which the store needs to write out what it holds in memory once the disk is "
        "that full; on a full disk it could not even stop in order");
  }
  if (out.inflight_bytes < out.body_bytes) {
    reader.Error("inflight_bytes", "is less than one body may have; no such body could come in");
  }
  reader.Finish();
}

}  // namespace

void ReadServer(TableReader& document, const Context& context, Server& server, Place& data_place) {
  std::string data = server.data.string();
  if (auto reader = document.Table("server")) {
    ReadListen(*reader, server.listen);
    if (const auto text = reader->String("data")) {
      if (text->value.empty()) reader->Error("data", "is empty");
      data = text->value;
    }
    data_place = reader->At("data");
    reader->Count("threads", {0, limits::kIngestThreadsMax}, server.threads);
    static constexpr std::array<std::string_view, 2> kAcks = {"fsync", "os"};
    if (const auto ack = reader->Choice("ack", kAcks))
      server.ack = *ack == 0 ? AckMode::kFsync : AckMode::kOs;
    reader->DurationMs("drain_timeout", {0, kHourMs}, server.drain_timeout_ms);
    reader->DurationMs("retention", {60 * kSecondMs, kRetentionMaxMs}, server.retention_ms);
    if (server.threads == 0) server.threads = DefaultThreads();
    if (auto table = reader->Table("limits")) ReadLimits(*table, server.threads, server.limits);
    reader->Unavailable("tls");
    reader->Unavailable("trusted_proxies");
    reader->Finish();
  }
  server.data = InDirectory(context, data);
  if (server.threads == 0) server.threads = DefaultThreads();
}

void JudgeRetention(TableReader& document, const Server& server, const std::vector<source::Source>& sources) {
  if (server.retention_ms == 0) return;
  const auto table = document.Table("server");
  if (!table) return;
  for (const source::Source& source : sources) {
    if (source.dedupe_window_us <= server.retention_ms * 1'000) continue;
    document.findings().Warning(table->At("retention"),
                                "is shorter than the dedupe window of \"" + source.name +
                                    "\", which keeps events for " +
                                    FormatDurationMs(source.dedupe_window_us / 1'000));
    return;
  }
}

void ReadAdmin(TableReader& document, const Context& context, const Server& server, Admin& admin) {
  auto reader = document.Table("admin");
  if (!reader) return;
  if (const auto text = reader->String("listen")) {
    const auto address = ParseAddress(text->value);
    if (!address) {
      reader->Error("listen", address.error());
    } else if (std::ranges::any_of(server.listen, [&](const Address& a) { return SamePlace(a, *address); })) {
      reader->Error("listen", "is where [server] listens already");
    } else {
      admin.listen = *address;
    }
  }
  if (auto token = ReadSecret(*reader, "token", context)) admin.token = std::move(*token);
  reader->Finish();
}

}  // namespace weir::config
