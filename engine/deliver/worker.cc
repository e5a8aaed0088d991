#include "engine/deliver/worker.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <mutex>
#include <new>
#include <semaphore>
#include <string>
#include <utility>

#include "engine/deliver/delivery.h"
#include "engine/io/wake.h"
#include "engine/observe/log.h"
#include "engine/sink/wait_for_wake.h"
#include "storage/memory_shortage.h"
#include "storage/start_thread.h"

namespace weir::deliver {

namespace {

// A wait this long is as good as none; it keeps arithmetic on deadlines away from overflow.
constexpr std::int64_t kLongestWaitMs = 60'000;
// Without memory for a turn, until the next try.
constexpr std::int64_t kMemoryRetryMs = 1'000;
constexpr std::size_t kThreadNameBytesMax = 15;  // pthread_setname_np(3)

std::unexpected<storage::StoreError> Lacking(std::string message) {
  return std::unexpected(storage::StoreError{storage::StoreErrorCode::kIo, std::move(message)});
}

}  // namespace

struct Worker::State {
  struct NewConfiguration {
    config::Sink sink;
    std::vector<config::Route> routes;
  };
  // What other threads ask for.
  struct Mail {
    std::optional<NewConfiguration> configuration;
    std::vector<DeadLetterAction> actions;
    std::optional<std::int64_t> stop_within_ms;
  };

  explicit State(Wiring given) : wiring(std::move(given)) {}

  // Cross threads; they outlive `delivery`, which refers to them.
  io::EventfdWake wake;
  commit::TailQueue tail{wake};
  std::mutex mail_mutex;
  Mail mail;  // protected by mail_mutex

  // The worker's thread only, from Start on.
  Wiring wiring;                         // with the configuration that was asked for last
  std::unique_ptr<Delivery> delivery;    // null while it is to be loaded anew
  std::vector<DeadLetterAction> asked;   // taken from the mail, and not yet by the delivery
  std::deque<DeadLetterAction> actions;  // while there is no delivery: what the last one had not done
  bool short_of_memory = false;          // and it was logged
  std::optional<std::int64_t> stop_at_ms;
  std::int64_t gauges_at_ms = 0;

  bool started = false;         // by the thread that owns the worker
  std::binary_semaphore go{0};  // Start, or the end of a worker that was never started
  std::jthread thread;

