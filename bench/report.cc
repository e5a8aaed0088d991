#include "bench/report.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

namespace weir::bench {
namespace {

constexpr double kBusyIsTheLimit = 0.95;

double Milliseconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

double BusyShare(const Options& options, const RunResult& result) {
  const double wall_s = result.measured_s + static_cast<double>(options.warmup_ns) / 1e9;
  return wall_s <= 0 ? 0 : result.tally.cpu_s / (wall_s * static_cast<double>(options.threads));
}

std::map<int, std::uint64_t> StatusCounts(const Tally& tally, std::span<const RequestClass> classes) {
  std::map<int, std::uint64_t> counts;
  for (const RequestClass request_class : classes) {
    const auto& by_status = tally.answers[static_cast<std::size_t>(request_class)];
    for (std::size_t status = 0; status < by_status.size(); ++status) {
      if (by_status[status] > 0) counts[static_cast<int>(status)] += by_status[status];
    }
  }
  return counts;
}

constexpr std::array<RequestClass, kRequestClasses> kAllClasses = {
    RequestClass::kFresh, RequestClass::kDuplicate, RequestClass::kInvalid, RequestClass::kStale};

std::string FormatStatuses(const std::map<int, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [status, count] : counts)
    fmt::format_to(std::back_inserter(text), "  {} x {}", status, count);
  return text.empty() ? "  none" : text;
}

std::string FormatLatency(const LatencyHistogram& histogram) {
  return fmt::format("p50 {:.3f}  p90 {:.3f}  p99 {:.3f}  p99.9 {:.3f}  max {:.3f} ms",
                     Milliseconds(histogram.ValueAt(0.5)), Milliseconds(histogram.ValueAt(0.9)),
                     Milliseconds(histogram.ValueAt(0.99)), Milliseconds(histogram.ValueAt(0.999)),
                     Milliseconds(histogram.max()));
}

nlohmann::json LatencyJson(const LatencyHistogram& histogram) {
  return {{"count", histogram.count()},
          {"min", Milliseconds(histogram.min())},
          {"mean", histogram.Mean() / 1e6},
          {"p50", Milliseconds(histogram.ValueAt(0.5))},
          {"p90", Milliseconds(histogram.ValueAt(0.9))},
          {"p99", Milliseconds(histogram.ValueAt(0.99))},
          {"p99.9", Milliseconds(histogram.ValueAt(0.999))},
          {"p99.99", Milliseconds(histogram.ValueAt(0.9999))},
          {"max", Milliseconds(histogram.max())}};
}

// [[quantile, ms], …] as HdrHistogram plots them: each step halves what is left, down to single requests.
nlohmann::json PercentileCurve(const LatencyHistogram& histogram) {
  nlohmann::json curve = nlohmann::json::array();
  if (histogram.count() == 0) return curve;
  for (double left = 1.0; left * static_cast<double>(histogram.count()) >= 1.0; left /= 1.2) {
    curve.push_back({1 - left, Milliseconds(histogram.ValueAt(1 - left))});
  }
  curve.push_back({1.0, Milliseconds(histogram.max())});
  return curve;
}

}  // namespace

std::string TextReport(const Options& options, const RunResult& result,
                       const std::vector<std::string>& complaints) {
  const Tally& tally = result.tally;
  std::string text;
  const auto out = std::back_inserter(text);
  const bool open_loop = options.rate_per_s > 0;
  fmt::format_to(out, "{} as {}\n", options.url, options.kind);
  fmt::format_to(
      out, "{}, {} connections, {} thread{}, {} bytes a request ({} of payload), measured {:.1f} s{}\n\n",
      open_loop
          ? (options.pattern == ArrivalPattern::kPoisson ? "open loop (poisson)" : "open loop (constant)")
          : "closed loop",
      options.connections, options.threads, options.threads == 1 ? "" : "s", result.request_bytes,
      options.payload_bytes, result.measured_s,
      options.warmup_ns > 0
          ? fmt::format(" after {:.1f} s of warm-up", static_cast<double>(options.warmup_ns) / 1e9)
          : "");
  if (open_loop) fmt::format_to(out, "offered      {:.1f}/s\n", result.offered_per_s);
  fmt::format_to(out, "achieved     {:.1f}/s\n", result.achieved_per_s);
  if (options.batch > 1) {
    fmt::format_to(out, "events       {:.1f}/s, {} a request\n",
                   result.achieved_per_s * static_cast<double>(options.batch), options.batch);
  }
  fmt::format_to(out, "response     {}{}\n", FormatLatency(tally.response),
                 open_loop ? "   from the intended send time" : "");
  if (open_loop)
    fmt::format_to(out, "service      {}   from the actual send\n", FormatLatency(tally.service));
  fmt::format_to(out, "answers    {}\n", FormatStatuses(StatusCounts(tally, kAllClasses)));
  for (const RequestClass request_class : kAllClasses) {
    if (tally.AnswersOf(request_class) == 0 || tally.AnswersOf(request_class) == tally.Answered()) continue;
    fmt::format_to(out, "  {:<9}{}\n", RequestClassName(request_class),
                   FormatStatuses(StatusCounts(tally, std::span(&request_class, 1))));
  }
  fmt::format_to(out, "requests     {} sent, {} unanswered ({} timed out), {} unsent, {} sent again\n",
                 tally.sent, tally.unanswered, tally.timeouts, tally.unsent, tally.resent);
  fmt::format_to(out,
                 "connections  {} open at the start, {} connect errors, {} lost with a request out, {} "
                 "reopened, {} used up, {} given up\n",
                 result.connected, tally.connect_errors, tally.connections_lost, tally.connections_reopened,
                 tally.connections_used_up, tally.connections_given_up);
  fmt::format_to(out, "this tool    {:.0f} % busy; {} requests signed ahead ({:.1f} us each), {} meanwhile\n",
                 BusyShare(options, result) * 100, result.signed_ahead, result.signing_us,
                 result.signed_meanwhile);
  if (tally.starved_ns > 0) {
    fmt::format_to(
        out, "note: {:.3f} s without a signed request to send: weir-bench was the limit, raise --ahead\n",
        static_cast<double>(tally.starved_ns) / 1e9);
  }
  if (BusyShare(options, result) > kBusyIsTheLimit) {
    fmt::format_to(
        out, "note: weir-bench itself was busy nearly all the time; the server may be faster than this\n");
  }
  for (const std::string& complaint : complaints) fmt::format_to(out, "wrong: {}\n", complaint);
  return text;
}

