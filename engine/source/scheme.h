// A compiled scheme: how one sender proves who it is, and where its events carry their id and type. Made from
// TOML by CompileScheme (scheme_toml.h), for the embedded kinds and for kind = "custom" alike; immutable and
// shared by all threads.
//
//   Scheme ── proofs      what the sender may sign with; the fields that are present decide which one applies
//          ── handshakes  requests that are answered and never stored
//          ── id, type    where the identity of an event is found once a proof has passed
//          ── responses   the answers a sender insists on
//
// Field names in TOML and what they mean: docs/providers.md. Everything here is plain data; verifier.cc
// interprets it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/http/request.h"
#include "engine/source/json_pointer.h"
#include "engine/source/location.h"
#include "engine/source/on_conflict.h"
#include "engine/source/template.h"

namespace weir::source {

enum class Algorithm : std::uint8_t {
  kHmacSha1,
  kHmacSha256,
  kHmacSha384,
  kHmacSha512,
  kSha256,           // plain hash with the secret inside the signed string (HubSpot v1 and v2)
  kEd25519,          // RFC 8032, pure
  kEcdsaP256Sha256,  // ASN.1 DER signature
  kRsaSha256,        // PKCS#1 v1.5
  kJwt,              // compact JWS with a body-hash claim; the allowed algorithms are in JwtRules
  kToken,            // the secret itself, in a field
  kBasic,            // "user:password", in Authorization: Basic
};
std::string_view AlgorithmName(Algorithm algorithm);

// What is truly not data, by name.
enum class Procedure : std::uint8_t {
  kTemplate,    // hash or sign `signed_variants`
  kTwilio,      // candidate URLs, sorted form parameters, bodySHA256
  kAdyenItems,  // one signature an item, in the body
  kSns,         // canonical key/value text, certificate named in the body
};

enum class Encoding : std::uint8_t { kHex, kBase64, kBase64Url };

// "t=1,v1=aa,v1=bb": a field that holds several named values.
struct ListSyntax {
  char item_separator = ',';
  char value_separator = '=';
  bool trim = false;                // spaces around an item are the sender's habit (WorkOS)
  std::vector<std::string> picked;  // names whose values are signatures
  std::string first_name;           // non-empty: the first item must have this name (WorkOS, Sanity)
};

enum class Repetition : std::uint8_t {
  kRefused,   // two field lines of one name are an attack or a broken sender
  kJoined,    // the lines of a list-valued field, as RFC 9110 §5.3 joins them
  kNumbered,  // name-1, name-2, … (DocuSign)
};

struct SignatureField {
  std::vector<Location> first_of;  // the first one present is used
  std::string prefix;              // required, case-sensitive: "sha256="
  Encoding encoding = Encoding::kHex;
  bool padded = false;          // base64url only: with "=" or, as most have it, without
  bool upper_case_hex = false;  // accepted; the default is what every sender writes, lower case only
  std::optional<ListSyntax> list;
  Repetition repetition = Repetition::kRefused;
};

enum class TimeUnit : std::uint8_t { kSeconds, kMilliseconds, kRfc3339 };

struct TimestampRule {
  Location at;
  TimeUnit unit = TimeUnit::kSeconds;
  std::int64_t past_s = 300;  // how old a request may be; a source's tolerance replaces both
  std::int64_t future_s = 300;
  bool json_number = false;  // a number, not a string of digits (Linear)
  bool bounded = true;       // false: it is signed, but its age says nothing (retries keep it)
};

// Text of a secret -> key bytes or public key.
enum class KeyText : std::uint8_t { kUtf8, kHex, kBase64, kPem, kJwk };

struct KeyFormat {
  KeyText text = KeyText::kUtf8;
  std::string strip_prefix;           // removed when present
  std::string only_prefix;            // secrets without it belong to another proof of the scheme
  std::string not_prefix;             // secrets with it belong to another proof of the scheme
  bool decode_prefixed_only = false;  // without strip_prefix the text is the key (OpenAI)
  bool nfkd = false;                  // Unicode NFKD first (EasyPost)
  bool html_unescape = false;         // &amp; &lt; &gt; &quot; &#039; first (WooCommerce)
  unsigned slot = 0;                  // secrets[i] is used when i % slots == slot (Box: primary, secondary)
  unsigned slots = 1;
};

struct JwtRules {
  std::vector<std::string> algorithms;  // "HS256", "ES256", "RS256"
  std::string body_hash_claim;
  Encoding body_hash_encoding = Encoding::kHex;
  std::string issuer_parameter;    // the source's parameter that `iss` must equal; empty = not checked
  std::string audience_parameter;  // likewise for `aud`, which may be a list of which one must equal it
  std::vector<std::string> required_claims;
  std::int64_t leeway_s = 0;   // for exp and nbf
  std::int64_t max_age_s = 0;  // of iat; 0 = not checked
};

// A header field whose value is fixed or merely has to be there.
struct FieldRule {
  std::string name;
  std::string value;  // empty = any value, but not an empty one
};

// The key is the one of a certificate that the request names by URL. Nothing is fetched: the file name of the
// URL is looked up among the source's key files; without key files every secret is tried.
struct CertificateRule {
  Location url;
  std::vector<std::string> hosts;  // https and exactly one of these
  // Its file leads to an authority of this machine, or what it signs is refused. One that vouches for itself is the
  // operator's own.
  bool chain = false;
};

struct Proof {
  std::string name;  // for messages: "v3"; empty when the scheme has only one
  Algorithm algorithm = Algorithm::kHmacSha256;
  Procedure procedure = Procedure::kTemplate;
  SignatureField signature;
  KeyFormat key;
  std::vector<Template> signed_variants;  // tried in turn; one for nearly everyone
  std::optional<TimestampRule> timestamp;
  // Tells this proof from another one whose signature is in the same field (HubSpot v1 and v2). Another value
  // means another proof; a request without the field may be meant for either, and both are tried.
  std::vector<FieldRule> select;
  // What the sender's contract wants beside the signature. Never part of the verdict about the signature: a
  // request without it is authentic and lacks a field.
  std::vector<FieldRule> required;
  std::optional<JwtRules> jwt;
  std::optional<CertificateRule> certificate;
  // What {id} stands for. It is the event's id too, and then nothing else is: an unsigned field of another
  // family must not rename a replayed event.
  std::optional<Location> id;
  bool covers_body = true;  // false: the payload itself is not signed (Mailgun, tokens)
  bool needs_url = false;
};

// One component of an id or type: the first location that has a value.
struct ExtractorPart {
  std::vector<Location> first_of;
  bool optional = false;
  // Counts only in events where this has that value: a field that tells some of a sender's events apart and
  // changes between the attempts of others (Adyen).
  struct Condition {
    Location at;
    std::string value;
  };
  std::optional<Condition> when = {};
};

// Ids of several parts are joined as "3:abc2:de", so that no two lists of parts make one id; types with
// `separator`.
struct Extractor {
  std::vector<ExtractorPart> parts;
  std::string separator = ".";
  std::vector<Extractor> otherwise = {};  // tried in turn while there is no value
  bool empty() const { return parts.empty(); }
};

enum class MissingId : std::uint8_t {
  kMalformed,    // dead letter under an id of its own
  kContentHash,  // the sender has no id and equal bytes are equal events
  kUnique,  // the sender has no id and repeats equal bytes on purpose (Dropbox, Asana): never deduplicated
};

// How long an id may be remembered: a day more than the longest time after which a sender is known to come again.
inline constexpr std::int64_t kDedupeWindowMinS = 60;
inline constexpr std::int64_t kDedupeWindowMaxS = std::int64_t{91} * 86'400;

struct EventRules {
  Extractor id;
  Extractor type;
  // Of a type whose last part is optional, all that come without it; empty = not known.
  std::vector<std::string> whole_types;
  MissingId missing_id = MissingId::kMalformed;
  std::optional<JsonPointer> batch;  // the array whose elements are events; the empty pointer is the document
  bool batch_optional = false;       // a body without it is one event (Adyen, QuickBooks)
  std::string payload_form_field;    // the JSON is in this form field when the body is a form (Slack, GitHub)
  bool payload_is_event = false;     // that JSON is what is stored and delivered, not the form (GitHub)
  bool id_signed = true;             // false: nothing the signature covers
  bool type_signed = true;

