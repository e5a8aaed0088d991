// llhttp over one complete head, and nothing else of it: the only includer of <llhttp.h>. The body, the next
// message and upgrades are never its business, so none of its states after the header block can be mistaken
// for success.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/http/request.h"

static_assert(LLHTTP_STRICT_MODE == 1, "loose mode ends a message at a lone CR (CVE-2023-30589)");

namespace weir::http {

class HeadGrammar {
 public:
  enum class Kind : std::uint8_t { kRequest, kResponse };
  enum class Verdict : std::uint8_t {
    kValid,
    kMalformed,
    kBadFieldCharacter,
    kContentLengthTwice,  // or beside Transfer-Encoding
    kBadContentLength,
    kBadTransferEncoding,
  };

  explicit HeadGrammar(Kind kind);
  // llhttp keeps a pointer to this.
  HeadGrammar(const HeadGrammar&) = delete;
  HeadGrammar& operator=(const HeadGrammar&) = delete;

  // `head` runs from the first line to the empty one, both included, and holds at most fields.size() field
  // lines, as the scanner has counted. `stand_in` is parsed first, in place of what was cut from the front of
  // `head`. Field values lose the whitespace around them.
  Verdict Check(std::string_view stand_in, std::string_view head, std::span<Field> fields,
                std::size_t& field_count);

  // After kValid.
  bool KeepsConnection() const;  // RFC 9112 §9.3, of the version and the Connection field
  int status() const { return parser_.status_code; }
  int major_version() const { return parser_.http_major; }
  int minor_version() const { return parser_.http_minor; }

 private:
  static int OnFieldName(llhttp_t* parser, const char* at, std::size_t length);
  static int OnFieldValue(llhttp_t* parser, const char* at, std::size_t length);
  static int OnHeadersComplete(llhttp_t* parser);
  static const llhttp_settings_t* Settings();

  llhttp_t parser_{};
  std::span<Field> fields_;
  std::size_t field_count_ = 0;
};

}  // namespace weir::http
