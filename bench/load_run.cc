#include "bench/load_run.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "bench/client.h"
#include "bench/endpoint.h"
#include "bench/progress_line.h"
#include "engine/http/url.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"

namespace weir::bench {
namespace {

constexpr std::size_t kSamples = 64;
// A closed loop goes as fast as the server does, so what to sign ahead is a guess: what a fast one takes.
// About 130 bytes and 4 us each.
constexpr double kClosedLoopGuess_per_s = 100'000;
constexpr double kAheadMin = 1'000;
constexpr double kAheadMax = 2'000'000;
constexpr std::size_t kAheadWorthANote = 200'000;
constexpr auto kProgressEvery = std::chrono::milliseconds(500);

// Set by SIGINT and SIGTERM; clients look at it every turn.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "written by a signal handler");

void StopOnSignals() {
  struct sigaction action{};
  action.sa_handler = [](int) { stop_requested.store(true, std::memory_order_relaxed); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second signal ends the program at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// Requests of every class the run will send, with ids and times spread so that every digit that can change
// does.
std::expected<RequestPattern, std::string> LearnPattern(const RequestForge& forge, const TrafficMix& mix,
                                                        std::size_t batch) {
  std::vector<RequestClass> classes = {RequestClass::kFresh};
  if (mix.invalid > 0) classes.push_back(RequestClass::kInvalid);
  if (mix.stale > 0) classes.push_back(RequestClass::kStale);
  std::mt19937_64 random(1);  // NOLINT(bugprone-random-generator-seed): any spread will do
  std::uniform_int_distribution<std::uint64_t> id(0, 999'999'999'999 / batch - 1);
  std::uniform_int_distribution<std::int64_t> day_offset_s(-864'000, 864'000);
  std::vector<std::string> samples;
  for (std::size_t i = 0; i < kSamples; ++i) {
    auto sample = forge.Make({classes[i % classes.size()], id(random)}, UnixNow_s() + day_offset_s(random));
    if (!sample) return std::unexpected(std::move(sample.error()));
    samples.push_back(std::move(*sample));
  }
  return RequestPattern::Learn(samples);
}

// Requests the whole run will take.
double ExpectedRequests(const Options& options) {
  if (options.count != 0) return static_cast<double>(options.count);
  const double per_s = options.rate_per_s > 0 ? options.rate_per_s : kClosedLoopGuess_per_s;
  return per_s * static_cast<double>(options.duration_ns) / 1e9;
}

std::size_t AheadFor(const Options& options) {
  if (options.ahead != 0) return options.ahead;
  double ahead = ExpectedRequests(options);
  if (options.rate_per_s > 0) {
    // Poisson arrivals may be a few more than expected; none may be signed so early that they are too old
    // when sent.
    const double young = options.rate_per_s * RequestFeed::kAgeMax_s / 2.0;
    ahead = std::min(ahead + 5 * std::sqrt(ahead), young);
  }
  return static_cast<std::size_t>(std::clamp(ahead, kAheadMin, kAheadMax));
}

// Whether requests must be signed while the run goes on.
bool NeedsTopUp(const Options& options, std::uint64_t ahead) {
  const bool guessed = options.count == 0 && options.rate_per_s == 0;
  return guessed || ExpectedRequests(options) > static_cast<double>(ahead);
}

void RaiseFileLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t ShareOf(std::uint64_t total, std::size_t parts, std::size_t index) {
  return total / parts + (index < total % parts ? 1 : 0);
}

// One client thread's part of the run. Made by the main thread, filled in by the client thread.
struct Lane {
  std::unique_ptr<RequestFeed> feed;
  std::unique_ptr<LedgerWriter> ledger;
  ClientOptions options;
  Tally tally;
  std::size_t connected = 0;
  double signing_s = 0;
  std::string problem;
  std::thread thread;
};

class Run {
 public:
  Run(const Options& options, RequestForge forge, RequestPattern pattern, const Endpoint& endpoint)
      : options_(options),
        forge_(std::move(forge)),
        pattern_(std::move(pattern)),
        endpoint_(endpoint),
        timeline_(options.threads),
        ready_(static_cast<std::ptrdiff_t>(options.threads)) {}

  std::expected<RunResult, Exit> Execute();

 private:
  std::expected<void, Exit> MakeLanes();
  void RunLane(Lane& lane);
  void TopUp(const std::stop_token& stop);
  void ShowProgress(RunResult& result);
  RunResult Collect();

  const Options& options_;
  RequestForge forge_;
  RequestPattern pattern_;
  Endpoint endpoint_;
  Timeline timeline_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::latch ready_;  // every lane has signed ahead and connected, or failed
  std::latch go_{1};  // start_ns_ is set
  std::mutex mutex_;
  std::condition_variable lane_ended_;
  std::size_t ended_ = 0;  // lanes; under mutex_
  std::int64_t start_ns_ = 0;
  std::uint64_t signed_ahead_ = 0;
};

std::expected<void, Exit> Run::MakeLanes() {
  std::shared_ptr<LedgerFile> ledger;
  if (!options_.ledger.empty()) {
    auto opened = LedgerFile::Open(options_.ledger);
    if (!opened) return std::unexpected(Exit{kUsage, "--ledger: " + opened.error() + "\n"});
    ledger = std::move(*opened);
  }
  const std::size_t threads = options_.threads;
  const std::size_t ahead = AheadFor(options_);
  for (std::size_t i = 0; i < threads; ++i) {
    auto lane = std::make_unique<Lane>();
    const TrafficPlan plan(options_.mix, i, threads, options_.seed * threads + i);
    const std::size_t capacity = std::max<std::size_t>(1, (ahead + threads - 1) / threads);
    lane->feed = std::make_unique<RequestFeed>(forge_, pattern_, plan, capacity);
    if (ledger) lane->ledger = std::make_unique<LedgerWriter>(ledger);
    ClientOptions& client = lane->options;
    client.endpoint = endpoint_;
    client.connections = ShareOf(options_.connections, threads, i);
    client.requests_per_connection = options_.requests_per_connection;
    client.rate_per_s = options_.rate_per_s / static_cast<double>(threads);
    client.pattern = options_.pattern;
    client.seed = options_.seed * 1'000'003 + i;
    client.requests_max = options_.count == 0 ? 0 : ShareOf(options_.count, threads, i);
    client.duration_ns = options_.duration_ns;
    client.warmup_ns = options_.warmup_ns;
    client.answer_timeout_ns = options_.timeout_ns;
    client.reconnect_ns = options_.reconnect_ns;
    client.resend = options_.resend;
    lanes_.push_back(std::move(lane));
  }
  return {};
}

void Run::RunLane(Lane& lane) {
  prctl(PR_SET_TIMERSLACK,
        1UL);  // nanosecond: an open loop sleeps between sends and is timed from the intended moment
  const std::int64_t signing_from_ns = MonotonicNow_ns();
  while (!stop_requested.load(std::memory_order_relaxed)) {
    const auto more = lane.feed->SignOne(UnixNow_s());
    if (!more) lane.problem = more.error();
    if (!more || !*more) break;
  }
  lane.signing_s = static_cast<double>(MonotonicNow_ns() - signing_from_ns) / 1e9;

  std::unique_ptr<Client> client;
  if (lane.problem.empty()) {
    auto made = Client::Create(lane.options, {.forge = forge_,
                                              .pattern = pattern_,
                                              .feed = *lane.feed,
                                              .timeline = timeline_,
                                              .ledger = lane.ledger.get(),
                                              .stop = stop_requested});
    if (made) {
      client = std::move(*made);
      lane.connected = client->Connect();
    } else {
      lane.problem = std::move(made.error());
    }
  }
  ready_.count_down();
  go_.wait();
  if (client) {
    if (lane.connected > 0) client->Run(start_ns_);
    lane.tally = client->tally();
  }
  {
    const std::lock_guard lock(mutex_);
    ++ended_;
  }
  lane_ended_.notify_one();
}

// Keeps the feeds full from a thread that only runs when nothing else wants the processor.
void Run::TopUp(const std::stop_token& stop) {
  const sched_param idle{};
  sched_setscheduler(0, SCHED_IDLE, &idle);
  while (!stop.stop_requested()) {
    bool signed_any = false;
    for (const auto& lane : lanes_) {
      const auto more = lane->feed->SignOne(UnixNow_s());
      signed_any = signed_any || (more && *more);
    }
    if (!signed_any) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Run::ShowProgress(RunResult& result) {
  ProgressLine line(options_.duration_ns, options_.count);
  bool ended = false;
  while (!ended) {
    {
      std::unique_lock lock(mutex_);
      ended = lane_ended_.wait_for(lock, kProgressEvery, [this] { return ended_ == lanes_.size(); });
    }
    for (const TimelinePoint& point : timeline_.TakeClosed()) {
      line.Show(point);
      result.timeline.push_back(point);
    }
  }
  for (const TimelinePoint& point : timeline_.TakeAll()) result.timeline.push_back(point);
  line.Clear();
}

std::expected<RunResult, Exit> Run::Execute() {
  if (auto made = MakeLanes(); !made) return std::unexpected(std::move(made.error()));
  if (AheadFor(options_) >= kAheadWorthANote)
    ProgressNote("signing " + std::to_string(AheadFor(options_)) + " requests");
  for (const auto& lane : lanes_) lane->thread = std::thread([this, &lane = *lane] { RunLane(lane); });
  ready_.wait();
  ProgressNote("");

  const bool failed = std::ranges::any_of(lanes_, [](const auto& lane) { return !lane->problem.empty(); });
  const bool connected = std::ranges::any_of(lanes_, [](const auto& lane) { return lane->connected > 0; });
  if (failed || !connected) stop_requested = true;
  for (const auto& lane : lanes_) signed_ahead_ += lane->feed->signed_total();
  std::jthread signer;
  if (!failed && connected && NeedsTopUp(options_, signed_ahead_))
    signer = std::jthread([this](const std::stop_token& stop) { TopUp(stop); });

  start_ns_ = MonotonicNow_ns();
  go_.count_down();
  RunResult shown;
  ShowProgress(shown);
  for (const auto& lane : lanes_) lane->thread.join();
  if (signer.joinable()) {
    signer.request_stop();
    signer.join();
  }
  for (const auto& lane : lanes_) {
    if (!lane->problem.empty()) return std::unexpected(Exit{kUsage, lane->problem + "\n"});
  }
  if (!connected)
    return std::unexpected(Exit{kNotReachable, options_.url + ": no connection could be opened\n"});
  RunResult result = Collect();
  result.timeline = std::move(shown.timeline);
  return result;
}

RunResult Run::Collect() {
  RunResult result;
  double signing_s = 0;
  std::uint64_t signed_total = 0;
  for (const auto& lane : lanes_) {
    result.tally.Merge(lane->tally);
    result.connected += lane->connected;
    signing_s += lane->signing_s;
    signed_total += lane->feed->signed_total();
  }
  result.request_bytes = pattern_.request_bytes_max();
  result.signed_ahead = signed_ahead_;
  result.signed_meanwhile = signed_total - signed_ahead_;
  result.signing_us = signed_ahead_ == 0 ? 0 : signing_s * 1e6 / static_cast<double>(signed_ahead_);
  const std::int64_t window_ns = result.tally.window_end_ns - start_ns_ - options_.warmup_ns;
  if (window_ns > 0) {
    result.measured_s = static_cast<double>(window_ns) / 1e9;
    result.achieved_per_s = static_cast<double>(result.tally.measured_answers) / result.measured_s;
  }
  result.offered_per_s = options_.rate_per_s > 0 ? options_.rate_per_s : result.achieved_per_s;
  return result;
}

}  // namespace

std::expected<RunResult, Exit> RunLoad(const Options& options) {
  const auto usage = [](const std::string& text) { return std::unexpected(Exit{kUsage, text + "\n"}); };
  const auto url = http::ParseUrl(options.url);
  if (!url) return usage("--url: " + url.error());
  if (url->https)
    return usage("--url: weir-bench does not speak TLS; measure behind the terminator, over http");
  const source::Kind* kind = source::FindKind(options.kind);
  if (kind == nullptr)
    return usage("--kind: there is no kind \"" + options.kind + "\"; `weir kinds` lists them");

  if (options.batch > 1 && !kind->scheme->event.batch)
    return usage("--batch: a request of kind " + options.kind + " carries one event");

  RequestForge forge({.scheme = kind->scheme,
                      .secret = options.secret,
                      .url = options.url,
                      .authority = url->authority,
                      .target = url->target,
                      .id_prefix = options.id_prefix,
                      .payload_bytes = options.payload_bytes,
                      .batch = options.batch});
  if (options.mix.stale > 0 && !forge.SignsTimestamp(UnixNow_s())) {
    return usage("--stale: requests of kind " + options.kind + " carry no timestamp");
  }
  auto pattern = LearnPattern(forge, options.mix, options.batch);
  if (!pattern) return usage("--kind " + options.kind + ": " + pattern.error());
  const auto endpoint = Resolve(*url);
  if (!endpoint) return std::unexpected(Exit{kNotReachable, endpoint.error() + "\n"});

  StopOnSignals();
  RaiseFileLimit();
  if (!IsReachable(*endpoint, options.reconnect_ns, stop_requested)) {
    return std::unexpected(Exit{kNotReachable, options.url + ": not reachable\n"});
  }
  Run run(options, std::move(forge), std::move(*pattern), *endpoint);
  return run.Execute();
}

int Judge(const RunResult& result, std::vector<std::string>& complaints) {
  const Tally& tally = result.tally;
  const auto complain = [&](std::uint64_t count, const char* what) {
    if (count > 0) complaints.push_back(std::to_string(count) + " " + what);
  };
  complain(tally.Unexpected(), "answers with a status their request should not get");
  complain(tally.unanswered, "requests without an answer");
  complain(tally.unsent, "requests that fell due and could not be sent");
  complain(tally.malformed, "answers that are not HTTP or that nobody asked for");
  complain(tally.connections_given_up, "connections given up");
  if (tally.ledger_incomplete) complaints.emplace_back("the ledger could not be written and is incomplete");
  return complaints.empty() ? kDone : kFoundWrong;
}

}  // namespace weir::bench
