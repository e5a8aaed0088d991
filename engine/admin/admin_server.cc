#include "engine/admin/admin_server.h"

#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/admin/bounded_pool.h"
#include "engine/admin/end_connections.h"
#include "engine/admin/metrics_page.h"
#include "engine/admin/operator_api.h"
#include "engine/admin/process_use.h"
#include "engine/admin/readiness.h"
#include "engine/clock/clock.h"
#include "engine/limits.h"
#include "engine/observe/log.h"
#include "engine/text/json_string.h"
#include "storage/check.h"
#include "storage/memory_shortage.h"
#include "storage/start_thread.h"

namespace weir::admin {

namespace {

using HandlerResponse = httplib::Server::HandlerResponse;

constexpr std::string_view kApiPrefix = "/api";
// A client that is slow or idle holds a thread this long at most.
constexpr time_t kReadTimeoutS = 2;
constexpr time_t kWriteTimeoutS = 5;
constexpr time_t kKeepAliveTimeoutS = 2;
constexpr std::chrono::milliseconds kBetweenEnds{10};
constexpr std::size_t kRequestsPerConnectionMax = 100'000;

// What httplib makes and destroys with every run of a listener; the threads are there before.
class ListenerPool final : public httplib::TaskQueue {
 public:
  explicit ListenerPool(BoundedPool& pool) : pool_(pool) {}
  void enqueue(std::function<void()> task) override { pool_.Enqueue(std::move(task)); }
  void shutdown() override { pool_.Shutdown(); }

 private:
  BoundedPool& pool_;
};

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Takes as long for a wrong first byte as for a wrong last one.
bool SameSecret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && !b.empty(); ++i) {
    difference |=
        static_cast<unsigned char>(a[i]) ^ static_cast<unsigned>(static_cast<unsigned char>(b[i % b.size()]));
  }
  return difference == 0;
}

void Send(httplib::Response& response, ApiReply reply) {
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers) response.set_header(name, value);
  if (reply.body.empty()) {
    response.set_content("", reply.content_type);
    return;
  }
  // As a provider of known length, because httplib would compress a plain body for any client that takes it,
  // with brotli at its highest setting: seconds of a core for a page of an export.
  const std::size_t size = reply.body.size();
  response.set_content_provider(
      size, reply.content_type,
      [body = std::move(reply.body)](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        return sink.write(body.data() + offset, length);
      });
}

std::expected<ApiRequest, std::string> ToApiRequest(const httplib::Request& request) {
  ApiRequest api;
  api.method = request.method == "HEAD" ? "GET" : request.method;
  api.path = request.path.substr(kApiPrefix.size());
  api.body = request.body;
  for (const auto& [name, value] : request.params) {
    if (!api.parameters.emplace(name, value).second)
      return std::unexpected("parameter " + name + " is given twice");
  }
  return api;
}

// The port 0 of a configuration is the kernel's choice; httplib has another call for it.
bool Bind(httplib::Server& server, config::Address& address) {
  if (address.port != 0) return server.bind_to_port(address.host, address.port);
  const int port = server.bind_to_any_port(address.host);
  if (port <= 0) return false;
  address.port = static_cast<std::uint16_t>(port);
  return true;
}

std::expected<void, std::string> BindSocket(httplib::Server& server, const std::filesystem::path& path) {
  if (path.native().size() >= sizeof(sockaddr_un::sun_path)) {
    return std::unexpected(path.string() + ": longer than a unix socket's name may be (" +
                           std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                           " bytes); give [server] data a shorter path, or a relative one");
  }
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::socket) {
    std::filesystem::remove(path, error);
  } else if (std::filesystem::exists(status)) {
    return std::unexpected(path.string() + ": exists and is not a socket");
  }
  server.set_address_family(AF_UNIX);
  // Not chmod afterwards: between bind and chmod anybody could connect.
  const mode_t before = ::umask(0177);
  const bool bound = server.bind_to_port(path.string(), 80);  // the port only has to be there
  const int bind_errno = errno;
  ::umask(before);
  if (!bound) return std::unexpected(path.string() + ": " + std::strerror(bind_errno));
  return {};
}

}  // namespace

struct AdminServer::State {
  struct Listener {
    BoundedPool pool{limits::kAdminWaitingMax};
    httplib::Server server;
    std::atomic<bool> ended{false};
    std::jthread thread;
    bool trusted = false;  // the socket: its file mode has let the client in
  };