std::string JsonReport(const Options& options, const RunResult& result,
                       const std::vector<std::string>& complaints) {
  const Tally& tally = result.tally;
  nlohmann::json statuses = nlohmann::json::object();
  for (const auto& [status, count] : StatusCounts(tally, kAllClasses))
    statuses[std::to_string(status)] = count;
  nlohmann::json classes = nlohmann::json::object();
  for (const RequestClass request_class : kAllClasses) {
    nlohmann::json& of_class = classes[std::string(RequestClassName(request_class))] =
        nlohmann::json::object();
    for (const auto& [status, count] : StatusCounts(tally, std::span(&request_class, 1))) {
      of_class[std::to_string(status)] = count;
    }
  }
  nlohmann::json timeline = nlohmann::json::array();
  for (const TimelinePoint& point : result.timeline) {
    timeline.push_back({{"second", point.second},
                        {"answers", point.answers},
                        {"trouble", point.trouble},
                        {"p50", Milliseconds(point.p50_ns)},
                        {"p90", Milliseconds(point.p90_ns)},
                        {"p99", Milliseconds(point.p99_ns)},
                        {"max", Milliseconds(point.max_ns)}});
  }
  const nlohmann::json report = {
      {"tool", "weir-bench"},
      {"version", WEIR_VERSION},
      {"url", options.url},
      {"kind", options.kind},
      {"loop", options.rate_per_s > 0 ? "open" : "closed"},
      {"arrivals", options.pattern == ArrivalPattern::kPoisson ? "poisson" : "constant"},
      {"connections", options.connections},
      {"threads", options.threads},
      {"payload_bytes", options.payload_bytes},
      {"batch", options.batch},
      {"request_bytes", result.request_bytes},
      {"warmup_s", static_cast<double>(options.warmup_ns) / 1e9},
      {"measured_s", result.measured_s},
      {"offered_per_s", result.offered_per_s},
      {"achieved_per_s", result.achieved_per_s},
      {"response_ms", LatencyJson(tally.response)},
      {"service_ms", LatencyJson(tally.service)},
      {"percentiles_ms", PercentileCurve(tally.response)},
      {"statuses", statuses},
      {"classes", classes},
      {"sent", tally.sent},
      {"answered", tally.Answered()},
      {"unexpected", tally.Unexpected()},
      {"unanswered", tally.unanswered},
      {"timeouts", tally.timeouts},
      {"unsent", tally.unsent},
      {"resent", tally.resent},
      {"malformed", tally.malformed},
      {"connected", result.connected},
      {"connect_errors", tally.connect_errors},
      {"connections_lost", tally.connections_lost},
      {"connections_reopened", tally.connections_reopened},
      {"connections_used_up", tally.connections_used_up},
      {"connections_given_up", tally.connections_given_up},
      {"signed_ahead", result.signed_ahead},
      {"signed_meanwhile", result.signed_meanwhile},
      {"signing_us", result.signing_us},
      {"starved_s", static_cast<double>(tally.starved_ns) / 1e9},
      {"client_busy", BusyShare(options, result)},
      {"complaints", complaints},
      {"timeline", timeline}};
  return report.dump(2) + "\n";
}

}  // namespace weir::bench
