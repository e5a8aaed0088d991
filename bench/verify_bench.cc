// What verification costs over the hash itself. The bar: Verify end to end (field lookup to verdict) at
// most 1.35 times the bare keyed hash of the same 1 KiB, where the bare hash is OpenSSL's EVP_MAC, keyed once
// and rewound for each message.
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <array>
#include <string>

#include "engine/limits.h"
#include "engine/source/json_reader.h"
#include "engine/source/keyed_hash.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"
#include "engine/source/signer.h"
#include "engine/source/verifier.h"

namespace weir::source {
namespace {

constexpr std::int64_t kNowS = 1'767'225'600;
constexpr std::string_view kSecret = "whsec_test_5f4dcc3b5aa765d61d8327deb882cf99";

void HmacConvenience(benchmark::State& state) {
  const std::string message(static_cast<std::size_t>(state.range(0)), 'x');
  std::array<unsigned char, 32> out{};
  unsigned size = 0;
  for ([[maybe_unused]] auto _ : state) {
    HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), out.data(), &size);
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(HmacConvenience)->Arg(1024)->Arg(16384);

void EvpMacRewound(benchmark::State& state) {
  const std::string message(static_cast<std::size_t>(state.range(0)), 'x');
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(kSecret.data()), kSecret.size(), parameters);
  std::array<unsigned char, 32> out{};
  std::size_t size = 0;
  for ([[maybe_unused]] auto _ : state) {
    EVP_MAC_init(context, nullptr, 0, nullptr);
    EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()), message.size());
    EVP_MAC_final(context, out.data(), &size, out.size());
    benchmark::DoNotOptimize(out);
  }
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(EvpMacRewound)->Arg(1024)->Arg(16384);

void KeyedHashState(benchmark::State& state) {
  const std::string message(static_cast<std::size_t>(state.range(0)), 'x');
  const HmacKey key(HashKind::kSha256, kSecret);
  for ([[maybe_unused]] auto _ : state) {
    Hash running = key.Begin();
    running.Update(message);
    benchmark::DoNotOptimize(key.Finish(running));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(KeyedHashState)->Arg(1024)->Arg(16384);

// A request as a proxy passes it on: the kind's own fields among the usual ones.
struct Sent {
  Sent(std::string_view kind_name, std::size_t bytes) : kind(*FindKind(kind_name)) {
    body = SampleBody(*kind.scheme, "evt_1NG8Du2eZvKYlo2CUI79vXWy", kind.scheme->sample_type, kNowS, bytes);
    headers = {{"Host", "hooks.example.com"}, {"User-Agent", "sender/1.0"},   {"Accept", "*/*"},
               {"Cache-Control", "no-cache"}, {"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "https"}};
    auto made = Sign(*kind.scheme,
                     {.secret = kSecret, .body = body, .at_unix_s = kNowS, .id = "msg_1", .type = "push"});
    for (auto& field : *made) headers.push_back(std::move(field));
    const std::size_t size = body.size();
    body.append(limits::kJsonPaddingBytes, '\0');
    request.method = http::Method::kPost;
    request.method_text = "POST";
    request.body = std::string_view(body).substr(0, size);
    for (const auto& [name, value] : headers) request.field_storage[request.field_count++] = {name, value};
    std::vector<Source> sources(1);
    sources[0].name = "bench";
    sources[0].scheme = kind.scheme;
    sources[0].secrets = {std::string(kSecret)};
    table = std::make_unique<SourceTable>(std::move(sources));
  }

  const Kind& kind;
  std::string body;
  HeaderList headers;
  http::Request request;
  std::unique_ptr<SourceTable> table;
};

void Verify(benchmark::State& state, std::string_view kind) {
  const Sent sent(kind, static_cast<std::size_t>(state.range(0)));
  Verifier verifier(1);
  const Source& source = sent.table->sources().front();
  for ([[maybe_unused]] auto _ : state) {
    const Verdict verdict = verifier.Verify(source, sent.request, kNowS * 1'000'000);
    if (!std::holds_alternative<Accepted>(verdict)) state.SkipWithError("not accepted");
    benchmark::DoNotOptimize(verdict);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(Verify, github, "github")->Arg(1024)->Arg(16384);
BENCHMARK_CAPTURE(Verify, stripe, "stripe")->Arg(1024)->Arg(16384);

void ExtractIdAndType(benchmark::State& state) {
  const Sent sent("stripe", static_cast<std::size_t>(state.range(0)));
  JsonReader reader;
  const JsonPointer id{{"id"}};
  const JsonPointer type{{"type"}};
  for ([[maybe_unused]] auto _ : state) {
    reader.Forget();
    benchmark::DoNotOptimize(reader.Open(sent.request.body));
    benchmark::DoNotOptimize(reader.Value(id));
    benchmark::DoNotOptimize(reader.Value(type));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ExtractIdAndType)->Arg(1024)->Arg(16384);

}  // namespace
}  // namespace weir::source
