#include "engine/source/usual_mistakes.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "engine/limits.h"
#include "engine/source/content_coding.h"
#include "engine/source/json_layout.h"
#include "engine/source/scheme.h"
#include "engine/source/url_guesses.h"

namespace weir::source {
namespace {

// Texts longer than this are read again for every trial, and nobody's re-serialised body is that long.
constexpr std::size_t kReserializedBytesMax = 4 * limits::kMiB;

bool IsPublic(Algorithm algorithm) {
  return algorithm == Algorithm::kEd25519 || algorithm == Algorithm::kEcdsaP256Sha256 ||
         algorithm == Algorithm::kRsaSha256;
}

std::string_view WithoutLineEnd(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string Trimmed(const std::string& text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string::npos ? text : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string WithLineEnds(std::string_view text, std::string_view line_end) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[i] == '\n' ? out.append(line_end) : out.append(1, text[i]);
  }
  return out;
}

class Trials {
 public:
  Trials(const Source& source, const CapturedRequest& request, const std::function<bool(const Trial&)>& visit)
      : source_(source), request_(request), visit_(visit) {}

  void Clock() {
    constexpr std::array<std::pair<TimeUnit, std::string_view>, 3> kUnits = {
        {{TimeUnit::kSeconds, "seconds"},
         {TimeUnit::kMilliseconds, "milliseconds"},
         {TimeUnit::kRfc3339, "RFC 3339"}}};
    for (const auto& [unit, name] : kUnits) {
      const TimeUnit tried = unit;
      WithScheme(
          Mistake::kClock, "the timestamp is in " + std::string(name),
          [tried](Proof& proof) {
            if (proof.timestamp) proof.timestamp->unit = tried;
          },
          false);
    }
  }

  void OtherSecrets(std::span<const Source> others) {
    for (const Source& other : others) {
      if (other.name == source_.name) continue;
      for (std::size_t i = 0; i < other.secrets.size(); ++i) {
        WithSecrets(Mistake::kOtherSecret,
                    "secret " + std::to_string(i) + " of source \"" + other.name + "\" signed it",
                    {other.secrets[i]});
      }
    }
    for (const Proof& proof : source_.scheme->proofs) {
      if (proof.key.slots < 2 || source_.secrets.size() < 2) continue;
      std::vector<std::string> rotated = source_.secrets;
      std::ranges::rotate(rotated, rotated.begin() + 1);
      return WithSecrets(Mistake::kOtherSecret,
                         "a secret of this source that stands in another place signed it",
                         std::move(rotated));
    }
  }

  void SecretTexts() {
    const auto changed = [this](std::string says, auto change) {
      std::vector<std::string> secrets = source_.secrets;
      for (std::string& secret : secrets) secret = change(secret);
      if (secrets != source_.secrets) WithSecrets(Mistake::kSecretText, std::move(says), std::move(secrets));
    };
    const auto with = [&changed](std::string says, std::string before, std::string behind) {
      changed(std::move(says), [&](const std::string& s) { return before + s + behind; });
    };
    const auto cased = [&changed](std::string says, char first, int distance) {
      changed(std::move(says), [&](std::string s) {
        for (char& c : s) {
          if (c >= first && c - first < 26) c = static_cast<char>(c + distance);
        }
        return s;
      });
    };
    with("the sender's secret ends with a newline", "", "\n");
    with("the sender's secret ends with a line end (CRLF)", "", "\r\n");
    with("the sender's secret ends with a space", "", " ");
    with("the sender's secret begins with a space", " ", "");
    with("the sender's secret stands in quotes", "\"", "\"");
    with("the sender's secret stands in single quotes", "'", "'");
    cased("the sender's secret is in small letters", 'A', 'a' - 'A');
    cased("the sender's secret is in capitals", 'a', 'A' - 'a');
    changed("the configured secret begins or ends with a line end or space that the sender's has not",
            [](const std::string& s) { return Trimmed(s); });
    changed("the configured secret stands in quotes", [](const std::string& s) {
      const std::string inner = Trimmed(s);
      const bool quoted = inner.size() > 2 && inner.front() == inner.back() &&
                          (inner.front() == '"' || inner.front() == '\'');
      return quoted ? inner.substr(1, inner.size() - 2) : s;
    });
    changed("the configured secret is a name, \"=\" and the sender's", [](const std::string& s) {
      const std::size_t sign = s.find('=');
      return sign == std::string::npos || sign + 1 == s.size() ? s : s.substr(sign + 1);
    });
    constexpr std::array<std::pair<KeyText, std::string_view>, 3> kTexts = {
        {{KeyText::kUtf8, "its text as it is"},
         {KeyText::kBase64, "decoded from base64"},
         {KeyText::kHex, "decoded from hex"}}};
    for (const auto& [text, name] : kTexts) {
      const KeyText tried = text;
      for (const bool stripped : {true, false}) {
        WithScheme(
            Mistake::kSecretText,
            "the sender's key is the secret " + std::string(name) + (stripped ? "" : ", with its prefix"),
            [tried, stripped](Proof& proof) {
              if (IsPublic(proof.algorithm) || proof.jwt) return;
              proof.key.text = tried;
              proof.key.decode_prefixed_only = false;
              if (!stripped) proof.key.strip_prefix.clear();
            });
      }
    }
  }

