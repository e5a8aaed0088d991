#include "engine/http/head_grammar.h"

#include <llhttp.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "engine/http/request.h"
#include "engine/http/tokens.h"
#include "storage/check.h"

namespace weir::http {

// A head reaches llhttp in one piece, so each name and each value comes in one call.
int HeadGrammar::OnFieldName(llhttp_t* parser, const char* at, std::size_t length) {
  auto& self = *static_cast<HeadGrammar*>(parser->data);
  WEIR_CHECK(self.field_count_ < self.fields_.size());
  self.fields_[self.field_count_++] = {.name = {at, length}, .value = {}};
  return HPE_OK;
}

int HeadGrammar::OnFieldValue(llhttp_t* parser, const char* at, std::size_t length) {
  auto& self = *static_cast<HeadGrammar*>(parser->data);
  self.fields_[self.field_count_ - 1].value = TrimWhitespace({at, length});
  return HPE_OK;
}

// Pausing gives success exactly one return code.
int HeadGrammar::OnHeadersComplete(llhttp_t* /*parser*/) {
  return HPE_PAUSED;
}

const llhttp_settings_t* HeadGrammar::Settings() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_header_field = OnFieldName;
    made.on_header_value = OnFieldValue;
    made.on_headers_complete = OnHeadersComplete;
    return made;
  }();
  return &settings;
}

HeadGrammar::HeadGrammar(Kind kind) {
  llhttp_init(&parser_, kind == Kind::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, Settings());
  parser_.data = this;
}

HeadGrammar::Verdict HeadGrammar::Check(std::string_view stand_in, std::string_view head,
                                        std::span<Field> fields, std::size_t& field_count) {
  llhttp_reset(&parser_);
  WEIR_CHECK(parser_.lenient_flags == 0);
  fields_ = fields;
  field_count_ = 0;
  if (!stand_in.empty()) llhttp_execute(&parser_, stand_in.data(), stand_in.size());
  const llhttp_errno_t code = llhttp_execute(&parser_, head.data(), head.size());
  field_count = field_count_;
  switch (code) {
    case HPE_PAUSED:
      return Verdict::kValid;
    case HPE_INVALID_HEADER_TOKEN:
      return Verdict::kBadFieldCharacter;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return Verdict::kContentLengthTwice;
    case HPE_INVALID_CONTENT_LENGTH:
      return Verdict::kBadContentLength;
    case HPE_INVALID_TRANSFER_ENCODING:
      return Verdict::kBadTransferEncoding;
    default:
      return Verdict::kMalformed;
  }
}

bool HeadGrammar::KeepsConnection() const {
  if ((parser_.flags & F_CONNECTION_CLOSE) != 0) return false;
  return parser_.http_minor == 1 || (parser_.flags & F_CONNECTION_KEEP_ALIVE) != 0;
}

}  // namespace weir::http
