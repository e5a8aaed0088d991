// The chunked decoder against llhttp's strict mode: what ours accepts, llhttp reads as the same bytes with
// the same end. And each split gives the same result.
#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/http/chunked_body.h"
#include "engine/limits.h"
#include "storage/check.h"

namespace {

using weir::http::ChunkedBody;

struct Decoded {
  ChunkedBody::Step step = ChunkedBody::Step::kNeedMore;
  std::string body;
  std::size_t consumed = 0;
};

Decoded Decode(std::string_view bytes, std::size_t piece_bytes) {
  ChunkedBody chunks;
  Decoded decoded;
  while (decoded.consumed < bytes.size() && decoded.step == ChunkedBody::Step::kNeedMore) {
    std::size_t consumed = 0;
    decoded.step = chunks.Decode(bytes.substr(decoded.consumed, piece_bytes), decoded.body,
                                 weir::limits::kMiB, consumed);
    decoded.consumed += consumed;
  }
  return decoded;
}

void CheckAgainstLlhttp(std::string_view bytes, const Decoded& ours) {
  std::string body;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = [](llhttp_t* parser, const char* at, std::size_t length) {
    static_cast<std::string*>(parser->data)->append(at, length);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t*) { return static_cast<int>(HPE_PAUSED); };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &body;
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  WEIR_CHECK(llhttp_execute(&parser, kHead.data(), kHead.size()) == HPE_OK);
  WEIR_CHECK(llhttp_execute(&parser, bytes.data(), bytes.size()) == HPE_PAUSED);
  WEIR_CHECK(llhttp_get_error_pos(&parser) == bytes.data() + ours.consumed);
  WEIR_CHECK(body == ours.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Decoded whole = Decode(bytes, size);
  for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{7}}) {
    const Decoded split = Decode(bytes, piece_bytes);
    WEIR_CHECK(split.step == whole.step && split.body == whole.body && split.consumed == whole.consumed);
  }
  // llhttp 8.1 knows neither whitespace around an extension nor a second one.
  const bool extended = bytes.substr(0, whole.consumed).contains(';');
  if (whole.step == ChunkedBody::Step::kDone && !extended) CheckAgainstLlhttp(bytes, whole);
  return 0;
}