  State(Wiring given_wiring, config::Admin given_admin)
      : wiring(std::move(given_wiring)),
        admin(std::move(given_admin)),
        api(wiring),
        socket_path(wiring.data / kSocketName) {}

  const Wiring wiring;
  config::Admin admin;
  OperatorApi api;
  const std::filesystem::path socket_path;
  Listener socket;
  std::unique_ptr<Listener> tcp;  // null without [admin].listen
  bool started = false;

  void Configure(Listener& listener);
  HandlerResponse Route(const Listener& listener, const httplib::Request& request,
                        httplib::Response& response);
  ApiReply Health(const std::string& path) const;
  ApiReply Ready() const;
  ApiReply Metrics() const;
  // What stands between this client and the API; nullopt: nothing.
  std::optional<ApiReply> Barrier(const Listener& listener, const httplib::Request& request) const;
  ApiReply AnswerApi(const httplib::Request& request);
};

ApiReply AdminServer::State::Ready() const {
  const auto statistics = wiring.store.Statistics();
  const auto reasons = ReasonsNotReady(wiring.live->gate, statistics,
                                       RoomOf(statistics.disk, *wiring.live, clock::Read().monotonic_ms));
  ApiReply reply;
  reply.status = reasons.empty() ? 200 : 503;
  reply.body = reasons.empty() ? R"({"ready":true,"reasons":[)" : R"({"ready":false,"reasons":[)";
  for (const std::string& reason : reasons) {
    if (&reason != &reasons.front()) reply.body += ',';
    text::AppendJsonString(reply.body, reason);
  }
  reply.body += "]}";
  return reply;
}

ApiReply AdminServer::State::Metrics() const {
  const auto ingest_dead = wiring.store.CountDeadLetters(storage::kIngestSink);
  if (!ingest_dead) return Refusal(ingest_dead.error());
  const StoreFacts facts{.statistics = wiring.store.Statistics(), .ingest_dead_letters = *ingest_dead};
  ApiReply reply;
  reply.content_type = kMetricsContentType;
  reply.body = MetricsPage(*wiring.live, facts, ReadProcessUse(), NowUs());
  return reply;
}

ApiReply AdminServer::State::Health(const std::string& path) const {
  if (path == "/metrics") return Metrics();
  if (path == "/readyz") return Ready();
  ApiReply reply;
  reply.body = R"({"status":"ok"})";
  return reply;
}