  void LineEnds() {
    const std::string& body = request_.body;
    WithBody(Mistake::kLineEnds, "a newline at the end of the body was lost", body + "\n");
    WithBody(Mistake::kLineEnds, "a line end (CRLF) at the end of the body was lost", body + "\r\n");
    WithBody(Mistake::kLineEnds, "a line end was added to the body", std::string(WithoutLineEnd(body)));
    WithBody(Mistake::kLineEnds, "CRLF in the body became LF", WithLineEnds(body, "\r\n"));
    WithBody(Mistake::kLineEnds, "LF in the body became CRLF", WithLineEnds(body, "\n"));
  }

  void Reserialized() {
    if (request_.body.size() > kReserializedBytesMax) return;
    for (const JsonLayout& layout : JsonLayouts()) {
      const auto written = WriteJsonAs(request_.body, layout);
      if (!written || stopped_) return;
      if (*written == WithoutLineEnd(request_.body)) continue;  // then only its line end differs
      const std::string says = "the JSON was written anew on its way; the sender's was " + ToString(layout);
      WithBody(Mistake::kReserialized, says, *written);
      WithBody(Mistake::kReserialized, says + ", with a newline at its end", *written + "\n");
    }
  }

  void Decompressed() {
    CapturedRequest plain = request_;
    const auto named = [](const auto& field) {
      return http::EqualsIgnoreCase(field.first, "content-encoding");
    };
    const bool coded = std::erase_if(plain.headers, named) != 0;
    if (coded) {
      Try(Mistake::kDecompressed,
          "the signature is over the body as it came, compressed or not; weir takes no Content-Encoding, so "
          "the sender has to "
          "send it "
          "plain, without that field",
          source_, plain);
    }
    auto inflated = Inflated(request_.body, limits::kBodyBytesCeiling);
    if (!inflated) return;
    plain.body = *std::move(inflated);
    Try(Mistake::kDecompressed, "the sender signed the body before it was compressed", source_, plain);
  }

  void Urls() {
    if (!NeedsPublicUrl(*source_.scheme)) return;
    Source changed = CopyOf(source_);
    for (const UrlGuess& guess : GuessUrls(source_.public_url, request_)) {
      if (stopped_) return;
      changed.public_url = guess.url;
      CapturedRequest request = request_;
      if (guess.without_query)
        request.target.resize(std::min(request.target.find('?'), request.target.size()));
      Try(Mistake::kUrl,
          "the sender signs the URL " + guess.url + (guess.without_query ? ", without the query" : ""),
          changed, request);
    }
  }

  void Encodings() {
    constexpr std::array<std::pair<Encoding, std::string_view>, 3> kEncodings = {
        {{Encoding::kHex, "hex"}, {Encoding::kBase64, "base64"}, {Encoding::kBase64Url, "base64url"}}};
    WithScheme(Mistake::kEncoding, "the signature may be in capitals (hex); its sender's is not",
               [](Proof& proof) { proof.signature.upper_case_hex = true; });
    for (const auto& [encoding, name] : kEncodings) {
      const Encoding tried = encoding;
      WithScheme(Mistake::kEncoding, "the signature is in " + std::string(name), [tried](Proof& proof) {
        proof.signature.encoding = tried;
        proof.signature.upper_case_hex = true;
      });
    }
    WithScheme(Mistake::kEncoding, "the signature is in base64url with padding", [](Proof& proof) {
      proof.signature.encoding = Encoding::kBase64Url;
      proof.signature.padded = true;
    });
    WithScheme(Mistake::kEncoding, "the signature comes without its prefix",
               [](Proof& proof) { proof.signature.prefix.clear(); });
    WithScheme(Mistake::kEncoding, "the signature comes with a prefix", [this](Proof& proof) {
      if (!proof.signature.prefix.empty() || proof.signature.list) return;
      for (const Location& at : proof.signature.first_of) {
        const std::string* value = FindHeader(request_.headers, at.name);
        if (at.from != Location::From::kHeader || value == nullptr) continue;
        const std::size_t sign = value->find('=');
        if (sign + 1 < value->size()) proof.signature.prefix = value->substr(0, sign + 1);
        return;
      }
    });
  }

