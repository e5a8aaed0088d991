#include "engine/deliver/sink_start.h"

#include <algorithm>

namespace weir::deliver {

using storage::Sequence;

namespace {

std::string Events(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " event" : " events");
}

// The first sequence that a sink which begins now, as its configuration says, is offered.
std::expected<Sequence, std::string> FirstOffered(const storage::EventStore& store, const config::Sink& sink,
                                                  Sequence oldest, std::int64_t now_us) {
  const config::Start& start = sink.start;
  switch (start.at) {
    case config::Start::At::kNow:
      return store.last_sequence() + 1;
    case config::Start::At::kBeginning:
      return oldest;
    case config::Start::At::kTime:
      if (LiesInFuture(start, now_us))
        return std::unexpected("sink \"" + sink.name + "\": start lies in the future");
      break;
    case config::Start::At::kAgo:
      break;
  }
  const std::int64_t since_us =
      start.at == config::Start::At::kTime ? start.unix_us : now_us - start.ago_ms * 1000;
  const auto first = store.FirstReceivedSince(since_us);
  if (!first) return std::unexpected(first.error().message);
  return std::max(*first, oldest);
}

}  // namespace

bool LiesInFuture(const config::Start& start, std::int64_t now_us) {
  return start.at == config::Start::At::kTime && start.unix_us > now_us;
}

std::expected<std::vector<SinkStart>, std::string> FindSinkStarts(const storage::EventStore& store,
                                                                  std::span<const config::Sink> sinks,
                                                                  std::int64_t now_us) {
  std::vector<SinkStart> starts;
  for (const config::Sink& sink : sinks) {
    const Sequence oldest = std::max<Sequence>(store.first_sequence(), 1);
    SinkStart start{.sink = sink.name};
    if (const auto position = store.LoadPosition(sink.name)) {
      start.known = true;
      start.first = std::max(position->offset + 1, oldest);
    } else if (position.error().code != storage::StoreErrorCode::kNotFound) {
      return std::unexpected(position.error().message);
    } else {
      const auto first = FirstOffered(store, sink, oldest, now_us);
      if (!first) return std::unexpected(first.error());
      start.first = *first;
    }
    const Sequence end = std::max(store.last_sequence() + 1, start.first);
    start.before = start.first - oldest;
    start.waiting = end - start.first;
    starts.push_back(std::move(start));
  }
  return starts;
}

storage::StoreResult<void> BeginNewSinks(storage::EventStore& store, std::span<const SinkStart> starts) {
  std::vector<storage::SinkBeginning> beginnings;
  for (const SinkStart& start : starts) {
    if (!start.known) beginnings.push_back({.sink = start.sink, .offset = start.first - 1});
  }
  return store.BeginSinks(beginnings);
}

std::string Describe(const SinkStart& start) {
  if (start.before == 0 && start.waiting == 0) return "";
  const std::string at = " at sequence " + std::to_string(start.first);
  if (start.known) {
    return "sink " + start.sink + " is known to this store: it goes on" + at + ", " + Events(start.waiting) +
           " of the log wait for it; `start` is looked at only for a sink that is new";
  }
  std::string text = "sink " + start.sink + " is new: starts" + at;
  if (start.waiting > 0) {
    text += ", " + Events(start.waiting) + (start.waiting == 1 ? " of the log is" : " of the log are") +
            " sent first";
  }
  if (start.before > 0) {
    text += ", " + Events(start.before) + (start.before == 1 ? " of the log is" : " of the log are") +
            " not sent; start = \"beginning\" would send " + (start.before == 1 ? "it" : "them");
  }
  return text;
}

}  // namespace weir::deliver