  void Send(const std::function<void(Mail&)>& write);
  void TakeMail(const Now& now);
  void Run();
  storage::StoreResult<void> Begin();
  storage::StoreResult<void> Deliver();
  void LetGo();
  void WaitForMemory();
  void Wait(const Now& now);
};

storage::StoreResult<std::unique_ptr<Worker>> Worker::Create(Wiring wiring) {
  const std::string thread_name = ("sink-" + wiring.sink.name).substr(0, kThreadNameBytesMax);
  auto state = std::make_unique<State>(std::move(wiring));
  if (!state->wake.valid()) return Lacking(std::string(io::EventfdWake::ShortageText()));
  if (auto begun = state->Begin(); !begun) return std::unexpected(begun.error());
  auto started = StartThread(thread_name, [raw = state.get()](const std::stop_token&) {
    raw->go.acquire();
    raw->Run();
  });
  if (!started) return Lacking(std::move(started.error()));
  state->thread = std::move(*started);
  return std::unique_ptr<Worker>(new Worker(std::move(state)));
}

Worker::Worker(std::unique_ptr<State> state) : state_(std::move(state)) {}

Worker::~Worker() {
  Stop(0);
}

commit::TailQueue& Worker::tail() {
  return state_->tail;
}

void Worker::Start() {
  state_->started = true;
  state_->go.release();
}

void Worker::RequestStop(std::int64_t drain_ms) {
  state_->Send([&](State::Mail& mail) {
    mail.stop_within_ms = std::min(drain_ms, mail.stop_within_ms.value_or(drain_ms));
  });
}

void Worker::Stop(std::int64_t drain_ms) {
  if (!state_->thread.joinable()) return;
  RequestStop(drain_ms);
  if (!state_->started) state_->go.release();  // it finds that it is to stop before it has begun
  state_->thread.join();
}

void Worker::Reconfigure(config::Sink sink, std::vector<config::Route> routes) {
  state_->Send([&](State::Mail& mail) { mail.configuration = {std::move(sink), std::move(routes)}; });
}

void Worker::Submit(DeadLetterAction action) {
  state_->Send([&](State::Mail& mail) { mail.actions.push_back(std::move(action)); });
}

void Worker::State::Send(const std::function<void(Mail&)>& write) {
  {
    const std::lock_guard lock(mail_mutex);
    write(mail);
  }
  wake.Signal();
}

// Each thing is taken so that what fails for want of memory is still there to be taken again; that it is to stop comes
// first, since that takes none.
void Worker::State::TakeMail(const Now& now) {
  Mail taken;
  {
    const std::lock_guard lock(mail_mutex);
    taken.stop_within_ms = std::exchange(mail.stop_within_ms, std::nullopt);
    taken.configuration = std::exchange(mail.configuration, std::nullopt);
    if (asked.empty()) asked.swap(mail.actions);
  }
  if (taken.stop_within_ms) {
    const std::int64_t at_ms = now.monotonic_ms + *taken.stop_within_ms;
    stop_at_ms = std::min(at_ms, stop_at_ms.value_or(at_ms));
  }
  if (taken.configuration) {
    wiring.sink = std::move(taken.configuration->sink);
    wiring.routes = std::move(taken.configuration->routes);
    delivery->Reconfigure(wiring.sink, wiring.routes);
  }
  while (!asked.empty()) {
    delivery->Act(asked.front());
    asked.erase(asked.begin());
  }
}

// A turn that lacks memory is given up with all that it held, attempts under way included: what the store does not
// call settled is loaded from it again, and no attempt was spent.
void Worker::State::Run() {
  while (true) {
    try {
      const MayLackMemory here;
      storage::StoreResult<void> done = delivery ? storage::StoreResult<void>{} : Begin();
      if (done) done = Deliver();
      if (!done) {
        observe::log::Error("delivery stopped", {{"reason", done.error().message}});
        wiring.on_failure(done.error());
      }
      break;
    } catch (const std::bad_alloc&) {
      LetGo();
    }
    WaitForMemory();
    if (stop_at_ms) break;
  }
  // The sink's ring belongs to this thread, and so does its end.
  delivery.reset();
}

storage::StoreResult<void> Worker::State::Begin() {
  auto loaded = Delivery::Create(wiring, tail, wake, clock::Read());
  if (!loaded) return std::unexpected(loaded.error());
  delivery = std::move(*loaded);
  delivery->SwapActions(actions);
  delivery->UpdateGauges(clock::Read());
  return {};
}

void Worker::State::LetGo() {
  if (delivery) delivery->SwapActions(actions);
  delivery.reset();
  if (std::exchange(short_of_memory, true)) return;
  observe::log::Warn(
      "no memory to deliver with; no attempt is spent, and it goes on when there is some again",
      {{"sink", std::string_view(wiring.sink.name)}});
}

// Wakes for mail are left for later, but for the one that says to stop.
void Worker::State::WaitForMemory() {
  const std::int64_t until_ms = clock::Read().monotonic_ms + kMemoryRetryMs;
  for (Now now = clock::Read(); now.monotonic_ms < until_ms; now = clock::Read()) {
    {
      const std::lock_guard lock(mail_mutex);
      if (mail.stop_within_ms) stop_at_ms = now.monotonic_ms;
    }
    if (stop_at_ms) return;
    sink::WaitForWake(wake, until_ms - now.monotonic_ms);
  }
}

// Until Stop, or until the store says no.
storage::StoreResult<void> Worker::State::Deliver() {
  while (true) {
    const Now now = clock::Read();
    TakeMail(now);
    delivery->Conclude(now);
    if (!stop_at_ms) {
      delivery->Start(now);
    } else if (delivery->InFlight() == 0 || now.monotonic_ms >= *stop_at_ms) {
      return delivery->WriteRest();
    }
    if (auto written = delivery->WriteIfDue(now); !written) return written;
    Wait(now);
    if (std::exchange(short_of_memory, false)) {
      observe::log::Info("there is memory to deliver with again",
                         {{"sink", std::string_view(wiring.sink.name)}});
    }
  }
}

void Worker::State::Wait(const Now& now) {
  std::int64_t until_ms = std::min(delivery->NextWriteMs(), now.monotonic_ms + kLongestWaitMs);
  if (stop_at_ms) {
    until_ms = std::min(until_ms, *stop_at_ms);
  } else {
    until_ms = std::min(until_ms, delivery->NextStartMs(now));
    if (delivery->WaitsForEvents(now)) {
      wake.PrepareWait();
      if (delivery->HasEvents(now)) until_ms = now.monotonic_ms;
    }
  }
  if (until_ms > now.monotonic_ms || now.monotonic_ms != gauges_at_ms) {
    delivery->UpdateGauges(now);
    gauges_at_ms = now.monotonic_ms;
  }
  delivery->TurnSink(now, until_ms);
  wake.CancelWait();
}

}  // namespace weir::deliver
