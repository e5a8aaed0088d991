#include "engine/reload.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "engine/deliver/sink_start.h"
#include "engine/limits.h"
#include "engine/observe/log.h"
#include "engine/restart_keys.h"
#include "engine/sink/check_target.h"
#include "storage/memory_shortage.h"

namespace weir {

namespace {

using Settings = std::map<std::string, std::uint64_t>;
using Words = std::vector<std::string>;

bool IsOfServer(std::string_view name) {
  return name.starts_with("server.") || name.starts_with("admin.");
}

// Names that one of the two does not have, or has with another value.
Words Differing(const Settings& before, const Settings& after) {
  Words names;
  for (const auto& [name, digest] : after) {
    const auto found = before.find(name);
    if (found == before.end() || found->second != digest) names.push_back(name);
  }
  for (const auto& [name, digest] : before) {
    if (!after.contains(name)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// "sink billing: retry.first" -> "sink billing"
std::string_view OwnerOf(std::string_view name) {
  return name.substr(0, name.find(": "));
}

bool HasOwner(const Settings& settings, std::string_view owner) {
  return std::ranges::any_of(settings, [&](const auto& setting) {
    return OwnerOf(setting.first) == owner && setting.first.size() > owner.size();
  });
}

const config::Sink* FindSink(const std::vector<config::Sink>& sinks, std::string_view name) {
  const auto found = std::ranges::find(sinks, name, &config::Sink::name);
  return found == sinks.end() ? nullptr : &*found;
}

void LogRefusal(const observe::ReloadReport& report) {
  for (const std::string& error : report.errors) {
    observe::log::Error("reload refused, the running configuration stays", {{"error", error}});
  }
}

void LogApplied(const observe::ReloadReport& report, const config::Config& in_force, std::size_t sources) {
  const auto joined = [](const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : "; ") + word;
    return text;
  };
  observe::log::Info("configuration reloaded", {{"file", in_force.file.string()},
                                                {"sources", sources},
                                                {"sinks", in_force.sinks.size()},
                                                {"changed", joined(report.changed)}});
  if (!report.needs_restart.empty()) {
    observe::log::Warn("these keys take effect at the next start", {{"keys", joined(report.needs_restart)}});
  }
  for (const std::string& note : report.notes) observe::log::Info("reload", {{"note", note}});
}

}  // namespace

Reload::Reload(Wiring wiring, std::int64_t now_us)
    : wiring_(std::move(wiring)),
      started_server_(wiring_.in_force.server),
      started_admin_(wiring_.in_force.admin) {
  wiring_.probe.Set({.applied = true, .at_us = now_us});
}

void Reload::Run(std::int64_t now_us) {
  const std::uint64_t run = BeginRun();
  EndRun(run, ApplyOrSayWhy(now_us));
}

// Asked before anything is begun: halfway through there would be nothing to go back to.
observe::ReloadReport Reload::ApplyOrSayWhy(std::int64_t now_us) {
  observe::ReloadReport report{.at_us = now_us};
  std::error_code error;
  const std::filesystem::path& file = wiring_.in_force.file;
  if (!std::filesystem::is_regular_file(file, error)) {
    // A pipe would be waited for, and the signals with it.
    report.errors.push_back(file.string() + ": " + (error ? error.message() : "is no regular file"));
  } else if (!HasMemoryFor(limits::kReloadBytes)) {
    report.errors.emplace_back("no memory to read and prepare it; reload again when there is some");
  } else {
    return Apply(now_us);
  }
  LogRefusal(report);
  return report;
}

observe::ReloadReport Reload::Apply(std::int64_t now_us) {
  observe::ReloadReport report{.at_us = now_us};
  config::Config& in_force = wiring_.in_force;
  auto loaded = config::Load(in_force.file, wiring_.environment, &started_server_);
  if (!loaded) {
    for (const auto& error : loaded.error()) report.errors.push_back(config::ToString(error));
    LogRefusal(report);
    return report;
  }
  if (const auto fits = wiring_.fit(*loaded); !fits) {
    report.errors.push_back(fits.error());
    LogRefusal(report);
    return report;
  }
  const auto starts = wiring_.delivery.Prepare(*loaded, now_us);
  if (!starts) {
    report.errors.push_back(in_force.file.string() + ": " + starts.error());
    LogRefusal(report);
    return report;
  }
  report.applied = true;
  report.changed = Changes(*loaded);
  report.needs_restart = KeysThatDiffer(started_server_, started_admin_, loaded->server, loaded->admin);
  for (const deliver::SinkStart& start : *starts) {
    if (std::string note = deliver::Describe(start); !note.empty()) report.notes.push_back(std::move(note));
  }
  for (const config::Sink& sink : loaded->sinks) {
    const config::Sink* running = FindSink(in_force.sinks, sink.name);
    if (running != nullptr && running->start != sink.start) {
      report.notes.push_back("sink " + sink.name +
                             " is known to this store: it goes on where it is, `start` is "
                             "looked at only for a sink that is new");
    }
    if (const auto checked = sink::CheckTarget(sink); !checked) {
      report.not_open.push_back("sink " + sink.name + ": cannot be opened: " + checked.error());
    }
  }
  std::ranges::move(RemovedSinks(*loaded), std::back_inserter(report.notes));

  const std::size_t sources = loaded->sources.size();
  wiring_.use_sources(std::make_shared<const source::SourceTable>(std::move(loaded->sources)));
  wiring_.delivery.Commit(wiring_.set_tails);
  in_force.sinks = std::move(loaded->sinks);
  in_force.routes = std::move(loaded->routes);
  in_force.settings = std::move(loaded->settings);
  LogApplied(report, in_force, sources);
  return report;
}

// Of a source or sink that came or went only that; of one that stays each key.
Words Reload::Changes(const config::Config& next) const {
  const Settings& before = wiring_.in_force.settings;
  const Settings& after = next.settings;
  Words changes;
  for (const std::string& name : Differing(before, after)) {
    if (IsOfServer(name)) continue;
    const std::string owner(OwnerOf(name));
    if (owner == name || (HasOwner(before, owner) && HasOwner(after, owner))) {
      changes.push_back(name);
      continue;
    }
    std::string change = owner + (HasOwner(after, owner) ? " added" : " removed");
    if (changes.empty() || changes.back() != change) changes.push_back(std::move(change));
  }
  NameRotatedSecrets(next, changes);
  return changes;
}

// A file, a variable or a credential can hold another secret although the configuration names the same.
void Reload::NameRotatedSecrets(const config::Config& next, Words& changes) const {
  const auto name_it = [&](const std::string& owner, std::string_view key) {
    const std::string prefix = owner + ": " + std::string(key);
    const bool named =
        std::ranges::any_of(changes, [&](const std::string& change) { return change.starts_with(prefix); });
    if (!named) changes.push_back(prefix + " (another value in the same place)");
  };
  const auto table = wiring_.sources();
  for (const source::Source& running : table->sources()) {
    const auto found = std::ranges::find(next.sources, running.name, &source::Source::name);
    if (found == next.sources.end()) continue;
    if (found->secrets != running.secrets) name_it("source " + running.name, "secrets");
    if (found->certificates != running.certificates) name_it("source " + running.name, "certificates");
  }
  for (const config::Sink& running : wiring_.in_force.sinks) {
    const config::Sink* sink = FindSink(next.sinks, running.name);
    if (sink != nullptr && sink->secrets != running.secrets) name_it("sink " + running.name, "secret");
  }
}

Words Reload::RemovedSinks(const config::Config& next) const {
  Words notes;
  for (const config::Sink& running : wiring_.in_force.sinks) {
    if (FindSink(next.sinks, running.name) != nullptr) continue;
    notes.push_back(
        "sink " + running.name +
        " is removed: its position, retries and dead letters stay in the store, and it goes on there "
        "if a sink of that name is configured again; a renamed sink is a new sink");
  }
  return notes;
}

std::uint64_t Reload::BeginRun() {
  const std::lock_guard lock(mutex_);
  return ++runs_begun_;
}

void Reload::EndRun(std::uint64_t run, observe::ReloadReport report) {
  wiring_.probe.Set(report);
  {
    const std::lock_guard lock(mutex_);
    report_ = std::move(report);
    runs_ended_ = run;
  }
  done_.notify_all();
}

std::optional<observe::ReloadReport> Reload::Ask() {
  std::unique_lock lock(mutex_);
  // A run that is under way may have read the file before its caller wrote it.
  const std::uint64_t mine = runs_begun_ + 1;
  if (!closed_) wake_.Signal();
  done_.wait(lock, [&] { return closed_ || runs_ended_ >= mine; });
  if (runs_ended_ < mine) return std::nullopt;
  return report_;
}

void Reload::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  done_.notify_all();
}

}  // namespace weir
