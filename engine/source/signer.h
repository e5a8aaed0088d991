// The other side of a scheme: the headers a sender of that kind would send. For `weir sign`, `weir send`,
// weir-bench and tests; never on the serving path. Symmetric schemes only: for public-key kinds `secret` is
// the private key (PEM).
#pragma once

#include <cstdint>
#include <expected>
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
  std::string_view id =
      {};  // for schemes that carry the id in a header; empty = a made-up one from at and body
  std::string_view type = {};  // likewise
  std::string_view url = {};   // for schemes that sign it
  std::string_view method = "POST";
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Headers in sending order, Content-Type included. The error says what the kind needs that was not given.
std::expected<HeaderList, std::string> Sign(const Scheme& scheme, const SignRequest& request);

// A small JSON body of the shape the kind sends, with `id` and `type` where its contract puts them and padded
// to at least `bytes`. For `weir send` and weir-bench.
std::string SampleBody(const Scheme& scheme, std::string_view id, std::string_view type,
                       std::int64_t at_unix_s, std::size_t bytes);

}  // namespace weir::source
