// Request + source + now -> verdict. One Verifier a thread: it owns the keyed MAC contexts, one per secret,
// fetched and keyed once, and the JSON parser. Nothing is parsed, stored or logged before the signature over
// the raw bytes has passed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/http/request.h"
#include "engine/source/source.h"

namespace weir::source {

enum class RejectReason : std::uint8_t {
  kMissingSignature,     // 401 missing_signature
  kMalformedSignature,   // 401 malformed_signature: present, but not of the scheme's form; also a repeated
                         // field
  kInvalidSignature,     // 401 invalid_signature
  kStaleTimestamp,       // 400 stale_timestamp: authentic, outside the tolerance
  kUnsupportedEncoding,  // 415: a Content-Encoding; the signature is over raw bytes, which are never
                         // decompressed
  kMethodNotAllowed,     // 405
  kKeyUnavailable,       // 503: the verification key cannot be had right now
  kMissingField,      // 400 missing_field: authentic, but a field that the contract wants is not there or has
                      // another value
  kMalformedPayload,  // 400 malformed_payload: authentic, but not of a form that the sender sends
};
std::string_view RejectCode(RejectReason reason);

struct Rejected {
  RejectReason reason;
  int status;                 // the kind's own profile where its sender needs another one
  bool without_body = false;  // the sender insists on an empty answer
  std::string detail = {};  // what of the request it is about: names of fields and claims, never their values
};

// One event of a request. The views point into the request, or into the verifier until its next Verify.
struct VerifiedEvent {
  std::string_view id;         // never empty; made up and unique when `malformed` is set
  std::string_view type;       // may be empty
  std::string_view malformed;  // why the payload is unusable; empty for a usable one
  // The request's body, or this event's part of a batch; of a GET its query, without credentials.
  std::string_view body;
  std::string_view content_type = {};  // of `body`, where that is not what Content-Type says; empty otherwise
  std::uint64_t substance = 0;         // storage::Event has it
  std::uint32_t attempt = 0;           // the sender's own count of attempts; 0 = it has none
  bool test = false;                   // a test button's
  bool untyped = false;                // usable, but there is no type where the kind has one
};

// What the sender expects in answer to a stored event (or a duplicate), where its contract says so.
struct Accepted {
  std::vector<VerifiedEvent>* events =
      nullptr;  // owned by the verifier, valid until its next Verify; empty batch = ack only
  std::uint32_t secret_index = 0;  // which of the source's secrets matched
  int status = 0;                  // 0 = weir's own 202/200 and body
  std::string_view content_type;
  std::string_view reply;
};

// on_malformed = "reject": why the first unusable event is one, for which the whole request is refused; empty where
// nothing is.
std::string_view MalformedAndRejected(const Source& source, const Accepted& accepted);

// A handshake is answered and never stored.
struct Handshake {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // A secret the sender handed over (Asana, Notion), to be kept for the operator where the configuration can
  // name it. Never logged. Only ever set while the source has no secret.
  std::string captured_secret;
  // A URL of the sender's own service that somebody has to visit before events arrive (AWS SNS). To be shown
  // to the operator; weir does not visit it by itself.
  std::string confirm_url;
};

using Verdict = std::variant<Accepted, Rejected, Handshake>;

class Verifier {
 public:
  // `seed` makes the ids of malformed events unpredictable and unique across restarts.
  explicit Verifier(std::uint64_t seed);
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  // `now_us`: Unix time in microseconds. Pure apart from its caches.
  Verdict Verify(const Source& source, const http::Request& request, std::int64_t now_us);

  // Forgets contexts keyed for sources that are no longer in the table. Called after a reload.
  void Retain(const SourceTable& table);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::source
