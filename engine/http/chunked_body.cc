#include "engine/http/chunked_body.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/request.h"
#include "engine/http/tokens.h"
#include "engine/limits.h"

namespace weir::http {

namespace {

// Sixteen digits fill 64 bits exactly, so a size can neither overflow nor be padded with zeros without end.
constexpr std::size_t kSizeDigitsMax = 16;

// Trailers are read and dropped: they never become fields, so no signature or id can come from one. These
// four would tell another parser on the path something about framing, routing or authority (RFC 9110 §6.5.1),
// so the message is refused.
constexpr std::array<std::string_view, 4> kRefusedTrailers = {"content-length", "transfer-encoding", "host",
                                                              "authorization"};

}  // namespace

ChunkedBody::State ChunkedBody::Fail(ParseError error, std::string_view detail) {
  fault_ = {.error = error, .detail = detail};
  return State::kFault;
}

ChunkedBody::State ChunkedBody::InSize(char byte) {
  if (IsHexDigit(byte)) {
    if (state_ == State::kSizeStart) {
      size_ = 0;
      size_digits_ = 0;
      extension_bytes_ = 0;
    }
    if (++size_digits_ > kSizeDigitsMax)
      return Fail(ParseError::kBadChunk, "a chunk size of too many digits");
    size_ = size_ << 4 | HexValue(byte);
    return State::kSize;
  }
  if (state_ == State::kSize && byte == '\r') return State::kSizeLf;
  if (state_ == State::kSize && byte == ';') return State::kExtensionStart;
  if (state_ == State::kSize && IsWhitespace(byte)) return State::kAwaitExtension;
  return Fail(ParseError::kBadChunk, "the chunk size is not hexadecimal");
}

ChunkedBody::State ChunkedBody::AfterExtension(char byte) {
  if (byte == '\r') return State::kSizeLf;
  if (byte == ';') return State::kExtensionStart;
  if (IsWhitespace(byte)) return State::kAwaitExtension;
  return Fail(ParseError::kBadChunk, "a chunk extension is not well formed");
}

// RFC 9112 §7.1.1, with the whitespace that it calls bad and every recipient has to take:
//   chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
// None may stand before the CRLF: the line would end where no other reader of the grammar ends it.
ChunkedBody::State ChunkedBody::InExtension(char byte) {
  ++extension_bytes_;
  ++message_extension_bytes_;
  if (extension_bytes_ > limits::kChunkExtensionBytesMax ||
      message_extension_bytes_ > limits::kChunkExtensionBytesPerMessageMax) {
    return Fail(ParseError::kChunkExtensionTooLarge, "chunk extensions are too large");
  }
  switch (state_) {
    case State::kAwaitExtension:
      if (IsWhitespace(byte)) return state_;
      if (byte == ';') return State::kExtensionStart;
      return Fail(ParseError::kBadChunk, "whitespace in a chunk's size line without an extension behind it");
    case State::kExtensionStart:
      if (IsWhitespace(byte)) return state_;
      if (IsTokenChar(byte)) return State::kExtensionName;
      return Fail(ParseError::kBadChunk, "a chunk extension without a name");
    case State::kExtensionName:
      if (IsTokenChar(byte)) return state_;
      if (byte == '=') return State::kValueStart;
      return IsWhitespace(byte) ? State::kNameEnd : AfterExtension(byte);
    case State::kNameEnd:
      if (IsWhitespace(byte)) return state_;
      if (byte == '=') return State::kValueStart;
      if (byte == ';') return State::kExtensionStart;
      return Fail(ParseError::kBadChunk, "whitespace at the end of a chunk's size line");
    case State::kValueStart:
      if (IsWhitespace(byte)) return state_;
      if (byte == '"') return State::kQuoted;
      if (IsTokenChar(byte)) return State::kValueToken;
      return Fail(ParseError::kBadChunk, "a chunk extension without a value");
    case State::kValueToken:
      return IsTokenChar(byte) ? state_ : AfterExtension(byte);
    case State::kQuoted:
      if (byte == '"') return State::kQuotedEnd;
      if (byte == '\\') return State::kQuotedPair;
      if (IsValueChar(byte)) return state_;
      return Fail(ParseError::kBadChunk, "a character that no chunk extension may hold");
    case State::kQuotedPair:
      if (IsValueChar(byte)) return State::kQuoted;
      return Fail(ParseError::kBadChunk, "a character that no chunk extension may hold");
    default:  // kQuotedEnd
      return AfterExtension(byte);
  }
}

ChunkedBody::State ChunkedBody::AfterSizeLine(std::size_t body_bytes_max) {
  if (size_ == 0) return State::kTrailerStart;
  if (decoded_bytes_ > body_bytes_max || size_ > body_bytes_max - decoded_bytes_) {
    return Fail(ParseError::kBodyTooLarge, "the chunked body is too large");
  }
  return State::kData;
}

ChunkedBody::State ChunkedBody::EndTrailerName() {
  const std::string_view name(trailer_name_.data(), std::min(trailer_name_bytes_, trailer_name_.size()));
  for (const std::string_view refused : kRefusedTrailers) {
    if (EqualsIgnoreCase(name, refused)) {
      return Fail(ParseError::kBadChunk, "a trailer field that only a header may carry");
    }
  }
  return State::kTrailerValue;
}

ChunkedBody::State ChunkedBody::InTrailer(char byte) {
  if (++trailer_bytes_ > limits::kTrailerBytesMax) {
    return Fail(ParseError::kBadChunk, "the trailer section is too large");
  }
  switch (state_) {
    case State::kTrailerStart:
      trailer_name_bytes_ = 0;
      if (byte == '\r') return State::kLastLf;
      [[fallthrough]];
    case State::kTrailerName:
      if (IsTokenChar(byte)) {
        if (trailer_name_bytes_ < trailer_name_.size()) trailer_name_[trailer_name_bytes_] = byte;
        ++trailer_name_bytes_;
        return State::kTrailerName;
      }
      if (byte == ':' && trailer_name_bytes_ != 0) return EndTrailerName();
      return Fail(ParseError::kBadChunk, "a trailer line is not a field");
    case State::kTrailerValue:
      if (IsValueChar(byte)) return state_;
      if (byte == '\r') return State::kTrailerLf;
      return Fail(ParseError::kBadChunk, "a control character in a trailer");
    default:  // kTrailerLf
      if (byte == '\n') return State::kTrailerStart;
      return Fail(ParseError::kBadChunk, "CR without LF in a trailer");
  }
}

ChunkedBody::State ChunkedBody::Next(char byte, std::size_t body_bytes_max) {
  auto line_feed = [&](State then) {
    return byte == '\n' ? then : Fail(ParseError::kBadChunk, "CR without LF in the chunked body");
  };
  switch (state_) {
    case State::kSizeStart:
    case State::kSize:
      return InSize(byte);
    case State::kAwaitExtension:
    case State::kExtensionStart:
    case State::kExtensionName:
    case State::kNameEnd:
    case State::kValueStart:
    case State::kValueToken:
    case State::kQuoted:
    case State::kQuotedPair:
    case State::kQuotedEnd:
      return InExtension(byte);
    case State::kSizeLf:
      return byte == '\n' ? AfterSizeLine(body_bytes_max) : line_feed(state_);
    case State::kDataCr:
      if (byte == '\r') return State::kDataLf;
      return Fail(ParseError::kBadChunk, "chunk data is longer than its size");
    case State::kDataLf:
      return line_feed(State::kSizeStart);
    case State::kTrailerStart:
    case State::kTrailerName:
    case State::kTrailerValue:
    case State::kTrailerLf:
      return InTrailer(byte);
    case State::kLastLf:
      return line_feed(State::kDone);
    case State::kData:
    case State::kDone:
    case State::kFault:
      break;
  }
  return state_;
}

// Many tiny chunks cost far more to decode than they carry: past a fixed allowance, framing may not outweigh
// data.
bool ChunkedBody::IsFramingAllowed() const {
  return framing_bytes_ <= limits::kChunkFramingBytesMax + decoded_bytes_;
}

ChunkedBody::Step ChunkedBody::Decode(std::string_view bytes, std::string& decoded,
                                      std::size_t body_bytes_max, std::size_t& consumed) {
  consumed = 0;
  while (consumed < bytes.size() && state_ != State::kDone && state_ != State::kFault) {
    if (state_ == State::kData) {
      const std::size_t taken = std::min<std::uint64_t>(size_, bytes.size() - consumed);
      decoded.append(bytes.substr(consumed, taken));
      consumed += taken;
      decoded_bytes_ += taken;
      size_ -= taken;
      if (size_ == 0) state_ = State::kDataCr;
      continue;
    }
    state_ = Next(bytes[consumed], body_bytes_max);
    ++consumed;
    ++framing_bytes_;
    if (state_ != State::kFault && !IsFramingAllowed()) {
      state_ = Fail(ParseError::kTooMuchFraming, "more chunk framing than data");
    }
  }
  if (state_ == State::kFault) return Step::kFault;
  return state_ == State::kDone ? Step::kDone : Step::kNeedMore;
}

}  // namespace weir::http
