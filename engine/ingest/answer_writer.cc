#include "engine/ingest/answer_writer.h"

#include <charconv>
#include <ctime>
#include <vector>

#include "engine/http/response_writer.h"
#include "engine/limits.h"
#include "engine/text/json_string.h"

namespace weir::ingest {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr http::Field kAckedByOs = {.name = "weir-ack", .value = "os"};

void AppendNumber(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// IMF-fixdate (RFC 9110 §5.6.7): English whatever the locale, so not strftime's names.
std::string HttpDate(std::int64_t unix_s) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = unix_s;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y %H:%M:%S GMT", &utc);
  const std::string day = (utc.tm_mday < 10 ? "0" : "") + std::to_string(utc.tm_mday);
  return std::string(kDays[static_cast<std::size_t>(utc.tm_wday)]) + ", " + day + " " +
         kMonths[static_cast<std::size_t>(utc.tm_mon)] + " " + std::string(text.data(), size);
}

std::uint32_t RetryAfter(int status) {
  return status == 503 || status == 429 ? limits::kRetryAfterS : 0;
}

}  // namespace

void AnswerWriter::SetTime(std::int64_t unix_s) {
  if (unix_s == unix_s_) return;
  unix_s_ = unix_s;
  date_ = HttpDate(unix_s);
  const std::string fields = "\r\nContent-Type: application/json\r\nDate: " + date_ + "\r\n" +
                             (ack_ == config::AckMode::kOs ? "weir-ack: os\r\n" : "") + "X-Request-Id: ";
  accepted_prefix_ = "HTTP/1.1 202 Accepted" + fields;
  duplicate_prefix_ = "HTTP/1.1 200 OK" + fields;
}

void AnswerWriter::WriteAccepted(std::string& out, const Manner& manner, std::string_view event_id,
                                 storage::Sequence sequence) {
  WriteEvent(out, manner, 202, "accepted", event_id, sequence);
}

void AnswerWriter::WriteDuplicate(std::string& out, const Manner& manner, std::string_view event_id,
                                  storage::Sequence sequence) {
  WriteEvent(out, manner, 200, "duplicate", event_id, sequence);
}

void AnswerWriter::WriteEvent(std::string& out, const Manner& manner, int status,
                              std::string_view status_text, std::string_view event_id,
                              storage::Sequence sequence) {
  body_.assign(R"({"status":")").append(status_text).append("\"");
  if (!event_id.empty()) {
    body_.append(R"(,"event_id":")");
    text::AppendJsonEscaped(body_, event_id);
    body_.append(R"(","sequence":)");
    AppendNumber(body_, sequence);
  }
  body_.append("}");
  if (manner.close || manner.http10 || manner.head_only) {
    WritePrescribed(out, manner, {.status = status, .content_type = kJson, .body = body_, .stored = true});
    return;
  }
  const auto request_id = observe::RequestIdText(manner.request_id);
  out.append(status == 202 ? accepted_prefix_ : duplicate_prefix_);
  out.append(request_id.data(), request_id.size()).append("\r\nContent-Length: ");
  AppendNumber(out, body_.size());
  out.append("\r\n\r\n").append(body_);
}

void AnswerWriter::WritePrescribed(std::string& out, const Manner& manner, const Prescribed& answer) {
  std::vector<http::Field> fields(answer.fields.begin(), answer.fields.end());
  fields.push_back({.name = "Date", .value = date_});
  if (answer.stored && ack_ == config::AckMode::kOs) fields.push_back(kAckedByOs);
  const auto request_id = observe::RequestIdText(manner.request_id);
  const std::size_t before = out.size();
  http::AppendResponse(out,
                       {.status = answer.status,
                        .content_type = answer.content_type,
                        .request_id = {request_id.data(), request_id.size()},
                        .close = manner.close,
                        .http10 = manner.http10,
                        .retry_after_s = RetryAfter(answer.status),
                        .extra = fields},
                       answer.body);
  if (manner.head_only) out.resize(out.find("\r\n\r\n", before) + 4);
}

void AnswerWriter::WriteRefusal(std::string& out, const Manner& manner, const Refusal& refusal) {
  const auto request_id = observe::RequestIdText(manner.request_id);
  const std::string body = refusal.without_body ? std::string()
                                                : http::ErrorBody(refusal.name, refusal.message,
                                                                  {request_id.data(), request_id.size()});
  std::array<http::Field, 1> field;
  std::size_t count = 0;
  if (refusal.status == 405) field[count++] = {.name = "Allow", .value = refusal.allow};
  // A 401 must name a scheme (RFC 9110 §11.6.1). There is none registered for signed webhooks.
  if (refusal.status == 401) field[count++] = {.name = "WWW-Authenticate", .value = "Signature"};
  WritePrescribed(out, manner,
                  {.status = refusal.status,
                   .content_type = kJson,
                   .body = body,
                   .fields = std::span(field).first(count)});
}

}  // namespace weir::ingest
