#include "engine/ingest/reader.h"

#include <algorithm>
#include <utility>

#include "engine/ingest/refusal.h"
#include "engine/limits.h"
#include "storage/check.h"

namespace weir::ingest {
namespace {

using State = Connection::State;
using Step = http::RequestParser::Step;
using observe::RejectionCode;

constexpr std::size_t kFirstRoomBytes = 1024;

// Errors of framing end the connection even where the whole request is at hand: the sender meant something
// else.
bool EndsConnection(const Refusal& refusal) {
  return refusal.code == RejectionCode::kLengthRequired || refusal.code == RejectionCode::kBodyTooLarge;
}

}  // namespace

Reader::Reader(Intake& intake, PendingAnswers& answers, InflightBytes& inflight,
               const config::ServerLimits& limits)
    : intake_(intake),
      answers_(answers),
      inflight_(inflight),
      limits_(limits),
      parser_limits_{.head_bytes = limits.header_bytes},
      scratch_(parser_limits_) {}

void Reader::OnBytes(Connection& connection, std::string_view bytes, const Moment& now) {
  WEIR_CHECK(connection.state == State::kServing);
  if (connection.partial == nullptr && !connection.paused) {
    scratch_.Reset();
    const Served served = Serve(connection, bytes, scratch_, now);
    bytes.remove_prefix(served.consumed);
    if (connection.state == State::kServing && !bytes.empty()) Keep(connection, bytes, served, now);
    return;
  }
  if (connection.partial == nullptr) {
    scratch_.Reset();
    return Keep(connection, bytes, {}, now);
  }
  PartialRequest& partial = *connection.partial;
  if (connection.paused && partial.bytes.size() + bytes.size() > limits::kBacklogBytesMax) {
    // Sends on without reading its answers. It gets those it is owed.
    connection.state = State::kAnswering;
    answers_.CloseAfterLast(connection);
    return Forget(connection);
  }
  if (!MakeRoom(partial, bytes.size())) return RefusePartial(connection, RejectionCode::kOverloaded);
  partial.bytes.Append(bytes);
  Progress(connection, now);
}

// Handles whole requests from the front of `bytes`. `parser` is fresh, or has seen the beginning of the first
// one.
Reader::Served Reader::Serve(Connection& connection, std::string_view bytes, http::RequestParser& parser,
                             const Moment& now) {
  std::size_t consumed = 0;
  while (consumed < bytes.size()) {
    const std::string_view rest = bytes.substr(consumed);
    const Step step = parser.ParseHead(rest);
    http::Request& request = parser.request();
    if (step == Step::kNeedMore) break;
    if (step == Step::kError) {
      intake_.Refuse(connection, parser.RequestSoFar(rest), nullptr, RefusalFor(parser.error()), true,
                     parser.error_detail());
      break;
    }
    const std::size_t head_bytes = parser.head_bytes();
    const std::uint64_t body_bytes = request.content_length.value_or(0);
    const bool whole = !request.chunked && rest.size() - head_bytes >= body_bytes;
    const Intake::Admission admission = intake_.Admit(request);
    if (admission.refusal) {
      intake_.Refuse(connection, request, admission.target.probe, *admission.refusal,
                     !whole || EndsConnection(*admission.refusal));
    } else if (!whole) {
      return {.consumed = consumed,
              .next = request.chunked ? Phase::kChunked : Phase::kBody,
              .target = admission.target};
    } else {
      request.body = rest.substr(head_bytes, body_bytes);
      intake_.Handle(connection, admission.target, request, now);
    }
    if (connection.state != State::kServing) break;
    consumed += head_bytes + body_bytes;
    PauseIfFull(connection);
    if (consumed < bytes.size()) parser.Reset();
    if (connection.paused) break;
  }
  return {.consumed = consumed, .next = Phase::kHead, .target = {}};
}

void Reader::PauseIfFull(Connection& connection) const {
  if (connection.pending_count >= limits::kPipelinedRequestsMax) connection.paused = true;
}

// The parser that saw the beginning goes with the bytes; the spare one takes its place.
void Reader::Keep(Connection& connection, std::string_view bytes, const Served& served, const Moment& now) {
  if (spare_.empty()) {
    connection.partial = std::make_unique<PartialRequest>(parser_limits_);
  } else {
    connection.partial = std::move(spare_.back());
    spare_.pop_back();
  }
  PartialRequest& partial = *connection.partial;
  std::swap(partial.parser, scratch_);
  partial.total_bytes = 0;
  if (!MakeRoom(partial, bytes.size())) return RefusePartial(connection, RejectionCode::kOverloaded);
  Charge(partial);
  partial.bytes.Append(bytes);
  if (served.next == Phase::kHead) {
    connection.phase_deadline_ms = connection.paused ? 0 : now.monotonic_ms() + limits_.header_timeout_ms;
    return;
  }
  partial.parser.Rebase(std::to_address(bytes.begin()), partial.bytes.data());
  EnterBody(connection, served, now);
  Progress(connection, now);
}

void Reader::EnterBody(Connection& connection, const Served& served, const Moment& now) {
  PartialRequest& partial = *connection.partial;
  const http::Request& request = partial.parser.request();
  const std::size_t head_bytes = partial.parser.head_bytes();
  partial.phase = served.next;
  partial.target = served.target;
  partial.sources = intake_.sources();
  partial.total_bytes = head_bytes + request.content_length.value_or(0);
  connection.phase_deadline_ms = now.monotonic_ms() + limits_.body_timeout_ms;
  if (request.expect_continue && partial.bytes.size() == head_bytes) intake_.InviteBody(connection);
}

void Reader::Progress(Connection& connection, const Moment& now) {
  bool more = true;
  while (more && connection.partial != nullptr && !connection.paused) {
    switch (connection.partial->phase) {
      case Phase::kHead:
        more = AdvanceHead(connection, now);
        break;
      case Phase::kBody:
        more = AdvanceBody(connection, now);
        break;
      case Phase::kChunked:
        more = AdvanceChunks(connection, now);
        break;
    }
  }
}

bool Reader::AdvanceHead(Connection& connection, const Moment& now) {
  PartialRequest& partial = *connection.partial;
  const Served served = Serve(connection, partial.bytes.view(), partial.parser, now);
  if (connection.state != State::kServing || served.consumed == partial.bytes.size()) {
    Forget(connection);
    return false;
  }
  if (served.next == Phase::kHead) {
    if (served.consumed == 0 && connection.phase_deadline_ms != 0) return false;  // its deadline runs already
    partial.bytes.EraseFront(served.consumed);
    connection.phase_deadline_ms = connection.paused ? 0 : now.monotonic_ms() + limits_.header_timeout_ms;
    return false;
  }
  const char* before = partial.bytes.data() + served.consumed;
  partial.bytes.EraseFront(served.consumed);
  partial.parser.Rebase(before, partial.bytes.data());
  EnterBody(connection, served, now);
  return true;
}

bool Reader::AdvanceBody(Connection& connection, const Moment& now) {
  PartialRequest& partial = *connection.partial;
  if (partial.bytes.size() < partial.total_bytes) return false;
  const std::size_t head_bytes = partial.parser.head_bytes();
  http::Request& request = partial.parser.request();
  request.body = partial.bytes.view().substr(head_bytes, partial.total_bytes - head_bytes);
  intake_.Handle(connection, partial.target, request, now);
  return NextRequest(connection, partial.total_bytes, now);
}

bool Reader::AdvanceChunks(Connection& connection, const Moment& now) {
  PartialRequest& partial = *connection.partial;
  const std::size_t head_bytes = partial.parser.head_bytes();
  const source::Source* source = partial.target.source;
  const std::size_t body_bytes_max = source != nullptr ? source->body_bytes_max : 0;
  http::Request& request = partial.parser.request();
  std::size_t consumed = 0;
  const Step step = partial.parser.DecodeChunked(partial.bytes.view().substr(head_bytes), partial.decoded,
                                                 body_bytes_max, consumed);
  if (step == Step::kError) {
    intake_.Refuse(connection, request, partial.target.probe, RefusalFor(partial.parser.error()), true,
                   partial.parser.error_detail());
    Forget(connection);
    return false;
  }
  if (step == Step::kNeedMore) {
    partial.bytes.Erase(head_bytes, consumed);
    Charge(partial);
    if (inflight_.Current() > static_cast<std::int64_t>(limits_.inflight_bytes))
      RefusePartial(connection, RejectionCode::kOverloaded);
    return false;
  }
  const std::size_t body_bytes = partial.decoded.size();
  partial.decoded.append(limits::kJsonPaddingBytes, '\0');
  request.body = std::string_view(partial.decoded).substr(0, body_bytes);
  intake_.Handle(connection, partial.target, request, now);
  return NextRequest(connection, head_bytes + consumed, now);
}

// The request that took the first `consumed` bytes is done. True if bytes of a further one are there.
bool Reader::NextRequest(Connection& connection, std::size_t consumed, const Moment& now) {
  PartialRequest& partial = *connection.partial;
  if (connection.state == State::kServing) PauseIfFull(connection);
  if (connection.state != State::kServing || consumed == partial.bytes.size()) {
    Forget(connection);
    return false;
  }
  partial.bytes.EraseFront(consumed);
  partial.parser.Reset();
  partial.decoded.clear();
  partial.sources.reset();
  partial.target = {};
  partial.phase = Phase::kHead;
  connection.phase_deadline_ms = connection.paused ? 0 : now.monotonic_ms() + limits_.header_timeout_ms;
  return true;
}

void Reader::Resume(Connection& connection, const Moment& now) {
  connection.paused = false;
  if (connection.partial == nullptr) return;
  connection.phase_deadline_ms = now.monotonic_ms() + limits_.header_timeout_ms;
  Progress(connection, now);
}

void Reader::OnDeadline(Connection& connection) {
  RefusePartial(connection, RejectionCode::kTimeout);
}

void Reader::RefusePartial(Connection& connection, RejectionCode code) {
  PartialRequest& partial = *connection.partial;
  const bool head_known = partial.phase != Phase::kHead;
  intake_.Refuse(connection,
                 head_known ? partial.parser.request() : partial.parser.RequestSoFar(partial.bytes.view()),
                 head_known ? partial.target.probe : nullptr, RefusalFor(code), true);
  Forget(connection);
}

// Room for `bytes` more, doubling, but for a body no more than it will need. False when the budget of all
// requests is spent.
bool Reader::MakeRoom(PartialRequest& partial, std::size_t bytes) {
  const std::size_t needed = partial.bytes.size() + bytes;
  if (needed <= partial.bytes.capacity()) return true;
  std::size_t capacity = std::max(kFirstRoomBytes, partial.bytes.capacity() * 2);
  if (partial.phase == Phase::kBody) capacity = std::min(capacity, partial.total_bytes);
  capacity = std::max(capacity, needed);
  const auto grown = static_cast<std::int64_t>(capacity - partial.bytes.capacity());
  if (inflight_.Current() + grown > static_cast<std::int64_t>(limits_.inflight_bytes)) return false;
  const char* before = partial.bytes.data();
  partial.bytes.Reserve(capacity);
  if (partial.phase != Phase::kHead) partial.parser.Rebase(before, partial.bytes.data());
  Charge(partial);
  return true;
}

void Reader::Charge(PartialRequest& partial) {
  const std::size_t held = partial.bytes.capacity() + partial.decoded.capacity();
  if (held > partial.charged_bytes) {
    inflight_.Charge(held - partial.charged_bytes);
  } else {
    inflight_.Refund(partial.charged_bytes - held);
  }
  partial.charged_bytes = held;
}

void Reader::Forget(Connection& connection) {
  connection.phase_deadline_ms = 0;
  if (connection.partial == nullptr) return;
  PartialRequest& partial = *connection.partial;
  inflight_.Refund(partial.charged_bytes);
  partial.charged_bytes = 0;
  const bool worth_keeping =
      spare_.size() < limits::kSparePartialRequests &&
      partial.bytes.capacity() + partial.decoded.capacity() <= limits::kSparePartialBytes;
  if (!worth_keeping) {
    freed_bytes_ += sizeof(PartialRequest) + sizeof(http::Request) + partial.bytes.capacity() +
                    partial.decoded.capacity();
    connection.partial.reset();
    return;
  }
  partial.phase = Phase::kHead;
  partial.parser.Reset();
  partial.bytes.Truncate(0);
  partial.decoded.clear();
  partial.target = {};
  partial.sources.reset();
  spare_.push_back(std::move(connection.partial));
}

bool Reader::WorthTrimming() {
  if (freed_bytes_ < limits::kTrimBytes) return false;
  freed_bytes_ = 0;
  return true;
}

}  // namespace weir::ingest
