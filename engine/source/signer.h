// The other side of a scheme: the headers a sender of that kind would send. For `weir sign`, `weir send`,
// weir-bench and tests; never on the serving path. Symmetric schemes only: for public-key kinds `secret` is
// the private key (PEM).
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/source/source.h"

namespace weir::source {

struct SignRequest {
  std::string_view secret = {};
  std::string_view body = {};
  std::int64_t at_unix_s = 0;
  // For schemes that carry them in a field; an empty id is made up from `at_unix_s` and the body.
  std::string_view id = {};
  std::string_view type = {};
  std::string_view url = {};  // for schemes that sign it
  std::string_view method = "POST";
  std::string_view certificate = "weir.pem";  // file name, for kinds that name their certificate by URL
  std::span<const std::pair<std::string, std::string>> parameters = {};  // as Source::parameters
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Headers in sending order, Content-Type included. The error says what the kind needs that was not given.
std::expected<HeaderList, std::string> Sign(const Scheme& scheme, const SignRequest& request);

// A small JSON body of the shape the kind sends, with `id` and `type` where its contract puts them and padded
// to at least `bytes`. For `weir send` and weir-bench.
std::string SampleBody(const Scheme& scheme, std::string_view id, std::string_view type,
                       std::int64_t at_unix_s, std::size_t bytes);
// The same of a kind with batches (Scheme::event.batch): one event an id, each of at least `bytes_each`.
std::string SampleBatch(const Scheme& scheme, std::span<const std::string> ids, std::string_view type,
                        std::int64_t at_unix_s, std::size_t bytes_each);

}  // namespace weir::source
