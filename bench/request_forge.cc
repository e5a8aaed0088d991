#include "bench/request_forge.h"

#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "engine/source/signer.h"

namespace weir::bench {
namespace {

constexpr std::size_t kIdDigits = 12;
constexpr std::int64_t kStaleBy_s = 86'400;
constexpr std::string_view kEventType = "bench.event";

std::string Assemble(const ForgeOptions& options, const source::HeaderList& headers, std::string_view body) {
  std::string request;
  request.reserve(512 + body.size());
  request.append("POST ").append(options.target).append(" HTTP/1.1\r\nHost: ").append(options.authority);
  // What providers' clients commonly send besides, so that the head has a realistic size.
  request.append("\r\nUser-Agent: weir-bench/" WEIR_VERSION
                 "\r\nAccept: */*; q=0.5, application/xml\r\nCache-Control: no-cache\r\n");
  for (const auto& [name, value] : headers) request.append(name).append(": ").append(value).append("\r\n");
  request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return request;
}

}  // namespace

RequestForge::RequestForge(ForgeOptions options) : options_(std::move(options)) {}

std::string RequestForge::IdOf(std::uint64_t event_number) const {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), event_number);
  static_cast<void>(error);  // twenty digits hold any 64-bit number
  const auto size = static_cast<std::size_t>(end - digits.data());
  std::string id = options_.id_prefix;
  if (size < kIdDigits) id.append(kIdDigits - size, '0');
  return id.append(digits.data(), size);
}

std::string RequestForge::BodyOf(std::uint64_t id_number, std::int64_t at_unix_s) const {
  if (options_.batch == 1) {
    return source::SampleBody(*options_.scheme, IdOf(id_number), kEventType, at_unix_s,
                              options_.payload_bytes);
  }
  std::vector<std::string> ids;
  for (std::uint64_t event = FirstEventOf(id_number); event < FirstEventOf(id_number + 1); ++event)
    ids.push_back(IdOf(event));
  return source::SampleBatch(*options_.scheme, ids, kEventType, at_unix_s, options_.payload_bytes);
}

bool RequestForge::SignsTimestamp(std::int64_t at_unix_s) const {
  // The same body both times: only what the signature adds tells.
  const std::string id = IdOf(0);
  const std::string body = BodyOf(0, at_unix_s);
  source::SignRequest request{.secret = options_.secret,
                              .body = body,
                              .at_unix_s = at_unix_s,
                              .id = id,
                              .type = kEventType,
                              .url = options_.url};
  const auto fresh = source::Sign(*options_.scheme, request);
  request.at_unix_s -= kStaleBy_s;
  const auto stale = source::Sign(*options_.scheme, request);
  return fresh && stale && *fresh != *stale;
}

std::expected<std::string, std::string> RequestForge::Make(const PlannedRequest& planned,
                                                           std::int64_t at_unix_s) const {
  const std::int64_t at_s =
      planned.request_class == RequestClass::kStale ? at_unix_s - kStaleBy_s : at_unix_s;
  const std::string id = IdOf(FirstEventOf(planned.id_number));
  const std::string body = BodyOf(planned.id_number, at_s);
  source::SignRequest request{.secret = options_.secret,
                              .body = body,
                              .at_unix_s = at_s,
                              .id = id,
                              .type = kEventType,
                              .url = options_.url};
  auto headers = source::Sign(*options_.scheme, request);
  if (!headers) return std::unexpected(std::move(headers.error()));
  if (planned.request_class != RequestClass::kInvalid) return Assemble(options_, *headers, body);

  // A signature that has the right form and is wrong: over other bytes or, where none are signed (tokens),
  // another secret's.
  std::string other_body = body;
  other_body += ' ';
  request.body = other_body;
  auto forged = source::Sign(*options_.scheme, request);
  if (forged && *forged == *headers) {
    const std::string other_secret = options_.secret + "x";
    request.secret = other_secret;
    request.body = body;
    forged = source::Sign(*options_.scheme, request);
  }
  if (!forged) return std::unexpected(std::move(forged.error()));
  if (*forged == *headers) return std::unexpected("this kind has no signature that could be invalid");
  return Assemble(options_, *forged, body);
}

}  // namespace weir::bench
