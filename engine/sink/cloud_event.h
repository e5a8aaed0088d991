// An event as CloudEvents 1.0 names it: the attributes shared by every binding, and the JSON format as one
// line of NDJSON, as files and exports carry it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/sink/forwarded_fields.h"
#include "storage/event.h"

namespace weir::sink {

// `type` is a required attribute that must not be empty; an event whose sender gave none has this one.
inline constexpr std::string_view kUntypedEvent = "weir.event";
std::string_view CloudEventType(const storage::Event& event);

// How every line begins.
inline constexpr std::string_view kLineOpening = R"({"specversion":"1.0",)";

// `text` as an attribute may carry it: what is not UTF-8 or holds control characters (text::IsAttribute)
// becomes "hex-" and its bytes in hexadecimal, so that two that differ stay different.
std::string AttributeOf(std::string_view text);

// What a line carries beside the event itself.
struct LineExtras {
  std::string_view state = {};                 // weirstate; empty: none, for sinks, whose state it would be
  const ForwardedFields* forwarded = nullptr;  // weirheader…; null: none
};

// Appends one object and '\n', keys in this order:
//   specversion id source type time weirsequence [weirstate] weirreceivedat [weirsenderattempt] [weirheader…] [datacontenttype]
//   (data | data_base64)
//
// `data` carries the body byte for byte when that is strict JSON (RFC 8259, valid UTF-8), except that line
// breaks between its tokens become spaces, so that a line stays a line; anything else is data_base64, the
// exact bytes. weirsequence is a number and may pass 2^31, the bound of CloudEvents' own Integer: read it as
// 64 bits.
void AppendCloudEventLine(std::string& out, const storage::Event& event, const LineExtras& extras);

// The weirsequence of such a line; kNoSequence when it has none.
storage::Sequence SequenceOfLine(std::string_view line);

}  // namespace weir::sink
