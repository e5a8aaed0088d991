// One TOML table, read strictly: each key is asked for by name, with its type and range, and Finish reports
// the keys that nobody asked for. Mistakes are collected with their place; a value that is wrong leaves its
// target as it was, so that reading goes on and one run reports them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/config/load.h"

namespace toml {
inline namespace v3 {
class node;
class table;
}  // namespace v3
}  // namespace toml

namespace weir::config {

// Where mistakes go. Not thread-safe; one a load.
class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}
  void Error(const Place& place, std::string reason);
  void Warning(const Place& place, std::string reason);
  // Whether there is an error about the key at this path, or about something within it.
  bool HasError(std::string_view path) const;
  std::size_t error_count() const { return errors_.size(); }
  // In the order of the file.
  std::vector<ConfigError> TakeErrors() { return std::move(errors_); }
  std::vector<ConfigError> TakeWarnings() { return std::move(warnings_); }

 private:
  std::string file_;
  std::vector<ConfigError> errors_;
  std::vector<ConfigError> warnings_;
};

struct Text {
  std::string value;
  Place place;
};

// An element of an array that may be written as "text" or as { KEY = "text", name = "…" }.
struct NamedText {
  Text text;
  std::optional<Text> name;
};

template <typename T>
struct Bounds {
  T min;
  T max;
};

class TableReader {
 public:
  // `table` and `findings` outlive the reader. `path` is the table's own: "source[2]"; empty for the
  // document.
  TableReader(const toml::table& table, std::string path, Findings& findings);

  bool Has(std::string_view key) const;
  // The place of the key's value, or of the table where the key is missing.
  Place At(std::string_view key) const;
  void Error(std::string_view key, std::string reason) { findings_.Error(At(key), std::move(reason)); }

  // Of what is read as text none may hold a NUL: whoever it is handed to would see what stands before it.
  std::optional<Text> String(std::string_view key);
  // An array of strings; empty when absent.
  std::vector<Text> Strings(std::string_view key);
  // An array of strings and of tables with the string `value_key` and perhaps the string `name`.
  std::vector<NamedText> NamedStrings(std::string_view key, std::string_view value_key);
  void Boolean(std::string_view key, bool& out);
  void Number(std::string_view key, Bounds<double> bounds, double& out);
  void Count(std::string_view key, Bounds<std::int64_t> bounds, std::uint32_t& out);
  std::vector<std::pair<std::int64_t, Place>> Integers(std::string_view key);
  void Size(std::string_view key, Bounds<std::uint64_t> bounds, std::uint64_t& out);
  void DurationMs(std::string_view key, Bounds<std::int64_t> bounds_ms, std::int64_t& out_ms);
  // Index of the value in `choices`.
  std::optional<std::size_t> Choice(std::string_view key, std::span<const std::string_view> choices);

  std::optional<TableReader> Table(std::string_view key);
  // [[key]]: one reader an element.
  std::vector<TableReader> Tables(std::string_view key);
  // For a reader of its own, such as the scheme compiler's; nullptr when absent or not a table.
  const toml::table* RawTable(std::string_view key);

  // A key of the interface that this build does not have: an error instead of a setting silently without
  // effect.
  void Unavailable(std::string_view key);
  // A key that belongs to something else: "only for kind = \"file\"".
  void Misplaced(std::string_view key, std::string_view reason);

  void Finish();

  const std::string& path() const { return path_; }
  Findings& findings() { return findings_; }

 private:
  struct Element {
    const toml::node& node;
    Place place;
  };

  const toml::node* Ask(std::string_view key);
  // Of the array at `key`; none where there is another type, which is an error that says what is `wanted`.
  std::vector<Element> Elements(std::string_view key, std::string_view wanted);
  void WrongElement(const Element& element, std::string_view wanted);
  void WrongType(std::string_view key, const toml::node& node, std::string_view wanted);
  bool IsText(const std::string& value, const Place& place);
  std::string PathOf(std::string_view key) const;

  const toml::table* table_;
  std::string path_;
  Findings& findings_;
  std::vector<std::string> asked_;
};

}  // namespace weir::config
