// Bytes -> Request, or the reason why not. Pure and resumable; knows no sockets; allocates nothing a request.
//
// Strict where two readers of the same bytes could see two messages (RFC 9112 §11.2), by the grammar everywhere else:
// HeadScanner finds the lines, request_line.h and field_block.h read them, and what frames the message (Host,
// Connection, Expect, Content-Length, the one coding "chunked") is decided here. A shard keeps one for requests that
// arrive whole; one that remembers half a head costs about 4 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/http/request.h"

namespace weir::http {

// Each is one answer: status and code are in response_writer.h. All of them close the connection.
enum class ParseError : std::uint8_t {
  kMalformed,               // 400
  kHeadTooLarge,            // 431
  kTargetTooLong,           // 414
  kTooManyFields,           // 431
  kVersionNotSupported,     // 505
  kMissingHost,             // 400; none, several or an invalid one (RFC 9112 §3.2)
  kBadContentLength,        // 400
  kBadTransferEncoding,     // 400; with Content-Length, in HTTP/1.0, or not exactly "chunked"
  kExpectationFailed,       // 417
  kBadChunk,                // 400
  kTooMuchFraming,          // 413; chunks so small that their framing outweighs limits::kChunkFramingBytesMax
  kChunkExtensionTooLarge,  // 400
  kBodyTooLarge,            // 413; a chunked body past its limit
};

class RequestParser {
 public:
  struct Limits {
    std::size_t head_bytes = 16 * limits::kKiB;
  };
  enum class Step : std::uint8_t { kNeedMore, kDone, kError };

  explicit RequestParser(Limits limits);
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;

  // Parses the head that starts at bytes[0] (leading CRLFs are skipped, RFC 9112 §2.2). May be called again
  // with the same bytes plus more; how far it has searched for the end of the head is remembered, so that one
  // byte at a time stays linear. On kDone request() is filled (its views point into `bytes`), and
  // head_bytes() says where the body starts.
  Step ParseHead(std::string_view bytes);
  std::size_t head_bytes() const;

  // A body with Content-Length is the next content_length bytes: the caller frames it. A chunked one goes
  // through here: consumes from `bytes`, appends decoded bytes to `decoded`, and says how many were consumed.
  // `body_limit` may differ from the constructor's once the source is known.
  Step DecodeChunked(std::string_view bytes, std::string& decoded, std::size_t body_limit,
                     std::size_t& consumed);

  // Moves the views of request() from a buffer at `from` to a copy of the same bytes at `to`.
  void Rebase(const char* from, const char* to);

  Request& request();
  // For a head that is refused or given up before it was whole: with what its request line says, if that has come and
  // can be read. `bytes` are those of the last ParseHead, wherever they are by now.
  const Request& RequestSoFar(std::string_view bytes);
  ParseError error() const;
  std::string_view error_detail()
      const;  // for the log and the error body: never contains bytes of the request

  // Ready for the next request of the connection.
  void Reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::http
