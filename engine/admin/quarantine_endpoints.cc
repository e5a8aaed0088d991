#include "engine/admin/quarantine_endpoints.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/admin/event_json.h"
#include "engine/admin/known_names.h"
#include "engine/admin/parameters.h"
#include "engine/admin/time_expression.h"
#include "engine/limits.h"
#include "engine/source/encoding.h"

namespace weir::admin {

namespace {

using Json = nlohmann::ordered_json;
using quarantine::Entry;
using quarantine::Place;

constexpr std::array<std::string_view, 5> kFilters = {"id", "source", "reason", "since", "until"};
// Each waits for its own sync, and the client for all of them.
constexpr std::size_t kAdmittedPerRequestMax = 50;
constexpr std::size_t kDroppedPerRequestMax = 1000;

struct Filter {
  std::optional<Place> id;
  std::string request_id;  // as given for an id: sixteen hex digits are the X-Request-Id of the answer
  std::string source;
  std::string reason;
  std::optional<std::int64_t> since_us;
  std::optional<std::int64_t> until_us;
  std::optional<Place> after;

  bool NamesNothing() const {
    return !id && request_id.empty() && source.empty() && reason.empty() && !since_us && !until_us;
  }
  bool Takes(const Place& place, const Entry& entry) const {
    return (!id || *id == place) && (request_id.empty() || request_id == entry.request_id) &&
           (reason.empty() || reason == entry.reason) && (!since_us || entry.received_at_us >= *since_us) &&
           (!until_us || entry.received_at_us < *until_us);
  }
};

Read<std::optional<Place>> ReadPlace(const Parameters& parameters, std::string_view name) {
  const std::string text = ReadText(parameters, name);
  if (text.empty()) return std::nullopt;
  auto place = quarantine::ParsePlace(text);
  if (!place)
    return std::unexpected(std::string(name) +
                           ": expected SOURCE:SEGMENT:OFFSET, as listed, or the X-Request-Id of the answer");
  return place;
}

bool IsRequestId(std::string_view text) {
  constexpr std::size_t kDigits = 16;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Read<Filter> ReadFilter(const Wiring& wiring, const Parameters& parameters, std::int64_t now_us) {
  for (const auto& known : {CheckSourceName(wiring, ReadText(parameters, "source")),
                            CheckRefusalCode(ReadText(parameters, "reason"))}) {
    if (!known) return std::unexpected(known.error());
  }
  const std::string named = ReadText(parameters, "id");
  auto id = IsRequestId(named) ? Read<std::optional<Place>>(std::nullopt) : ReadPlace(parameters, "id");
  if (!id) return std::unexpected(id.error());
  const auto since = ReadTime(parameters, "since", now_us);
  if (!since) return std::unexpected(since.error());
  const auto until = ReadTime(parameters, "until", now_us);
  if (!until) return std::unexpected(until.error());
  Filter filter{.id = *std::move(id),
                .request_id = IsRequestId(named) ? named : std::string(),
                .source = ReadText(parameters, "source"),
                .reason = ReadText(parameters, "reason"),
                .since_us = *since,
                .until_us = *until,
                .after = std::nullopt};
  // A name of a directory to be; the names of sources have neither.
  if (filter.source.find('/') != std::string::npos || filter.source.starts_with('.')) {
    return std::unexpected("source: not the name of a source");
  }
  return filter;
}

// The one shelf of the running server, or one of the files alone.
class Files {
 public:
  explicit Files(const Wiring& wiring) {
    if (wiring.live && wiring.live->quarantine != nullptr) {
      shelf_ = &wiring.live->quarantine->shelf();
    } else {
      own_ = std::make_unique<quarantine::Shelf>(wiring.data / quarantine::kDirectoryName);
      shelf_ = own_.get();
    }
  }
  quarantine::Shelf* operator->() { return shelf_; }

 private:
  std::unique_ptr<quarantine::Shelf> own_;
  quarantine::Shelf* shelf_;
};

Json SummaryJson(const Place& place, const Entry& entry) {
  return {{"id", ToString(place)},
          {"source", entry.source},
          {"reason", entry.reason},
          {"correlation_id", entry.request_id},
          {"received_at", FormatTime(entry.received_at_us)},
          {"method", entry.method},
          {"header_bytes", entry.headers.size()},
          {"body_bytes", entry.body.size()}};
}

// What one request acts on, in the order of places.
struct Selection {
  std::vector<Place> places;
  std::string after;
  bool more = false;
};

std::expected<Selection, std::string> Select(Files& files, const Filter& filter, std::size_t max) {
  Selection selection;
  std::vector<quarantine::Torn> torn;
  const std::string source = filter.id ? filter.id->source : filter.source;
  const auto visited = files->Visit(source, filter.after, torn, [&](const Place& place, const Entry& entry) {
    if (!filter.Takes(place, entry)) return true;
    selection.more = selection.places.size() == max;
    if (selection.more) return false;
    selection.places.push_back(place);
    selection.after = ToString(place);
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  return selection;
}

// The newest of what matches, and how many match.
struct Newest {
  struct Age {
    std::int64_t received_at_us = 0;
    Place place;
    auto operator<=>(const Age&) const = default;
  };
  std::map<Age, Json> entries;  // the oldest first
  std::uint64_t total = 0;
  bool more = false;  // there are older ones
};

std::expected<Newest, std::string> FindNewest(Files& files, const Filter& filter,
                                              const std::optional<Newest::Age>& before, std::size_t max,
                                              std::vector<quarantine::Torn>& torn) {
  Newest newest;
  const std::string source = filter.id ? filter.id->source : filter.source;
  const auto visited = files->Visit(source, std::nullopt, torn, [&](const Place& place, const Entry& entry) {
    if (!filter.Takes(place, entry)) return true;
    ++newest.total;
    Newest::Age age{.received_at_us = entry.received_at_us, .place = place};
    if (before && age >= *before) return true;
    if (newest.entries.size() == max) {
      newest.more = true;
      if (age < newest.entries.begin()->first) return true;
      newest.entries.erase(newest.entries.begin());
    }
    newest.entries.emplace(std::move(age), SummaryJson(place, entry));
    return true;
  });
  if (!visited) return std::unexpected(visited.error());
  return newest;
}

// "TIME/SOURCE:SEGMENT:OFFSET", as far as a list came; the time in microseconds.
std::string AgeText(const Newest::Age& age) {
  return std::to_string(age.received_at_us) + '/' + ToString(age.place);
}

Read<Newest::Age> ReadAge(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto received = ReadNumber({{"time", std::string(text.substr(0, slash))}}, "time", 0, 0, INT64_MAX);
  const auto place = quarantine::ParsePlace(text.substr(std::min(slash + 1, text.size())));
  if (!received || !place) return std::unexpected("after: expected what the page before gave");
  return Newest::Age{.received_at_us = static_cast<std::int64_t>(*received), .place = *place};
}

Json TornJson(const std::vector<quarantine::Torn>& torn) {
  Json list = Json::array();
  for (const quarantine::Torn& bytes : torn) {
    list.push_back({{"source", bytes.source},
                    {"segment", bytes.segment},
                    {"offset", bytes.offset},
                    {"bytes", bytes.bytes}});
  }
  return list;
}

ApiReply DiskFailure(const std::string& reason) {
  return Refusal(500, "quarantine_io", reason);
}

// One entry's way out. The error says why it stays.
class Actor {
 public:
  Actor(const Wiring& wiring, Files& files, QuarantineAction action, bool dry_run)
      : wiring_(wiring), files_(files), action_(action), dry_run_(dry_run) {}

  // What is said of an admitted event; null for a dropped entry.
  std::expected<Json, std::string> operator()(const Place& place) {
    Json said;
    if (action_ == QuarantineAction::kAdmit) {
      const auto entry = files_->Find(place);
      if (!entry) return std::unexpected("is not in the quarantine any more");
      using Mode = ingest::Readmission::Mode;
      const auto admitted =
          wiring_.live->readmission->Admit(*entry, dry_run_ ? Mode::kVerify : Mode::kCommit);
      if (!admitted) return std::unexpected(admitted.error());
      said = {{"id", ToString(place)}, {"event_id", admitted->event_id}};
      if (!dry_run_) {
        said["sequence"] = admitted->sequence;
        said["stored"] = admitted->stored;
        said["duplicates"] = admitted->duplicates;
        said["conflicts"] = admitted->conflicts;
      }
    }
    if (dry_run_) return said;
    const auto removed = files_->Remove(place);
    if (!removed) return std::unexpected(removed.error());
    return said;
  }

 private:
  const Wiring& wiring_;
  Files& files_;
  QuarantineAction action_;
  bool dry_run_;
};

}  // namespace

ApiReply ListQuarantine(const Wiring& wiring, const ApiRequest& request, std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kFilters, {"limit", "after"}); !known) {
    return BadParameter(known.error());
  }
  const auto filter = ReadFilter(wiring, request.parameters, now_us);
  if (!filter) return BadParameter(filter.error());
  const auto limit =
      ReadNumber(request.parameters, "limit", limits::kAdminRowsDefault, 1, limits::kAdminRowsMax);
  if (!limit) return BadParameter(limit.error());
  std::optional<Newest::Age> before;
  if (const std::string after = ReadText(request.parameters, "after"); !after.empty()) {
    auto age = ReadAge(after);
    if (!age) return BadParameter(age.error());
    before = *std::move(age);
  }
  Files files(wiring);
  std::vector<quarantine::Torn> torn;
  const auto newest = FindNewest(files, *filter, before, *limit, torn);
  if (!newest) return DiskFailure(newest.error());
  Json entries = Json::array();
  for (auto entry = newest->entries.rbegin(); entry != newest->entries.rend(); ++entry) {
    entries.push_back(entry->second);
  }
  const std::string after = newest->entries.empty() ? "" : AgeText(newest->entries.begin()->first);
  ApiReply reply;
  reply.body = Dump({{"entries", std::move(entries)},
                     {"total", newest->total},
                     {"torn", TornJson(torn)},
                     {"after", after},
                     {"more", newest->more}});
  return reply;
}

ApiReply ShowQuarantined(const Wiring& wiring, const ApiRequest& request) {
  if (auto known = OnlyKnown(request.parameters, {}, {"id", "body"}); !known)
    return BadParameter(known.error());
  const std::string named = ReadText(request.parameters, "id");
  if (named.empty()) return BadParameter("id is missing");
  const auto body = ReadSwitch(request.parameters, "body");
  if (!body) return BadParameter(body.error());
  Files files(wiring);
  std::optional<Place> place;
  if (IsRequestId(named)) {
    const auto found = files->FindByRequestId(named);
    if (!found) return DiskFailure(found.error());
    place = *found;
  } else {
    const auto given = ReadPlace(request.parameters, "id");
    if (!given) return BadParameter(given.error());
    place = *given;
  }
  const auto entry = place ? files->Find(*place) : std::nullopt;
  if (!entry) return Refusal(404, "not_found", "there is no such entry in the quarantine");
  Json json = SummaryJson(*place, *entry);
  json["target"] = entry->target;
  json["headers"] = HeadersJson(entry->headers);
  if (*body) {
    std::string encoded;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(entry->body.data());
    source::AppendBase64(encoded, std::span(bytes, entry->body.size()), source::Base64Form::kPadded);
    json["body_base64"] = std::move(encoded);
  }
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

ApiReply ActOnQuarantine(const Wiring& wiring, const ApiRequest& request, QuarantineAction action,
                         std::int64_t now_us) {
  if (auto known = OnlyKnown(request.parameters, kFilters, {"all", "dry_run", "after"}); !known) {
    return BadParameter(known.error());
  }
  auto filter = ReadFilter(wiring, request.parameters, now_us);
  if (!filter) return BadParameter(filter.error());
  auto after = ReadPlace(request.parameters, "after");
  if (!after) return BadParameter(after.error());
  filter->after = *std::move(after);
  const auto all = ReadSwitch(request.parameters, "all");
  if (!all) return BadParameter(all.error());
  const auto dry_run = ReadSwitch(request.parameters, "dry_run");
  if (!dry_run) return BadParameter(dry_run.error());
  if (filter->NamesNothing() != *all) return BadParameter("expected either a filter or all=1");
  const bool admit = action == QuarantineAction::kAdmit;
  if (admit && (!wiring.live || wiring.live->readmission == nullptr)) {
    return Refusal(409, "no_server", "admitting needs the running server: it alone commits events");
  }

  Files files(wiring);
  const auto selection = Select(files, *filter, admit ? kAdmittedPerRequestMax : kDroppedPerRequestMax);
  if (!selection) return DiskFailure(selection.error());
  Json json = {{"action", admit ? "admit" : "drop"},  {"dry_run", *dry_run},
               {"matched", selection->places.size()}, {"done", 0},
               {"admitted", Json::array()},           {"refused", Json::array()},
               {"after", selection->after},           {"more", selection->more}};
  Actor act(wiring, files, action, *dry_run);
  std::size_t done = 0;
  for (const Place& place : selection->places) {
    auto said = act(place);
    if (!said) {
      json["refused"].push_back({{"id", ToString(place)}, {"reason", said.error()}});
      continue;
    }
    if (!said->is_null()) json["admitted"].push_back(*std::move(said));
    ++done;
  }
  json["done"] = done;
  ApiReply reply;
  reply.body = Dump(json);
  return reply;
}

}  // namespace weir::admin
