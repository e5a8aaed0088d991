#include "tools/outgoing_event.h"

#include <algorithm>

#include "engine/http/request.h"
#include "engine/source/scheme.h"

namespace weir::tools {
namespace {

constexpr std::size_t kSampleBytes = 256;
// Past the tolerance of any source, so that a slow clock does not make it fresh.
constexpr std::int64_t kStaleByS = 172'800;  // two days

bool CoversBody(const source::Scheme& scheme) {
  return std::ranges::all_of(scheme.proofs, [](const source::Proof& proof) { return proof.covers_body; });
}

// One more space: still the same JSON, and no longer what was signed. Where the body is not signed, what is
// sent as a proof is changed instead.
void Tamper(const source::Scheme& scheme, OutgoingEvent& event) {
  if (CoversBody(scheme)) {
    event.body += ' ';
    return;
  }
  for (auto& [name, value] : event.headers) {
    if (http::EqualsIgnoreCase(name, "Content-Type") || value.empty()) continue;
    value.back() = value.back() == 'A' ? 'B' : 'A';
  }
}

std::string_view SecretOf(const EventRecipe& recipe) {
  if (!recipe.secret.empty() || recipe.source.secrets.empty()) return recipe.secret;
  return recipe.source.secrets.front();
}

std::expected<OutgoingEvent, std::string> Signed(const EventRecipe& recipe, const std::string& id,
                                                 std::int64_t at) {
  const source::Scheme& scheme = *recipe.source.scheme;
  const std::string& type = recipe.type.empty() ? scheme.sample_type : recipe.type;
  OutgoingEvent event{.id = id, .body = {}, .headers = {}};
  event.body = recipe.body ? *recipe.body : source::SampleBody(scheme, id, type, at, kSampleBytes);
  const auto& certificates = recipe.source.certificates;
  auto headers = source::Sign(
      scheme,
      {.secret = SecretOf(recipe),
       .body = event.body,
       .at_unix_s = at,
       .id = id,
       .type = type,
       .url = recipe.source.public_url,
       .certificate = certificates.empty() ? "weir.pem" : std::string_view(certificates.front().first),
       .parameters = recipe.source.parameters});
  if (!headers) return std::unexpected(headers.error());
  event.headers = std::move(*headers);
  return event;
}

}  // namespace

std::expected<OutgoingEvent, std::string> MakeEvent(const EventRecipe& recipe, std::size_t number,
                                                    std::int64_t now_unix_s) {
  if (SecretOf(recipe).empty()) {
    return std::unexpected("the source has no secret to sign with; give the sender's key with --secret");
  }
  const std::string id = recipe.numbered ? recipe.id_prefix + '-' + std::to_string(number) : recipe.id_prefix;
  auto event = Signed(recipe, id, now_unix_s);
  if (!event) return event;
  switch (recipe.forgery) {
    case Forgery::kNone:
      return event;
    case Forgery::kTampered:
      Tamper(*recipe.source.scheme, *event);
      return event;
    case Forgery::kStale:
      break;
  }
  auto stale = Signed(recipe, id, now_unix_s - kStaleByS);
  // Whether a time is signed can depend on the secret (GitLab), so what came out decides.
  if (stale && (!source::HasTimestamp(*recipe.source.scheme) || stale->headers == event->headers)) {
    return std::unexpected("a sender of kind \"" + recipe.source.kind +
                           "\" signs no time here, so nothing is ever stale");
  }
  return stale;
}

std::optional<int> RefusalStatus(const source::Scheme& scheme, Forgery forgery) {
  switch (forgery) {
    case Forgery::kNone:
      return std::nullopt;
    case Forgery::kTampered:
      return scheme.invalid_status;
    case Forgery::kStale:
      return scheme.stale_status;
  }
  return std::nullopt;
}

}  // namespace weir::tools
