// Sends events to a server one after the other over one kept connection, and reads its answers.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "tools/outgoing_event.h"

namespace weir::tools {

struct Answer {
  int status = 0;
  std::string result;  // "accepted", "duplicate", an error's code, or "answered" for a body of the kind's own
  std::optional<std::uint64_t> sequence;
  std::string event_id;  // as the server found it; empty where the answer does not say
};

class EventSender {
 public:
  // `url` is absolute. The error says what is wrong with it.
  static std::expected<EventSender, std::string> Create(const std::string& url);
  EventSender(EventSender&&) noexcept;
  ~EventSender();

  // The error says why there is no answer.
  std::expected<Answer, std::string> Send(const OutgoingEvent& event);

 private:
  struct Connection;
  explicit EventSender(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace weir::tools
