#include "tools/event_sender.h"

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "engine/http/request.h"
#include "engine/http/url.h"

namespace weir::tools {
namespace {

constexpr time_t kConnectTimeoutS = 5;
constexpr time_t kAnswerTimeoutS = 60;

Answer AnswerOf(const httplib::Response& response) {
  Answer answer{.status = response.status, .result = "answered", .sequence = {}, .event_id = {}};
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (!json.is_object()) return answer;
  if (const auto status = json.find("status"); status != json.end() && status->is_string()) {
    answer.result = status->get<std::string>();
  }
  if (const auto sequence = json.find("sequence"); sequence != json.end() && sequence->is_number_unsigned()) {
    answer.sequence = sequence->get<std::uint64_t>();
  }
  if (const auto id = json.find("event_id"); id != json.end() && id->is_string()) {
    answer.event_id = id->get<std::string>();
  }
  const auto error = json.find("error");
  if (error != json.end() && error->is_object() && error->contains("code") && (*error)["code"].is_string()) {
    answer.result = (*error)["code"].get<std::string>();
  }
  return answer;
}

std::string ReasonOf(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "nobody accepts a connection there";
    case httplib::Error::ConnectionTimeout:
      return "no connection within " + std::to_string(kConnectTimeoutS) + " s";
    case httplib::Error::SSLConnection:
      return "the TLS handshake failed";
    case httplib::Error::SSLLoadingCerts:
      return "the system's certificates cannot be read";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not one that this system trusts";
    case httplib::Error::Compression:
      return "the answer cannot be decompressed";
    case httplib::Error::Read:
      return "the connection ended, or nothing came within " + std::to_string(kAnswerTimeoutS) + " s";
    case httplib::Error::Write:
      return "the connection ended while the event was sent";
    case httplib::Error::Success:
    case httplib::Error::Unknown:
    case httplib::Error::BindIPAddress:
    case httplib::Error::ExceedRedirectCount:
    case httplib::Error::Canceled:
    case httplib::Error::UnsupportedMultipartBoundaryChars:
      break;
  }
  return "the request could not be made";
}

}  // namespace

struct EventSender::Connection {
  httplib::Client client;
  std::string target;
};

EventSender::EventSender(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
EventSender::EventSender(EventSender&&) noexcept = default;
EventSender::~EventSender() = default;

std::expected<EventSender, std::string> EventSender::Create(const std::string& text) {
  const auto url = http::ParseUrl(text);
  if (!url) return std::unexpected(url.error());
  const std::string origin = (url->https ? "https://" : "http://") + url->authority;
  auto connection = std::make_unique<Connection>(httplib::Client(origin), url->target);
  connection->client.set_keep_alive(true);
  connection->client.set_tcp_nodelay(true);
  connection->client.set_connection_timeout(kConnectTimeoutS);
  connection->client.set_read_timeout(kAnswerTimeoutS);
  connection->client.set_write_timeout(kAnswerTimeoutS);
  return EventSender(std::move(connection));
}

std::expected<Answer, std::string> EventSender::Send(const OutgoingEvent& event) {
  httplib::Headers headers = {{"User-Agent", "weir/" WEIR_VERSION}};
  std::string content_type = "application/json";
  for (const auto& [name, value] : event.headers) {
    if (http::EqualsIgnoreCase(name, "Content-Type")) {
      content_type = value;
    } else {
      headers.emplace(name, value);
    }
  }
  const auto result = connection_->client.Post(connection_->target, headers, event.body, content_type);
  if (!result) return std::unexpected(ReasonOf(result.error()));
  return AnswerOf(*result);
}

}  // namespace weir::tools
