// A source as the hot path sees it: its name, its compiled scheme, its secrets, its limits. Immutable after it was built; a
// reload builds a new table and swaps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

struct Scheme;  // scheme.h: a compiled description of one sender's contract

struct Source {
  std::string name;
  std::string kind;
  std::shared_ptr<const Scheme> scheme;
  std::vector<std::string> secrets;       // resolved values; cleansed on destruction; never logged, never formatted
  std::int64_t tolerance_s = 300;         // 0 = the scheme carries no timestamp
  std::int64_t dedupe_window_us = 0;
  std::size_t body_bytes_max = 0;
  std::string public_url;                 // empty when the scheme does not sign the URL
  bool reject_malformed = false;          // on_malformed = "reject"
  std::uint32_t index = 0;                // position in the table: label of its metrics
  std::uint64_t secrets_epoch = 0;        // changes whenever secrets or scheme do: keyed contexts are cached by it

  Source() = default;
  Source(Source&&) = default;
  Source& operator=(Source&&) = default;
  ~Source();
};

class SourceTable {
 public:
  explicit SourceTable(std::vector<Source> sources);
  // The source of POST /webhooks/{name}; nullptr if there is none.
  const Source* Find(std::string_view name) const;
  const std::vector<Source>& sources() const { return sources_; }

 private:
  std::vector<Source> sources_;
  std::vector<std::uint32_t> by_name_;  // sorted
};

}  // namespace weir::source
