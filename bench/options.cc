#include "bench/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "engine/limits.h"

namespace weir::bench {
namespace {

constexpr std::string_view kExample =
    "Example:\n"
    "  weir-bench --url http://127.0.0.1:8080/webhooks/stripe --kind stripe --secret env:STRIPE_SECRET \\\n"
    "             --connections 256 --duration 30s --rate 20000 --warmup 5s --ledger acked.txt --html "
    "report.html\n"
    "\n"
    "Exit codes: 0 done, 1 unexpected answers or lost requests, 2 usage, 3 server not reachable.";

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

template <std::size_t kUnits>
std::expected<std::int64_t, std::string> ParseWithUnit(std::string_view text,
                                                       const std::array<Unit, kUnits>& units,
                                                       std::string_view allowed) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error == std::errc() && number >= 0) {
    for (const Unit& known : units) {
      const double value = number * static_cast<double>(known.factor);
      if (unit == known.name && value < 9e18) return static_cast<std::int64_t>(value);
    }
  }
  return std::unexpected("\"" + std::string(text) + "\" is not " + std::string(allowed));
}

// Fractions and texts with units arrive as text: CLI11 stores them, these make values of them.
struct RawOptions {
  std::string secret, duration, warmup, payload = "800", timeout = "30s", reconnect = "3s",
                                        arrivals = "poisson";
};

std::expected<std::string, std::string> ResolveSecret(const std::string& text) {
  if (text.starts_with("env:")) {
    const char* value = std::getenv(text.c_str() + 4);
    if (value == nullptr) return std::unexpected("--secret: " + text + " is not set");
    return value;
  }
  if (text.starts_with("file:")) {
    std::ifstream file(text.substr(5));
    std::string line;
    if (!std::getline(file, line)) return std::unexpected("--secret: cannot read " + text);
    return line;
  }
  return text;
}

void Describe(CLI::App& app, Options& options, RawOptions& raw) {
  app.add_option("--url", options.url, "where to send: http://HOST[:PORT]/webhooks/SOURCE")->required();
  app.add_option("--kind", options.kind, "the provider whose requests to make; `weir kinds` lists them")
      ->required();
  app.add_option("--secret", raw.secret, "the signing secret: env:NAME, file:PATH or the text itself")
      ->required();
  app.add_option("--connections", options.connections, "open connections, all threads together")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "client threads, one ring each")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--requests-per-connection", options.requests_per_connection,
                 "close a connection after this many answers and dial anew; 0 = keep it")
      ->capture_default_str();
  auto* duration = app.add_option("--duration", raw.duration, "how long to send: 10s, 5m (default 10s)");
  app.add_option("--count", options.count, "how many requests to send instead")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000'000}))
      ->excludes(duration);
  app.add_option("--rate", options.rate_per_s,
                 "requests a second, open loop, timed from the intended send time; 0 = closed loop")
      ->check(CLI::Range(0.0, 1e7));
  app.add_option("--arrivals", raw.arrivals, "of an open loop: poisson (independent senders) or constant")
      ->check(CLI::IsMember({"poisson", "constant"}))
      ->capture_default_str();
  app.add_option("--warmup", raw.warmup, "leave this much of the start out of the figures (default 0s)");
  app.add_option("--payload", raw.payload, "size of an event's body: 800, 16KiB")->capture_default_str();
  app.add_option("--batch", options.batch, "events in one request, of kinds that send batches")
      ->check(CLI::Range(std::size_t{1}, limits::kEventsPerRequestMax))
      ->capture_default_str();
  app.add_option("--duplicates", options.mix.duplicates, "fraction of requests that repeat a recent id")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--invalid", options.mix.invalid, "fraction with a signature that does not match")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--stale", options.mix.stale, "fraction with an authentic timestamp of yesterday")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--id-prefix", options.id_prefix, "what every id starts with; default: unique to the run");
  app.add_option("--ledger", options.ledger, "append the id of every request answered 2xx to this file");
  app.add_option("--json", options.json, "write the figures to this file");
  app.add_option("--html", options.html, "write a page with charts to this file");
  app.add_option("--timeout", raw.timeout, "give a request up after this long without an answer")
      ->capture_default_str();
  app.add_option("--reconnect", raw.reconnect, "keep dialling a connection that is down for this long")
      ->capture_default_str();
  app.add_flag("--resend", options.resend,
               "send a request again whose connection was lost before its answer");
  app.add_option("--ahead", options.ahead,
                 "requests to sign before the clock starts; default: by the run's length");
  app.add_option("--seed", options.seed, "of the arrivals and the choice of duplicates")
      ->capture_default_str();
}

