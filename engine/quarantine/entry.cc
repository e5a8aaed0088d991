#include "engine/quarantine/entry.h"

#include <charconv>

#include "storage/value_codec.h"

namespace weir::quarantine {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kWithoutRequestId = 1;
constexpr char kSeparator = ':';  // which no name of a source contains

std::optional<std::uint32_t> ParseNumber(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string ToString(const Place& place) {
  return place.source + kSeparator + std::to_string(place.segment) + kSeparator +
         std::to_string(place.offset);
}

std::optional<Place> ParsePlace(std::string_view text) {
  const std::size_t first = text.find(kSeparator);
  const std::size_t second = text.rfind(kSeparator);
  if (first == 0 || first == second) return std::nullopt;  // rfind finds what find has found
  const auto segment = ParseNumber(text.substr(first + 1, second - first - 1));
  const auto offset = ParseNumber(text.substr(second + 1));
  if (!segment || !offset || text.find('/') != std::string_view::npos) return std::nullopt;
  return Place{.source = std::string(text.substr(0, first)), .segment = *segment, .offset = *offset};
}

std::string Encode(const Entry& entry, const Place& place) {
  storage::ValueWriter writer(kVersion);
  writer.I64(entry.received_at_us);
  for (const std::string* text : {&entry.source, &entry.reason, &entry.method, &entry.target, &entry.headers,
                                  &entry.body, &entry.request_id}) {
    writer.Text(*text);
  }
  return std::move(writer).Finish(ToString(place));
}

std::optional<Entry> Decode(std::string_view value, const Place& place) {
  auto reader = storage::ValueReader::Open(ToString(place), value);
  if (!reader || reader->version() < kWithoutRequestId || reader->version() > kVersion) return std::nullopt;
  Entry entry;
  entry.received_at_us = reader->I64();
  for (std::string* text :
       {&entry.source, &entry.reason, &entry.method, &entry.target, &entry.headers, &entry.body}) {
    *text = reader->Text();
  }
  if (reader->version() != kWithoutRequestId) entry.request_id = reader->Text();
  if (!reader->Complete()) return std::nullopt;
  return entry;
}

}  // namespace weir::quarantine