std::optional<ApiReply> AdminServer::State::Barrier(const Listener& listener,
                                                    const httplib::Request& request) const {
  if (listener.trusted) return std::nullopt;
  if (admin.token.empty()) {
    return Refusal(403, "no_token_configured",
                   "over TCP the API needs [admin] token; the socket admin.sock does not");
  }
  constexpr std::string_view kScheme = "Bearer ";
  const std::string given = request.get_header_value("Authorization");
  if (given.starts_with(kScheme) && SameSecret(std::string_view(given).substr(kScheme.size()), admin.token)) {
    return std::nullopt;
  }
  ApiReply reply = Refusal(401, "token_required", "expected Authorization: Bearer TOKEN");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

ApiReply AdminServer::State::AnswerApi(const httplib::Request& request) {
  const auto api_request = ToApiRequest(request);
  if (!api_request) return Refusal(400, "bad_parameter", api_request.error());
  ApiReply reply = api.Handle(*api_request, NowUs());
  if (OperatorApi::Has("POST", api_request->path) && api_request->method == "POST") {
    observe::log::Info("operator action",
                       {{"path", request.path}, {"status", reply.status}, {"result", reply.body}});
  }
  return reply;
}

// Every request passes here before its body is read. httplib's own routing is by std::regex, which recurses
// once a byte of the path; so only the few paths that have a body to be read get there, and those are plain
// words.
HandlerResponse AdminServer::State::Route(const Listener& listener, const httplib::Request& request,
                                          httplib::Response& response) {
  const bool read_only = request.method == "GET" || request.method == "HEAD";
  const bool health = request.path == "/healthz" || request.path == "/readyz" || request.path == "/metrics";
  if (health) {
    ApiReply reply = read_only ? Health(request.path) : Refusal(405, "method_not_allowed", "expected GET");
    if (!read_only) reply.headers.emplace_back("Allow", "GET, HEAD");
    Send(response, std::move(reply));
    return HandlerResponse::Handled;
  }
  if (!request.path.starts_with(std::string(kApiPrefix) + "/")) {
    Send(response, Refusal(404, "unknown_path", "expected /healthz, /readyz, /metrics or /api/"));
    return HandlerResponse::Handled;
  }
  if (auto barrier = Barrier(listener, request)) {
    Send(response, std::move(*barrier));
    return HandlerResponse::Handled;
  }
  // Refused before it is begun: a JSON value that cannot be taken apart for want of memory ends the process.
  if (!HasMemoryFor(limits::kAdminAnswerBytes)) {
    Send(response, Refusal(503, "shortage", "the server has no memory for this; ask again later"));
    return HandlerResponse::Handled;
  }
  const std::string below = request.path.substr(kApiPrefix.size());
  if (!read_only && OperatorApi::Has(request.method, below)) return HandlerResponse::Unhandled;
  Send(response, AnswerApi(request));
  return HandlerResponse::Handled;
}

void AdminServer::State::Configure(Listener& listener) {
  httplib::Server& server = listener.server;
  server.new_task_queue = [&listener] { return new ListenerPool(listener.pool); };
  // Not httplib's default, which is SO_REUSEPORT: two servers on one port would both start.
  server.set_socket_options([](int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  server.set_read_timeout(kReadTimeoutS);
  server.set_write_timeout(kWriteTimeoutS);
  server.set_keep_alive_timeout(kKeepAliveTimeoutS);
  server.set_keep_alive_max_count(kRequestsPerConnectionMax);
  server.set_payload_max_length(limits::kAdminRequestBytesMax);
  server.set_pre_routing_handler(
      [this, &listener](const httplib::Request& request, httplib::Response& response) {
        return Route(listener, request, response);
      });
  const auto answer = [this](const httplib::Request& request, httplib::Response& response) {
    Send(response, AnswerApi(request));
  };
  for (const std::string& path : OperatorApi::Paths("POST"))
    server.Post(std::string(kApiPrefix) + path, answer);
  for (const std::string& path : OperatorApi::Paths("PUT"))
    server.Put(std::string(kApiPrefix) + path, answer);
  server.set_exception_handler(
      [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
        Send(response, Refusal(500, "internal", "the request could not be answered"));
      });
}

AdminServer::AdminServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::expected<std::unique_ptr<AdminServer>, std::string> AdminServer::Create(Wiring wiring,
                                                                             config::Admin admin) {
  WEIR_CHECK(wiring.live.has_value());
  auto state = std::make_unique<State>(std::move(wiring), std::move(admin));
  if (state->admin.listen) {
    state->tcp = std::make_unique<State::Listener>();
    state->Configure(*state->tcp);
    config::Address& address = *state->admin.listen;
    if (!Bind(state->tcp->server, address)) {
      return std::unexpected("[admin] listen " + address.host + ":" + std::to_string(address.port) + ": " +
                             std::strerror(errno));
    }
  }
  state->Configure(state->socket);
  state->socket.trusted = true;
  if (auto bound = BindSocket(state->socket.server, state->socket_path); !bound) {
    return std::unexpected(bound.error());
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(state)));
}

AdminServer::~AdminServer() {
  Stop();
}

std::optional<config::Address> AdminServer::bound() const {
  return state_->admin.listen;
}

std::expected<void, std::string> AdminServer::Start() {
  WEIR_CHECK(!state_->started);
  state_->started = true;
  for (State::Listener* listener : {&state_->socket, state_->tcp.get()}) {
    if (listener == nullptr) continue;
    if (auto pool = listener->pool.Start(limits::kAdminThreads); !pool) return pool;
    auto thread = StartThread("admin", [listener](const std::stop_token&) {
      listener->server.listen_after_bind();
      listener->ended.store(true);
    });
    if (!thread) {
      listener->pool.Shutdown();
      return std::unexpected(thread.error());
    }
    listener->thread = std::move(*thread);
    // stop() has no effect on a server that does not run yet, so Stop right after Start would wait for ever.
    while (!listener->server.is_running()) std::this_thread::yield();
  }
  return {};
}

void AdminServer::Stop() {
  for (State::Listener* listener : {&state_->socket, state_->tcp.get()}) {
    if (listener == nullptr || !listener->thread.joinable()) continue;
    listener->server.stop();
    // A client that sends nothing, or reads nothing, would hold its thread for seconds.
    while (!listener->ended.load()) {
      if (listener == &state_->socket) {
        EndConnectionsAt(state_->socket_path);
      } else {
        EndConnectionsAt(state_->admin.listen->port);
      }
      std::this_thread::sleep_for(kBetweenEnds);
    }
    listener->thread.join();
  }
  std::error_code error;
  std::filesystem::remove(state_->socket_path, error);
}

}  // namespace weir::admin
