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
#include "storage/check.h"

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

// A request of kind github whose signature can be set. Both classes use the same one: two requests at two
// addresses differ by a tenth of a nanosecond for reasons of their own, and a million runs show it.
class SignedRequest {
 public:
  SignedRequest() {
    const source::Kind& kind = *source::FindKind("github");
    body_ = R"({"action":"opened"})" + std::string(limits::kJsonPaddingBytes, '\0');
    request_.method = http::Method::kPost;
    request_.method_text = "POST";
    request_.body = std::string_view(body_).substr(0, body_.size() - limits::kJsonPaddingBytes);
    headers_ = *source::Sign(*kind.scheme, {.secret = kSecret, .body = request_.body, .at_unix_s = kNowS});
    for (const auto& [name, value] : headers_) request_.field_storage[request_.field_count++] = {name, value};
  }
  // The signature with one digit wrong: of the same class of characters, as a table or a branch may tell
  // letters from digits.
  std::string WrongAt(std::size_t position) {
    std::string text = headers_.back().second;
    char& digit = text[std::string_view("sha256=").size() + position];
    const bool letter = digit >= 'a';
    const char first = letter ? 'a' : '0';
    digit = digit == first ? static_cast<char>(first + 1) : first;
    return text;
  }
  void SetSignature(const std::string& text) { std::ranges::copy(text, headers_.back().second.begin()); }
  const http::Request& view() const { return request_; }

 private:
  std::string body_;
  source::HeaderList headers_;
  http::Request request_;
};

struct Samples {
  std::vector<std::uint8_t> which;
  std::vector<double> ns;
};

Samples Measure(std::uint64_t runs) {
  constexpr std::size_t kLastDigit = 63;
  SignedRequest request;
  const std::string signatures[] = {request.WrongAt(0), request.WrongAt(kLastDigit)};
  std::vector<source::Source> sources(1);
  sources[0].scheme = source::FindKind("github")->scheme;
  sources[0].secrets = {std::string(kSecret)};
  const source::SourceTable table(std::move(sources));
  source::Verifier verifier(1);
  std::mt19937_64 random(42);
  Samples samples;
  samples.which.resize(runs);
  samples.ns.resize(runs);
  for (std::uint8_t& which : samples.which) which = random() & 1;
  for (std::uint64_t i = 0; i < runs; ++i) {
    request.SetSignature(signatures[samples.which[i]]);
    const auto start = std::chrono::steady_clock::now();
    const auto verdict = verifier.Verify(table.sources().front(), request.view(), kNowS * 1'000'000);
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    WEIR_CHECK(std::holds_alternative<source::Rejected>(verdict));
    samples.ns[i] = elapsed.count();
  }
  return samples;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const Samples samples = Measure(std::max<std::uint64_t>(runs, 1000));
  // Interrupts are not what is measured: the slowest percent of both classes together goes.
  std::vector<double> sorted = samples.ns;
  const auto cut = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 99 / 100);
  std::ranges::nth_element(sorted, cut);
  Moments moments[2];
  for (std::size_t i = 0; i < samples.ns.size(); ++i) {
    if (samples.ns[i] <= *cut) moments[samples.which[i]].Add(samples.ns[i]);
  }
  const double t = WelchT(moments[0], moments[1]);
  std::printf("%zu runs: first byte wrong %.2f ns, last byte wrong %.2f ns, t = %.2f\n", samples.ns.size(),
              moments[0].mean, moments[1].mean, t);
  return std::abs(t) < kLeakLikely ? 0 : 1;
}
