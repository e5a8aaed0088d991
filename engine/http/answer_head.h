// The head of an answer, understood as far as it can be. The peer has acted before it answered: what it says with its
// status line is believed whatever follows, because the alternative is to ask for the same a second time. What is wrong
// with the rest makes the head doubtful, and a doubtful head costs the connection, never the answer.
//
// Tolerated, and doubtful: a bare LF, obs-fold, whitespace before a colon, lines without a name, characters that a name
// or a value may not hold, a later version, Content-Length given twice or unreadable, any Transfer-Encoding but the one
// coding "chunked", that one beside a Content-Length, empty lines in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/http/field_list.h"

namespace weir::http {

class AnswerHead {
 public:
  enum class Step : std::uint8_t {
    kNeedMore,
    kDone,
    kTooLarge,  // past limits::kResponseHeadBytesMax; status() may be known
    kNotHttp,   // what came does not begin with a status line
  };
  enum class Coding : std::uint8_t { kNone, kChunked, kUnknown };

  // Reads lines off the front of `bytes`, to the end of the head at most. However the head is split, the result is the
  // same. Nothing is kept of it but one unfinished line, up to limits::kResponseLineBytesMax.
  Step Read(std::string_view bytes, std::size_t& consumed);
  // No more bytes will come: what there is of a status line counts as one.
  void Finish();
  // For the head behind an interim answer: its length and its doubts count on.
  void BeginNext();
  void Reset();

  int status() const { return status_; }  // 100 to 999; 0 until there is a status line
  bool Persists() const { return !doubtful_ && connection_.Persists(minor_version_); }
  // nullopt: none, or none that can be relied on.
  std::optional<std::uint64_t> content_length() const {
    return length_readable_ ? content_length_ : std::nullopt;
  }
  bool length_readable() const { return length_readable_; }
  Coding coding() const { return coding_; }
  const std::optional<std::string>& retry_after() const {
    return retry_after_;
  }  // the first that is not empty

 private:
  enum class Known : std::uint8_t { kNone, kConnection, kContentLength, kRetryAfter, kTransferEncoding };

  static Known Recognise(std::string_view name);
  void KeepUnfinished(std::string_view piece);
  bool MayBecomeStatusLine() const;
  Step OnLine(std::string_view line);
  bool ReadStatusLine(std::string_view line);
  void ReadFieldLine(std::string_view line);
  void ApplyPending();
  void ApplyContentLength(std::string_view value);
  void ApplyTransferEncoding(std::string_view value);

  std::string line_;  // the unfinished one
  bool line_cut_ = false;
  char last_byte_ = '\0';  // of the unfinished line
  std::size_t head_bytes_ = 0;
  bool doubtful_ = false;

  int status_ = 0;
  unsigned minor_version_ = 1;
  // A field of interest, until the next line shows that it is not folded.
  Known pending_ = Known::kNone;
  std::string pending_value_;
  ConnectionOptions connection_;
  std::optional<std::uint64_t> content_length_;
  bool length_readable_ = true;
  Coding coding_ = Coding::kNone;
  std::optional<std::string> retry_after_;
};

}  // namespace weir::http
