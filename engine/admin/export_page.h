// A piece of an export: as many matching events as fit one answer, as text, and where the next piece starts.
// An export is a loop over pieces, so the server keeps nothing between them and a consumer that stalls holds
// nobody up.
//
//   ndjson   one CloudEvents 1.0 object a line (engine/sink/cloud_event.h)
//   csv      RFC 4180: sequence,id,source,type,state,received_at,body_base64; the body is base64 because a
//   cell of bytes is
//            not text
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/admin/event_query.h"

namespace weir::admin {

enum class ExportFormat : std::uint8_t { kNdjson, kCsv };
std::optional<ExportFormat> ParseExportFormat(std::string_view name);
std::string_view ContentTypeOf(ExportFormat format);

struct ExportPage {
  std::string text;
  std::size_t events = 0;
  storage::Sequence next = storage::kNoSequence;  // where the next piece starts
  bool finished = false;                          // the log, or the filter's range, ends here for now
  Unreadable unreadable = {};
};

inline constexpr std::string_view kCsvHeader = "sequence,id,source,type,state,received_at,body_base64\r\n";

storage::StoreResult<ExportPage> BuildExportPage(const storage::EventStore& store,
                                                 const DeliverySnapshot& snapshot, const EventFilter& filter,
                                                 ExportFormat format, storage::Sequence from);

}  // namespace weir::admin
