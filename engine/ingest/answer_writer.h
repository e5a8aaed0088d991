// What a request is told -> bytes. Pure apart from the second it was last given. The two answers that matter
// at rate, stored and duplicate on a kept connection, are copied from a prefix that is rendered once a
// second; everything else goes through http::AppendResponse.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/config/config.h"
#include "engine/http/request.h"
#include "engine/ingest/refusal.h"
#include "storage/event.h"

namespace weir::ingest {

// How an answer is written, as its request decided.
struct Manner {
  std::uint64_t request_id = 0;  // X-Request-Id, in hex
  bool close = false;            // the last answer of its connection
  bool http10 = false;
  bool head_only = false;  // to a HEAD: the length of a body that is not sent (RFC 9110 §9.3.2)
};

class AnswerWriter {
 public:
  explicit AnswerWriter(config::AckMode ack) : ack_(ack) {}

  // Of the Date field (RFC 9110 §6.6.1). Before the first answer, then whenever a second has passed.
  void SetTime(std::int64_t unix_s);
  std::int64_t unix_s() const { return unix_s_; }

  // 202 {"status":"accepted",…}; without an id when a batch was empty.
  void WriteAccepted(std::string& out, const Manner& manner, std::string_view event_id,
                     storage::Sequence sequence);
  // 200 {"status":"duplicate",…}
  void WriteDuplicate(std::string& out, const Manner& manner, std::string_view event_id,
                      storage::Sequence sequence);
  void WriteRefusal(std::string& out, const Manner& manner, const Refusal& refusal);
  // An answer whose status and body somebody else's contract prescribes. `stored` tells that it acknowledges
  // an event.
  struct Prescribed {
    int status = 200;
    std::string_view content_type = {};
    std::string_view body = {};
    std::span<const http::Field> fields = {};
    bool stored = false;
  };
  void WritePrescribed(std::string& out, const Manner& manner, const Prescribed& answer);

  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

 private:
  void WriteEvent(std::string& out, const Manner& manner, int status, std::string_view status_text,
                  std::string_view event_id, storage::Sequence sequence);

  config::AckMode ack_;
  std::int64_t unix_s_ = -1;
  std::string date_;             // "Tue, 15 Nov 1994 08:12:31 GMT"
  std::string accepted_prefix_;  // status line up to and including "X-Request-Id: "
  std::string duplicate_prefix_;
  std::string body_;  // reused
};

}  // namespace weir::ingest