  void Algorithms() {
    for (const Algorithm other :
         {Algorithm::kHmacSha1, Algorithm::kHmacSha256, Algorithm::kHmacSha384, Algorithm::kHmacSha512}) {
      WithScheme(Mistake::kAlgorithm, "the signature is made with " + std::string(AlgorithmName(other)),
                 [other](Proof& proof) {
                   if (proof.algorithm <= Algorithm::kHmacSha512) proof.algorithm = other;
                 });
    }
  }

 private:
  void Try(Mistake mistake, std::string says, const Source& source, const CapturedRequest& request,
           bool keeps_time = true) {
    if (stopped_) return;
    stopped_ = !visit_({.mistake = mistake,
                        .says = std::move(says),
                        .source = source,
                        .request = request,
                        .keeps_time = keeps_time});
  }

  void WithBody(Mistake mistake, std::string says, std::string body) {
    if (body == request_.body || stopped_) return;
    CapturedRequest changed = request_;
    changed.body = std::move(body);
    Try(mistake, std::move(says), source_, changed);
  }

  void WithSecrets(Mistake mistake, std::string says, std::vector<std::string> secrets) {
    if (stopped_) return;
    Source changed = CopyOf(source_);
    changed.certificates.clear();
    changed.secrets = std::move(secrets);
    Try(mistake, std::move(says), changed, request_);
  }

  template <typename Change>
  void WithScheme(Mistake mistake, std::string says, const Change& change, bool keeps_time = true) {
    if (stopped_) return;
    auto scheme = std::make_shared<Scheme>(*source_.scheme);
    for (Proof& proof : scheme->proofs) change(proof);
    Source changed = CopyOf(source_);
    changed.scheme = std::move(scheme);
    Try(mistake, std::move(says), changed, request_, keeps_time);
  }

  const Source& source_;
  const CapturedRequest& request_;
  const std::function<bool(const Trial&)>& visit_;
  bool stopped_ = false;
};

}  // namespace

std::string_view MistakeName(Mistake mistake) {
  switch (mistake) {
    case Mistake::kClock:
      return "clock";
    case Mistake::kOtherSecret:
      return "other_secret";
    case Mistake::kSecretText:
      return "secret_text";
    case Mistake::kLineEnds:
      return "line_ends";
    case Mistake::kReserialized:
      return "reserialized_json";
    case Mistake::kDecompressed:
      return "decompressed_body";
    case Mistake::kUrl:
      return "url";
    case Mistake::kEncoding:
      return "encoding";
    case Mistake::kAlgorithm:
      return "algorithm";
  }
  return {};
}

Source CopyOf(const Source& source) {
  Source copy;
  copy.name = source.name;
  copy.kind = source.kind;
  copy.scheme = source.scheme;
  copy.secrets = source.secrets;
  copy.tolerance_s = source.tolerance_s;
  copy.certificates = source.certificates;
  copy.dedupe_window_us = source.dedupe_window_us;
  copy.body_bytes_max = source.body_bytes_max;
  copy.public_url = source.public_url;
  copy.parameters = source.parameters;
  copy.quarantine_bytes_max = source.quarantine_bytes_max;
  copy.reject_malformed = source.reject_malformed;
  return copy;
}

void ForEachTrial(const Source& source, std::span<const Source> others, const CapturedRequest& request,
                  const std::function<bool(const Trial&)>& visit) {
  Trials trials(source, request, visit);
  trials.Clock();
  trials.LineEnds();
  trials.OtherSecrets(others);
  trials.SecretTexts();
  trials.Encodings();
  trials.Algorithms();
  trials.Decompressed();
  trials.Urls();
  trials.Reserialized();
}

}  // namespace weir::source
