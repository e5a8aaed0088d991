#include "engine/admin/dead_letter_endpoints.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/admin/dead_letter_query.h"
#include "engine/admin/event_json.h"
#include "engine/admin/parameters.h"
#include "engine/deliver/sink_ledger.h"
#include "engine/limits.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;
using Kind = deliver::DeadLetterAction::Kind;

constexpr std::string_view kNeverDeliverable =
    "these events never were deliverable; weir dlq admit gives one an id, so that it is";
constexpr std::string_view kNoSuchSink = "no such sink is configured; add it again, or drop them";

std::string PlaceText(const DeadLetterPlace& place) {
  return place.sink + "/" + std::to_string(place.sequence);
}

// "SINK/SEQUENCE", as far as an action came.
Read<DeadLetterPlace> ReadPlace(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash != std::string_view::npos) {
    const auto sequence =
        ReadNumber({{"sequence", std::string(text.substr(slash + 1))}}, "sequence", 0, 0, UINT64_MAX);
    if (sequence) return DeadLetterPlace{.sink = std::string(text.substr(0, slash)), .sequence = *sequence};
  }
  return std::unexpected("after: expected SINK/SEQUENCE");
}

// "TIME/SINK/SEQUENCE", as far as a list came; the time in microseconds.
Read<DeadLetterAge> ReadAge(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto died = ReadNumber({{"time", std::string(text.substr(0, slash))}}, "time", 0, 0, INT64_MAX);
  const auto place = ReadPlace(text.substr(std::min(slash + 1, text.size())));
  if (!died || !place) return std::unexpected("after: expected what the page before gave");
  return DeadLetterAge{.died_at_us = static_cast<std::int64_t>(*died), .place = *place};
}

// What an action came to at one sink: nothing, or why it was left alone.
using Skipped = std::optional<std::string>;

storage::StoreResult<void> Settle(storage::EventStore& store, const std::string& sink, Kind kind,
                                  std::vector<storage::Sequence> sequences, std::int64_t now_us) {
  storage::SettlementBatch batch;
  batch.sink = sink;
  if (kind == Kind::kRetry) {
    for (const storage::Sequence sequence : sequences) {
      batch.retries_added.push_back(deliver::RetryByOperator(sequence, now_us));
    }
  }
  batch.dead_removed = std::move(sequences);
  return store.Settle(batch);
}

storage::StoreResult<Skipped> Act(const Wiring& wiring, const std::string& sink, Kind kind,
                                  std::vector<storage::Sequence> sequences, std::int64_t now_us) {
  if (sink == storage::kIngestSink && kind == Kind::kRetry) return std::string(kNeverDeliverable);
  if (wiring.live && sink != storage::kIngestSink) {
    if (wiring.live->submit(sink, {.kind = kind, .sequences = sequences})) return std::nullopt;
    if (kind == Kind::kRetry) return std::string(kNoSuchSink);
  }
  // No worker owns these letters.
  if (auto settled = Settle(wiring.store, sink, kind, std::move(sequences), now_us); !settled) {
    return std::unexpected(settled.error());
  }
  return std::nullopt;
}

bool NamesNothing(const DeadLetterFilter& filter) {
  return filter.sink.empty() && filter.source.empty() && filter.type.empty() && filter.id.empty() &&
         filter.reason.empty() && !filter.since_us && !filter.until_us;
}

Json ReplyJson(Kind kind, bool dry_run, const DeadLetterSelection& selection) {
  Json json = {{"action", kind == Kind::kRetry ? "retry" : "drop"},
               {"dry_run", dry_run},
               {"matched", selection.count},
               {"done", 0},
               {"sinks", Json::object()},
               {"skipped", Json::array()},
               {"after", selection.count == 0 ? std::string() : PlaceText(selection.last)},
               {"more", selection.more}};
  return json;
}

}  // namespace

ApiReply ListDeadLetters(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kDeadLetterFilters, {"limit", "after"}); !known) {
    return BadParameter(known.error());
  }
  const auto filter = ReadDeadLetterFilter(wiring, request.parameters, now_us);
  if (!filter) return BadParameter(filter.error());
  const auto limit =
      ReadNumber(request.parameters, "limit", limits::kAdminRowsDefault, 1, limits::kAdminRowsMax);
  if (!limit) return BadParameter(limit.error());
  std::optional<DeadLetterAge> before;
  if (const std::string after = ReadText(request.parameters, "after"); !after.empty()) {
    auto age = ReadAge(after);
    if (!age) return BadParameter(age.error());
    before = *std::move(age);
  }

  const auto found = FindNewest(wiring.store, *filter, before, *limit);
  if (!found) return Refusal(found.error());
  Json letters = Json::array();
  std::string after;
  for (const NewestDeadLetters::Letter& letter : found->letters) {
    letters.push_back(ToJson(FoundDeadLetter{.dead = letter.dead, .event = letter.event}));
    after = std::to_string(letter.dead.died_at_us) + '/' +
            PlaceText({.sink = letter.dead.sink, .sequence = letter.dead.sequence});
  }
  ApiReply reply;
  reply.body = Dump({{"dead_letters", std::move(letters)},
                     {"total", found->total},
                     {"after", after},
                     {"more", found->more}});
  return reply;
}

ApiReply ActOnDeadLetters(const Wiring& wiring, const ApiRequest& request, Kind kind, std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kDeadLetterFilters, {"all", "dry_run", "after"}); !known) {
    return BadParameter(known.error());
  }
  auto filter = ReadDeadLetterFilter(wiring, request.parameters, now_us);
  if (!filter) return BadParameter(filter.error());
  if (const std::string after = ReadText(request.parameters, "after"); !after.empty()) {
    auto place = ReadPlace(after);
    if (!place) return BadParameter(place.error());
    filter->after = *std::move(place);
  }
  const auto all = ReadSwitch(request.parameters, "all");
  if (!all) return BadParameter(all.error());
  const auto dry_run = ReadSwitch(request.parameters, "dry_run");
  if (!dry_run) return BadParameter(dry_run.error());
  if (NamesNothing(*filter) != *all) return BadParameter("expected either a filter or all=1");

  auto selection = SelectDeadLetters(wiring.store, *filter, limits::kDeadLettersPerActionMax);
  if (!selection) return Refusal(selection.error());
  Json json = ReplyJson(kind, *dry_run, *selection);
  std::size_t done = 0;
  for (auto& [sink, sequences] : selection->by_sink) {
    const std::size_t count = sequences.size();
    Skipped skipped;
    if (!*dry_run) {
      auto acted = Act(wiring, sink, kind, std::move(sequences), now_us);
      if (!acted) return Refusal(acted.error());
      skipped = std::move(*acted);
    }
    if (skipped) {
      json["skipped"].push_back({{"sink", sink}, {"count", count}, {"reason", *skipped}});
    } else {
      json["sinks"][sink] = count;
      if (!*dry_run) done += count;
    }
  }
  json["done"] = done;
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

}  // namespace weir::admin