  // What makes two requests one event, beyond the id.
  std::vector<JsonPointer> lasting_without;  // `volatile`: bytes that differ only there are the same event
  OnConflict on_conflict = OnConflict::kDuplicate;
  std::vector<std::string> test_ids;    // what test buttons send as (a part of) the id: never a duplicate
  std::vector<Location> retry_counter;  // the sender's own count of its attempts, the first present
  std::int64_t dedupe_window_s = 0;     // how long the sender may come again; 0 = the server's default
  bool redelivered_by_hand = false;     // somebody at the sender may ask for an event again, under its old id
};

struct HandshakeRule {
  enum class Guard : std::uint8_t {
    kSignature,  // answered after a proof has passed
    kNone,       // unsigned by contract: exactly this shape, reply only
    kParameter,  // unsigned, but the value at `guarded` equals a parameter (Meta's verify_token)
    kPending,    // unsigned, and only while the source has no secret yet (Asana, Notion)
  };
  std::string name;
  Guard guard = Guard::kSignature;
  http::Method method = http::Method::kPost;
  std::vector<FieldRule> headers;
  std::vector<std::string> headers_absent;
  std::vector<FieldRule> query;
  std::vector<std::pair<JsonPointer, std::string>> json;  // pointer -> value; empty value = any
  std::vector<FieldRule> form;                            // fields of a form body
  std::string body;                                       // "webhook_id={digits}"; empty = any
  std::optional<Location> guarded;
  std::string guard_parameter;
  int refused_status = 0;  // when the guard does not hold; 0 = as a wrong signature
  int status = 200;
  std::string content_type;
  std::optional<Template> reply_text;
  std::vector<std::pair<std::string, Template>> reply_json;  // an object of strings, escaped
  std::vector<std::pair<std::string, Template>> reply_headers;
  std::optional<Location> capture;  // a secret the sender hands over
  std::optional<Location> confirm;  // a URL that somebody has to visit (AWS SNS)
};

struct Reply {
  int status = 0;  // 0 = weir's own
  std::string content_type;
  std::string body;
};

struct ParameterRule {
  std::string name;
  std::string help;
  bool required = true;
};

// For people: what `weir kinds NAME` prints and no verdict depends on.
struct SchemeNotes {
  std::string title;
  std::string documentation;  // host and path, without a scheme
  std::string timeout;
  std::string retries;
  std::vector<std::string> notes;
  std::vector<std::string> unverified;
  std::vector<std::string> aliases;
};

struct Scheme {
  SchemeNotes about;
  std::vector<Proof> proofs;
  bool any_proof = false;  // true: every proof whose fields are there is tried; false: only the first such
  std::vector<http::Method> methods = {http::Method::kPost};
  std::vector<std::string> content_types;  // empty = any
  bool body_required = false;
  std::size_t body_bytes = 0;  // the largest body that the sender documents; 0 = it documents none
  // Fields whose name begins with this carry percent-encoded text (CloudEvents HTTP binding 1.0.2 §3.1.3.2).
  std::string encoded_fields;
  std::vector<std::string> other_credentials;  // how the sender's API keys begin, which sign nothing
  std::vector<std::string> forward_headers;    // globs: what of the sender's fields goes along to sinks
  EventRules event;
  std::vector<HandshakeRule> handshakes;
  Reply accepted;
  int invalid_status = 401;
  int stale_status = 400;
  bool rejected_without_body = false;  // Xero takes an answer with a body for a failed check
  std::vector<ParameterRule> parameters;
  std::string sample_type;  // for SampleBody
};

// Whether events come with this method: POST, and what else the kind says (Zendesk's operator chooses).
bool Delivers(const Scheme& scheme, http::Method method);
// The Allow field of a 405: "POST" or "GET, POST".
std::string AllowedMethods(const Scheme& scheme);
bool HasTimestamp(const Scheme& scheme);
bool NeedsPublicUrl(const Scheme& scheme);
// Some senders hand the secret over themselves (Asana, Notion): a source may start without one.
bool TakesSecretByHandshake(const Scheme& scheme);
bool WantsChains(const Scheme& scheme);  // CertificateRule::chain of any of its proofs

}  // namespace weir::source
