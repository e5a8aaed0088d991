// An event as CloudEvents 1.0 names it: the attributes shared by every binding, and the JSON format as one
// line of NDJSON, as files and exports carry it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "storage/event.h"

namespace weir::sink {

// `type` is a required attribute that must not be empty; an event whose sender gave none has this one.
inline constexpr std::string_view kUntypedEvent = "weir.event";
std::string_view CloudEventType(const storage::Event& event);

// How every line begins.
inline constexpr std::string_view kLineOpening = R"({"specversion":"1.0",)";

// Appends one object and '\n', keys in this order:
//   specversion id source type time weirsequence weirstate weirreceivedat [datacontenttype] (data |
//   data_base64)
//
// `data` carries the body byte for byte when that is strict JSON (RFC 8259, valid UTF-8), except that line
// breaks between its tokens become spaces, so that a line stays a line; anything else is data_base64, the
// exact bytes. weirsequence is a number and may pass 2^31, the bound of CloudEvents' own Integer: read it as
// 64 bits.
void AppendCloudEventLine(std::string& out, const storage::Event& event, std::string_view state);

// The weirsequence of such a line; kNoSequence when it has none.
storage::Sequence SequenceOfLine(std::string_view line);

}  // namespace weir::sink
