#include "engine/admin/export_page.h"

#include <span>
#include <utility>

#include "engine/admin/csv.h"
#include "engine/admin/event_state.h"
#include "engine/admin/time_expression.h"
#include "engine/limits.h"
#include "engine/sink/cloud_event.h"
#include "engine/source/encoding.h"

namespace weir::admin {

namespace {

void AppendCsvRow(std::string& out, const Found& found) {
  const storage::Event& event = found.event;
  out += std::to_string(event.sequence);
  for (const std::string_view field : {event.id, event.source, event.type, StateName(found.state)}) {
    out += ',';
    AppendCsvField(out, field);
  }
  out += ',';
  out += FormatTime(event.received_at_us);
  out += ',';
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(event.body.data());
  source::AppendBase64(out, std::span(bytes, event.body.size()), source::Base64Form::kPadded);
  out += "\r\n";
}

const sink::ForwardedFields& EveryKind() {
  static const sink::ForwardedFields fields = sink::ForwardedFields::OfEveryKind();
  return fields;
}

void Append(std::string& out, ExportFormat format, const Found& found) {
  switch (format) {
    case ExportFormat::kNdjson:
      sink::AppendCloudEventLine(out, found.event,
                                 {.state = StateName(found.state), .forwarded = &EveryKind()});
      return;
    case ExportFormat::kCsv:
      AppendCsvRow(out, found);
      return;
  }
}

}  // namespace

std::optional<ExportFormat> ParseExportFormat(std::string_view name) {
  if (name == "ndjson") return ExportFormat::kNdjson;
  if (name == "csv") return ExportFormat::kCsv;
  return std::nullopt;
}

std::string_view ContentTypeOf(ExportFormat format) {
  switch (format) {
    case ExportFormat::kNdjson:
      return "application/x-ndjson";
    case ExportFormat::kCsv:
      return "text/csv; charset=utf-8";
  }
  return "application/octet-stream";
}

storage::StoreResult<ExportPage> BuildExportPage(const storage::EventStore& store,
                                                 const DeliverySnapshot& snapshot, const EventFilter& filter,
                                                 ExportFormat format, storage::Sequence from) {
  ExportPage page;
  auto step =
      ScanForward(store, snapshot, filter, from, limits::kAdminScanEventsMax, [&](const Found& found) {
        Append(page.text, format, found);
        ++page.events;
        return page.text.size() < limits::kExportPageBytes;
      });
  if (!step) return std::unexpected(step.error());
  page.next = step->next;
  page.finished = step->finished;
  page.unreadable = std::move(step->unreadable);
  return page;
}

}  // namespace weir::admin