// What CLI11 cannot say. Empty: fine.
std::string Check(Options& options, const RawOptions& raw) {
  const auto duration = [](std::string_view name, const std::string& text,
                           std::int64_t& into) -> std::string {
    if (text.empty()) return {};
    const auto value = ParseDuration_ns(text);
    if (!value) return std::string(name) + ": " + value.error();
    into = *value;
    return {};
  };
  if (options.count == 0) options.duration_ns = 10 * kSecond_ns;
  for (auto problem : {duration("--duration", raw.duration, options.duration_ns),
                       duration("--warmup", raw.warmup, options.warmup_ns),
                       duration("--timeout", raw.timeout, options.timeout_ns),
                       duration("--reconnect", raw.reconnect, options.reconnect_ns)}) {
    if (!problem.empty()) return problem;
  }
  const auto payload = ParseSize_bytes(raw.payload);
  if (!payload) return "--payload: " + payload.error();
  options.payload_bytes = *payload;
  const auto secret = ResolveSecret(raw.secret);
  if (!secret) return secret.error();
  options.secret = *secret;
  options.pattern = raw.arrivals == "constant" ? ArrivalPattern::kConstant : ArrivalPattern::kPoisson;

  if (options.count == 0 && options.duration_ns == 0) return "--duration: must be longer than nothing";
  if (options.count == 0 && options.warmup_ns >= options.duration_ns)
    return "--warmup: must be shorter than --duration";
  if (options.timeout_ns == 0) return "--timeout: must be longer than nothing";
  if (options.mix.duplicates + options.mix.invalid + options.mix.stale > 1) {
    return "--duplicates, --invalid and --stale: more than 1 together";
  }
  if (options.threads > options.connections) return "--threads: more threads than --connections";
  if (options.count != 0 && options.threads > options.count) return "--threads: more threads than --count";
  return {};
}

}  // namespace

std::expected<std::int64_t, std::string> ParseDuration_ns(std::string_view text) {
  static constexpr std::array<Unit, 6> kUnits = {{{"us", kMicrosecond_ns},
                                                  {"ms", kMillisecond_ns},
                                                  {"s", kSecond_ns},
                                                  {"m", 60 * kSecond_ns},
                                                  {"h", 3600 * kSecond_ns},
                                                  {"d", 86'400 * kSecond_ns}}};
  return ParseWithUnit(text, kUnits, "a duration; write a number and one of us, ms, s, m, h, d");
}

std::expected<std::size_t, std::string> ParseSize_bytes(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {{{"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}}};
  constexpr std::int64_t kMax_bytes = 64 << 20;
  const auto bytes = ParseWithUnit(text, kUnits, "a size; write a number and B, KiB or MiB");
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes > kMax_bytes) return std::unexpected("at most 64MiB");
  return static_cast<std::size_t>(*bytes);
}

std::expected<Options, Exit> ParseOptions(int argc, const char* const* argv, std::int64_t now_unix_s) {
  CLI::App app("Sends signed events at a running server and measures how it answers.", "weir-bench");
  app.footer(std::string(kExample));
  app.set_version_flag("--version", "weir-bench " WEIR_VERSION);
  Options options;
  RawOptions raw;
  Describe(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    return std::unexpected(Exit{code == 0 ? kDone : kUsage, code == 0 ? out.str() : err.str()});
  }
  if (options.id_prefix.empty()) {
    std::ostringstream prefix;
    prefix << "evt_" << std::hex << now_unix_s << '_';
    options.id_prefix = prefix.str();
  }
  if (std::string problem = Check(options, raw); !problem.empty()) {
    return std::unexpected(Exit{kUsage, problem + "\nRun with --help for more information.\n"});
  }
  return options;
}

}  // namespace weir::bench
