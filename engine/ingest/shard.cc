#include "engine/ingest/shard.h"

#include <future>
#include <thread>
#include <utility>

#include "engine/ingest/listener.h"
#include "engine/ingest/shard_loop.h"
#include "storage/check.h"
#include "storage/start_thread.h"

namespace weir::ingest {

struct Shard::State {
  State(Wiring shard_wiring, Listener shard_listener)
      : wiring(std::move(shard_wiring)), listener(std::move(shard_listener)) {}

  void Serve();

  Wiring wiring;
  Listener listener;
  std::vector<config::Address> bound;
  ShardControl control;
  std::promise<std::expected<void, std::string>> started;  // fulfilled by the thread, once
  std::jthread thread;
};

std::expected<std::unique_ptr<Shard>, std::string> Shard::Create(Wiring wiring) {
  auto listener = Listener::Open(wiring.listen, /*exclusive=*/wiring.index == 0);
  if (!listener) return std::unexpected(listener.error());
  auto state = std::make_unique<State>(std::move(wiring), std::move(*listener));
  if (!state->control.wake.valid()) return std::unexpected(std::string(io::EventfdWake::ShortageText()));
  state->bound = state->listener.bound();
  return std::unique_ptr<Shard>(new Shard(std::move(state)));
}

Shard::Shard(std::unique_ptr<State> state) : state_(std::move(state)) {}

Shard::~Shard() {
  Stop(0);
}

commit::AckQueue& Shard::acks() {
  return state_->control.acks;
}

std::vector<config::Address> Shard::bound() const {
  return state_->bound;
}

void Shard::State::Serve() {
  auto loop = ShardLoop::Create({.index = wiring.index,
                                 .limits = wiring.limits,
                                 .ack = wiring.ack,
                                 .sources = std::move(wiring.sources),
                                 .appends = wiring.appends,
                                 .gate = wiring.gate,
                                 .quarantine = wiring.quarantine,
                                 .probe = wiring.probe,
                                 .seed = wiring.seed,
                                 .keep_secret = wiring.keep_secret,
                                 .listener = listener,
                                 .control = control});
  if (!loop) return started.set_value(std::unexpected(loop.error()));
  started.set_value({});
  (*loop)->Run();
}

std::expected<void, std::string> Shard::Start() {
  WEIR_CHECK(!state_->thread.joinable());
  auto outcome = state_->started.get_future();
  auto thread = StartThread("shard-" + std::to_string(state_->wiring.index),
                            [state = state_.get()](const std::stop_token&) { state->Serve(); });
  if (!thread) return std::unexpected(thread.error());
  state_->thread = std::move(*thread);
  return outcome.get();
}

void Shard::RequestStop(std::int64_t drain_ms) {
  state_->control.drain_ms.store(drain_ms, std::memory_order_relaxed);
  state_->control.stopping.store(true, std::memory_order_release);
  state_->control.wake.Signal();
}

void Shard::Stop(std::int64_t drain_ms) {
  if (!state_->thread.joinable()) return;
  RequestStop(drain_ms);
  state_->thread.join();
}

void Shard::SwapSources(std::shared_ptr<const source::SourceTable> sources) {
  {
    const std::scoped_lock lock(state_->control.sources_mutex);
    state_->control.next_sources = std::move(sources);
    state_->control.sources_swapped.store(true, std::memory_order_release);
  }
  state_->control.wake.Signal();
}

}  // namespace weir::ingest
