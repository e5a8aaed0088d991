#include "engine/http/answer_head.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/http/request.h"
#include "engine/http/tokens.h"
#include "engine/limits.h"

namespace weir::http {

namespace {

constexpr std::string_view kProtocol = "HTTP/";

std::string_view TakeDigits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, IsDigit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

std::string_view TakeWhitespace(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, IsWhitespace);
  const std::string_view space = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(space.size());
  return space;
}

}  // namespace

AnswerHead::Step AnswerHead::Read(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  while (consumed < bytes.size()) {
    const std::string_view rest = bytes.substr(consumed);
    const std::size_t line_feed = rest.find('\n');
    const std::string_view piece = rest.substr(0, line_feed);
    const bool ended = line_feed != std::string_view::npos;
    consumed += piece.size() + (ended ? 1 : 0);
    head_bytes_ += piece.size() + (ended ? 1 : 0);
    if (!piece.empty()) last_byte_ = piece.back();
    if (!ended || !line_.empty() || piece.size() > limits::kResponseLineBytesMax) KeepUnfinished(piece);
    if (!ended) {
      if (status_ == 0 && !MayBecomeStatusLine()) return Step::kNotHttp;
      break;
    }
    const bool ends_in_cr = last_byte_ == '\r';
    std::string_view line = line_.empty() ? piece : std::string_view(line_);
    if (ends_in_cr && !line_cut_) line.remove_suffix(1);
    doubtful_ = doubtful_ || !ends_in_cr;
    const Step step = OnLine(line);
    line_.clear();
    line_cut_ = false;
    last_byte_ = '\0';
    if (step == Step::kNotHttp) return step;
    if (head_bytes_ > limits::kResponseHeadBytesMax) return Step::kTooLarge;
    if (step == Step::kDone) return step;
  }
  return head_bytes_ > limits::kResponseHeadBytesMax ? Step::kTooLarge : Step::kNeedMore;
}

void AnswerHead::KeepUnfinished(std::string_view piece) {
  const std::size_t room = limits::kResponseLineBytesMax - line_.size();
  line_.append(piece.substr(0, room));
  line_cut_ = line_cut_ || piece.size() > room;
}

bool AnswerHead::MayBecomeStatusLine() const {
  const std::size_t compared = std::min(line_.size(), kProtocol.size());
  return line_ == "\r" || std::string_view(line_).substr(0, compared) == kProtocol.substr(0, compared);
}

AnswerHead::Step AnswerHead::OnLine(std::string_view line) {
  if (status_ == 0) {
    if (line.empty()) {
      doubtful_ = true;
      return Step::kNeedMore;
    }
    return ReadStatusLine(line) ? Step::kNeedMore : Step::kNotHttp;
  }
  if (line.empty()) {
    ApplyPending();
    return Step::kDone;
  }
  ReadFieldLine(line);
  return Step::kNeedMore;
}

// HTTP-version SP 3DIGIT, and then whatever is no fourth digit: the reason is for people. A version that is not 1.x is
// believed as well, since nothing but an HTTP server writes such a line, but how it ends an answer is not known.
bool AnswerHead::ReadStatusLine(std::string_view line) {
  if (!line.starts_with(kProtocol)) return false;
  line.remove_prefix(kProtocol.size());
  const std::string_view major = TakeDigits(line);
  std::string_view minor;
  if (line.starts_with('.')) {
    line.remove_prefix(1);
    minor = TakeDigits(line);
  }
  const std::string_view space = TakeWhitespace(line);
  const std::string_view status = TakeDigits(line);
  if (major.empty() || space.empty() || status.size() != 3 || status.front() == '0') return false;
  status_ = static_cast<int>(*ParseDecimal(status));
  minor_version_ = minor == "0" ? 0 : 1;
  if (major != "1" || minor.size() != 1 || space != " ") doubtful_ = true;
  if ((!line.empty() && line.front() != ' ') || !std::ranges::all_of(line, IsValueChar)) doubtful_ = true;
  return true;
}

