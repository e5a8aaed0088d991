#include "engine/admin/parameters.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/admin/known_names.h"
#include "engine/admin/time_expression.h"

namespace weir::admin {

namespace {

Read<std::optional<EventState>> ReadState(const Parameters& parameters) {
  const auto found = parameters.find("state");
  if (found == parameters.end()) return std::nullopt;
  const auto state = ParseState(found->second);
  if (!state) return std::unexpected("state: expected one of " + std::string(kStateNames));
  return *state;
}

}  // namespace

Read<void> OnlyKnown(const Parameters& parameters, std::span<const std::string_view> filters,
                     std::initializer_list<std::string_view> others) {
  for (const auto& [name, value] : parameters) {
    if (std::find(filters.begin(), filters.end(), name) == filters.end() &&
        std::find(others.begin(), others.end(), name) == others.end()) {
      return std::unexpected("unknown parameter " + name);
    }
    // An unset shell variable in a command line; as a filter it would mean "any".
    if (value.empty()) return std::unexpected(name + " is empty");
  }
  return {};
}

Read<std::optional<std::int64_t>> ReadTime(const Parameters& parameters, std::string_view name,
                                           std::int64_t now_us) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return std::nullopt;
  const auto time = ParseTime(found->second, now_us);
  if (!time) return std::unexpected(std::string(name) + ": " + time.error());
  return *time;
}

Read<EventFilter> ReadEventFilter(const Wiring& wiring, const Parameters& parameters, std::int64_t now_us) {
  if (auto known = CheckSourceName(wiring, ReadText(parameters, "source")); !known) {
    return std::unexpected(known.error());
  }
  const auto since = ReadTime(parameters, "since", now_us);
  if (!since) return std::unexpected(since.error());
  const auto until = ReadTime(parameters, "until", now_us);
  if (!until) return std::unexpected(until.error());
  const auto state = ReadState(parameters);
  if (!state) return std::unexpected(state.error());
  return EventFilter{.source = ReadText(parameters, "source"),
                     .type = ReadText(parameters, "type"),
                     .id = ReadText(parameters, "id"),
                     .since_us = *since,
                     .until_us = *until,
                     .state = *state};
}

Read<DeadLetterFilter> ReadDeadLetterFilter(const Wiring& wiring, const Parameters& parameters,
                                            std::int64_t now_us) {
  for (const auto& known : {CheckSourceName(wiring, ReadText(parameters, "source")),
                            CheckSinkName(wiring, ReadText(parameters, "sink")),
                            CheckDeathReason(wiring, ReadText(parameters, "reason"))}) {
    if (!known) return std::unexpected(known.error());
  }
  const auto since = ReadTime(parameters, "since", now_us);
  if (!since) return std::unexpected(since.error());
  const auto until = ReadTime(parameters, "until", now_us);
  if (!until) return std::unexpected(until.error());
  return DeadLetterFilter{.sink = ReadText(parameters, "sink"),
                          .source = ReadText(parameters, "source"),
                          .type = ReadText(parameters, "type"),
                          .id = ReadText(parameters, "id"),
                          .reason = ReadText(parameters, "reason"),
                          .since_us = *since,
                          .until_us = *until,
                          .after = std::nullopt};
}

Read<std::uint64_t> ReadNumber(const Parameters& parameters, std::string_view name, std::uint64_t absent,
                               std::uint64_t min, std::uint64_t max) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return absent;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    return std::unexpected(std::string(name) + ": expected a whole number from " + std::to_string(min) +
                           " to " + std::to_string(max));
  }
  return value;
}

Read<bool> ReadSwitch(const Parameters& parameters, std::string_view name) {
  const auto found = parameters.find(name);
  if (found == parameters.end() || found->second == "0") return false;
  if (found->second == "1") return true;
  return std::unexpected(std::string(name) + ": expected 0 or 1");
}

std::string ReadText(const Parameters& parameters, std::string_view name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

}  // namespace weir::admin
