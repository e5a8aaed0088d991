// compare_timing [RUNS]: does the time of a rejection tell how much of a signature was right? Interleaves
// requests whose signature is wrong in its first byte with requests whose signature is wrong in its last, and
// prints Welch's t of the two classes (dudect: above 4.5 a leak is likely). Exit 1 past it. Pin it to an idle
// core.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "engine/limits.h"
#include "engine/source/kinds.h"
#include "engine/source/signer.h"
#include "engine/source/verifier.h"

namespace {

using namespace weir;

constexpr std::int64_t kNowS = 1'767'225'600;
constexpr double kLeakLikely = 4.5;
constexpr std::string_view kSecret = "It's a Secret to Everybody";

// Mean and variance as they come (Welford).
struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;
  void Add(double value) {
    ++count;
    const double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  double Variance() const { return squares / (count - 1); }
};

double WelchT(const Moments& a, const Moments& b) {
  return (a.mean - b.mean) / std::sqrt(a.Variance() / a.count + b.Variance() / b.count);
}

struct Request {
  explicit Request(std::size_t wrong_at) {
    const source::Kind& kind = *source::FindKind("github");
    body = R"({"action":"opened"})" + std::string(limits::kJsonPaddingBytes, '\0');
    request.method = http::Method::kPost;
    request.method_text = "POST";
    request.body = std::string_view(body).substr(0, body.size() - limits::kJsonPaddingBytes);
    headers = *source::Sign(*kind.scheme, {.secret = kSecret, .body = request.body, .at_unix_s = kNowS});
    std::string& signature = headers.back().second;
    const std::size_t prefix = std::string_view("sha256=").size();
    char& digit = signature[prefix + wrong_at];
    digit = digit == '0' ? '1' : '0';
    for (const auto& [name, value] : headers) request.field_storage[request.field_count++] = {name, value};
  }
  std::string body;
  source::HeaderList headers;
  http::Request request;
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  constexpr std::size_t kLastDigit = 63;
  const Request first(0);
  const Request last(kLastDigit);
  const http::Request* requests[] = {&first.request, &last.request};
  std::vector<source::Source> sources(1);
  sources[0].scheme = source::FindKind("github")->scheme;
  sources[0].secrets = {std::string(kSecret)};
  const source::SourceTable table(std::move(sources));
  source::Verifier verifier(1);

  std::mt19937_64 random(42);
  std::vector<double> taken[2];
  for (std::uint64_t i = 0; i < runs; ++i) {
    const std::size_t which = random() & 1;
    const auto start = std::chrono::steady_clock::now();
    const auto verdict = verifier.Verify(table.sources().front(), *requests[which], kNowS * 1'000'000);
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    if (!std::holds_alternative<source::Rejected>(verdict)) return 2;
    taken[which].push_back(elapsed.count());
  }
  // Interrupts are not what is measured: the slowest percent of both classes together goes.
  std::vector<double> all = taken[0];
  all.insert(all.end(), taken[1].begin(), taken[1].end());
  const auto cut = all.begin() + static_cast<std::ptrdiff_t>(all.size() * 99 / 100);
  std::ranges::nth_element(all, cut);
  Moments moments[2];
  for (int which = 0; which < 2; ++which) {
    for (const double ns : taken[which]) {
      if (ns <= *cut) moments[which].Add(ns);
    }
  }
  const double t = WelchT(moments[0], moments[1]);
  std::printf("%llu runs: first byte wrong %.1f ns, last byte wrong %.1f ns, t = %.2f\n",
              static_cast<unsigned long long>(runs), moments[0].mean, moments[1].mean, t);
  return std::abs(t) < kLeakLikely ? 0 : 1;
}
