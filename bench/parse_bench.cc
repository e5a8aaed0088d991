// What reading one request costs a shard: the head of a webhook of ordinary size, whole and in pieces, its
// chunked body, and the answer.
//
//   parse_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
//
// What would prove a change useless: ParseHead/stripe not moving. What would prove it harmful: HeadByteByByte
// growing faster than the head.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "engine/http/request_parser.h"
#include "engine/http/response_parser.h"
#include "engine/http/response_writer.h"

namespace {

using weir::http::RequestParser;
using weir::http::ResponseParser;

constexpr std::string_view kStripeHead =
    "POST /webhooks/stripe HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Accept: */*\r\n"
    "Cache-Control: no-cache\r\n"
    "Content-Length: 800\r\n"
    "Stripe-Signature: "
    "t=1732200000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd\r\n"
    "\r\n";

constexpr std::string_view kSmallestHead =
    "POST /webhooks/acme HTTP/1.1\r\nHost: weir\r\nContent-Length: 3\r\n\r\n";

std::string LargeHead() {
  std::string head = "POST /webhooks/acme HTTP/1.1\r\nHost: weir\r\nContent-Length: 3\r\n";
  for (int i = 0; i < 60; ++i)
    head += "X-Forwarded-Something-Or-Other: 0123456789012345678901234567890123456789\r\n";
  return head + "\r\n";
}

void Require(bool condition, benchmark::State& state) {
  if (!condition) state.SkipWithError("the parser refused the benchmark's own input");
}

void ParseHead(benchmark::State& state, std::string_view head) {
  RequestParser parser{RequestParser::Limits{}};
  for ([[maybe_unused]] auto _ : state) {
    parser.Reset();
    Require(parser.ParseHead(head) == RequestParser::Step::kDone, state);
    benchmark::DoNotOptimize(parser.request());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
  state.counters["head_bytes"] = static_cast<double>(head.size());
}

void HeadByteByByte(benchmark::State& state) {
  std::string head = "POST / HTTP/1.1\r\nHost: weir\r\n";
  while (head.size() + 60 < static_cast<std::size_t>(state.range(0)))
    head += "X-Fill: " + std::string(50, 'a') + "\r\n";
  head += "\r\n";
  RequestParser parser{RequestParser::Limits{}};
  for ([[maybe_unused]] auto _ : state) {
    parser.Reset();
    RequestParser::Step step = RequestParser::Step::kNeedMore;
    for (std::size_t end = 1; end <= head.size(); ++end) step = parser.ParseHead({head.data(), end});
    Require(step == RequestParser::Step::kDone, state);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
}

void ChunkedBody(benchmark::State& state) {
  const auto chunk_bytes = static_cast<std::size_t>(state.range(0));
  char size_line[32];
  std::snprintf(size_line, sizeof size_line, "%zx\r\n", chunk_bytes);
  std::string body;
  for (std::size_t sent = 0; sent < 16384; sent += chunk_bytes) {
    body.append(size_line).append(chunk_bytes, 'a').append("\r\n");
  }
  body += "0\r\n\r\n";
  RequestParser parser{RequestParser::Limits{}};
  std::string decoded;
  for ([[maybe_unused]] auto _ : state) {
    parser.Reset();
    decoded.clear();
    std::size_t consumed = 0;
    Require(parser.DecodeChunked(body, decoded, 1 << 20, consumed) == RequestParser::Step::kDone, state);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void ParseAnswer(benchmark::State& state) {
  std::string answer;
  weir::http::AppendResponse(
      answer, {.status = 202, .request_id = "0123456789abcdef"},
      R"({"status":"accepted","event_id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","sequence":12345678})");
  ResponseParser parser(256);
  for ([[maybe_unused]] auto _ : state) {
    parser.Reset();
    std::size_t consumed = 0;
    Require(parser.Feed(answer, consumed) == ResponseParser::Step::kDone, state);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(answer.size()));
}

void WriteAnswer(benchmark::State& state) {
  std::string out;
  for ([[maybe_unused]] auto _ : state) {
    out.clear();
    weir::http::AppendResponse(
        out, {.status = 202, .request_id = "0123456789abcdef"},
        R"({"status":"accepted","event_id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","sequence":1})");
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK_CAPTURE(ParseHead, stripe, kStripeHead);
BENCHMARK_CAPTURE(ParseHead, smallest, kSmallestHead);
BENCHMARK_CAPTURE(ParseHead, large, LargeHead());
BENCHMARK(HeadByteByByte)->Arg(512)->Arg(1024)->Arg(2048)->Arg(4096);
BENCHMARK(ChunkedBody)->Arg(16)->Arg(1024)->Arg(16384);
BENCHMARK(ParseAnswer);
BENCHMARK(WriteAnswer);

}  // namespace