AnswerHead::Known AnswerHead::Recognise(std::string_view name) {
  if (EqualsIgnoreCase(name, "connection")) return Known::kConnection;
  if (EqualsIgnoreCase(name, "content-length")) return Known::kContentLength;
  if (EqualsIgnoreCase(name, "retry-after")) return Known::kRetryAfter;
  if (EqualsIgnoreCase(name, "transfer-encoding")) return Known::kTransferEncoding;
  return Known::kNone;
}

void AnswerHead::ReadFieldLine(std::string_view line) {
  if (!std::ranges::all_of(line, IsValueChar)) doubtful_ = true;
  if (IsWhitespace(line.front())) {  // obs-fold (RFC 9112 §5.2): a space, and the value goes on
    doubtful_ = true;
    if (pending_ != Known::kNone) pending_value_.append(" ").append(TrimWhitespace(line));
    return;
  }
  ApplyPending();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    doubtful_ = true;
    return;
  }
  const std::string_view name = line.substr(0, colon);
  if (name.empty() || !std::ranges::all_of(name, IsTokenChar)) doubtful_ = true;
  pending_ = Recognise(TrimWhitespace(name));
  if (pending_ == Known::kNone) return;
  if (line_cut_) doubtful_ = true;
  pending_value_.assign(TrimWhitespace(line.substr(colon + 1)));
}

void AnswerHead::ApplyPending() {
  const std::string_view value = TrimWhitespace(pending_value_);
  switch (pending_) {
    case Known::kNone:
      break;
    case Known::kConnection:
      connection_.Add(value);
      break;
    case Known::kContentLength:
      ApplyContentLength(value);
      break;
    case Known::kRetryAfter:
      if (!retry_after_ && !value.empty()) retry_after_ = value;
      break;
    case Known::kTransferEncoding:
      ApplyTransferEncoding(value);
      break;
  }
  pending_ = Known::kNone;
}

// RFC 9112 §6.3: the same number several times is that number; anything else is none.
void AnswerHead::ApplyContentLength(std::string_view value) {
  const bool plain = !content_length_ && ParseDecimal(value);
  std::size_t members = 0;
  while (const auto member = TakeMember(value)) {
    const auto length = ParseDecimal(*member);
    if (!length || (content_length_ && *content_length_ != *length)) length_readable_ = false;
    if (!content_length_) content_length_ = length;
    ++members;
  }
  if (members == 0) length_readable_ = false;
  if (!plain || !length_readable_ || coding_ != Coding::kNone) doubtful_ = true;
}

void AnswerHead::ApplyTransferEncoding(std::string_view value) {
  const bool again = coding_ != Coding::kNone;
  std::size_t members = 0;
  while (const auto member = TakeMember(value)) {
    ++members;
    // "identity" was a coding until RFC 7230 and never changed a byte.
    if (EqualsIgnoreCase(*member, "identity")) {
      doubtful_ = true;
    } else {
      coding_ = EqualsIgnoreCase(*member, "chunked") ? Coding::kChunked : Coding::kUnknown;
    }
  }
  if (again || members != 1 || coding_ != Coding::kChunked || content_length_ || !length_readable_ ||
      minor_version_ == 0) {
    doubtful_ = true;
  }
}

void AnswerHead::Finish() {
  doubtful_ = true;
  std::string_view line = line_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  // Three digits of a status cannot become other ones; a field that was cut could have said something else.
  if (status_ == 0 && !line.empty()) OnLine(line);
  line_.clear();
  ApplyPending();
}

void AnswerHead::BeginNext() {
  status_ = 0;
  minor_version_ = 1;
  pending_ = Known::kNone;
  connection_ = {};
  content_length_.reset();
  length_readable_ = true;
  coding_ = Coding::kNone;
  retry_after_.reset();
}

void AnswerHead::Reset() {
  BeginNext();
  line_.clear();
  line_cut_ = false;
  last_byte_ = '\0';
  head_bytes_ = 0;
  doubtful_ = false;
}

}  // namespace weir::http
