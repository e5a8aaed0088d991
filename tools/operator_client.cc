#include "tools/operator_client.h"

#include <httplib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/admin/admin_server.h"
#include "engine/admin/operator_api.h"
#include "storage/data_directory.h"
#include "storage/event_store.h"
#include "tools/commands.h"

namespace weir::tools {

namespace {

// One answer is one bounded step of the server, so this much silence means that it hangs.
constexpr time_t kAnswerTimeoutS = 60;

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

CommandFailure FailureOf(const storage::StoreError& error, const std::filesystem::path& data) {
  using enum storage::StoreErrorCode;
  switch (error.code) {
    case kLocked:
      return {kNotReachable,
              error.message + ", but no server answers at " + (data / admin::kSocketName).string()};
    case kFormat:
    case kNotFound:
      return {kUsage, error.message};
    case kDataLoss:
    case kCorruption:
    case kIo:
    case kStalled:
      return {kFoundWrong, error.message};
  }
  return {kFoundWrong, error.message};
}

CommandFailure FailureOf(const admin::ApiReply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  std::string message = "the server answered " + std::to_string(reply.status);
  if (json.is_object() && json.contains("error") && json["error"].contains("message")) {
    message = json["error"]["message"].get<std::string>();
  }
  return {reply.status == 400 ? kUsage : kFoundWrong, std::move(message)};
}

std::string TargetOf(const admin::ApiRequest& request) {
  httplib::Params params(request.parameters.begin(), request.parameters.end());
  return httplib::append_query_params("/api" + request.path, params);
}

// A server that this user may not talk to is not a server that does not run: its store must not be tried instead.
std::optional<CommandFailure> BarredFrom(const std::filesystem::path& socket) {
  std::error_code error;
  const auto status = std::filesystem::status(socket, error);
  const bool unseen = error == std::errc::permission_denied;
  const bool closed = status.type() == std::filesystem::file_type::socket &&
                      ::access(socket.c_str(), W_OK) != 0 && errno == EACCES;
  if (!unseen && !closed) return std::nullopt;
  const std::filesystem::path place = unseen ? socket.parent_path() : socket;
  return CommandFailure{kNotReachable, place.string() + ": permission denied; " + storage::WhoseIs(place) +
                                           "; run this command as that user"};
}

class ServerConnection {
 public:
  explicit ServerConnection(const std::filesystem::path& socket) : client_(socket.string(), 80) {
    client_.set_address_family(AF_UNIX);
    client_.set_keep_alive(true);
    client_.set_read_timeout(kAnswerTimeoutS);
    client_.set_default_headers({{"Accept-Encoding", "identity"}});
  }

  // False when nobody listens.
  bool Answers() { return static_cast<bool>(client_.Get("/healthz")); }

  // nullopt when the connection broke.
  std::optional<admin::ApiReply> Ask(const admin::ApiRequest& request) {
    const std::string target = TargetOf(request);
    auto result = request.method == "GET"    ? client_.Get(target)
                  : request.method == "POST" ? client_.Post(target, request.body, "application/octet-stream")
                                             : client_.Put(target, request.body, "application/octet-stream");
    if (!result) return std::nullopt;
    admin::ApiReply reply;
    reply.status = result->status;
    reply.body = std::move(result->body);
    for (const auto& [name, value] : result->headers) reply.headers.emplace_back(name, value);
    return reply;
  }

 private:
  httplib::Client client_;
};

}  // namespace

struct OperatorClient::State {
  // Either a server that answers …
  std::unique_ptr<ServerConnection> server;
  // … or the store, opened here.
  std::unique_ptr<storage::EventStore> store;
  std::optional<admin::Wiring> wiring;
  std::optional<admin::OperatorApi> api;
};

OperatorClient::OperatorClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
OperatorClient::~OperatorClient() = default;

// nullptr when no server answers; a failure when one does and this user may not ask it.
CommandResult<std::unique_ptr<OperatorClient>> OperatorClient::ReachServer(
    const std::filesystem::path& data) {
  // A server that ends while it is asked is an answer that fails to come, not the end of this process.
  std::signal(SIGPIPE, SIG_IGN);
  const auto socket = data / admin::kSocketName;
  if (auto barred = BarredFrom(socket)) return std::unexpected(*std::move(barred));
  std::error_code error;
  if (socket.native().size() >= sizeof(sockaddr_un::sun_path) || !std::filesystem::is_socket(socket, error)) {
    return std::unique_ptr<OperatorClient>();
  }
  auto state = std::make_unique<State>();
  state->server = std::make_unique<ServerConnection>(socket);
  if (!state->server->Answers()) return std::unique_ptr<OperatorClient>();
  return std::unique_ptr<OperatorClient>(new OperatorClient(std::move(state)));
}

CommandResult<std::unique_ptr<OperatorClient>> OperatorClient::Reach(const std::filesystem::path& data) {
  if (auto client = ReachServer(data); !client || *client) return client;
  return std::unexpected(
      CommandFailure{kNotReachable, "no server answers at " + (data / admin::kSocketName).string()});
}

CommandResult<std::unique_ptr<OperatorClient>> OperatorClient::Open(const std::filesystem::path& data,
                                                                    Access access) {
  if (auto client = ReachServer(data); !client || *client) return client;
  auto state = std::make_unique<State>();
  storage::StoreOptions options;
  options.directory = data;
  options.read_only = access == Access::kRead;
  options.create_if_missing = false;
  auto store = storage::EventStore::Open(options);
  if (!store) return std::unexpected(FailureOf(store.error(), data));
  state->store = std::move(*store);
  state->wiring.emplace(admin::Wiring{.store = *state->store, .data = data, .live = std::nullopt});
  state->api.emplace(*state->wiring);
  return std::unique_ptr<OperatorClient>(new OperatorClient(std::move(state)));
}

bool OperatorClient::online() const {
  return state_->server != nullptr;
}

CommandResult<admin::ApiReply> OperatorClient::Get(std::string path, admin::Parameters parameters) {
  return Ask({.method = "GET", .path = std::move(path), .parameters = std::move(parameters), .body = {}});
}
CommandResult<admin::ApiReply> OperatorClient::Post(std::string path, admin::Parameters parameters) {
  return Ask({.method = "POST", .path = std::move(path), .parameters = std::move(parameters), .body = {}});
}
CommandResult<admin::ApiReply> OperatorClient::Put(std::string path, admin::Parameters parameters,
                                                   std::string body) {
  return Ask({.method = "PUT",
              .path = std::move(path),
              .parameters = std::move(parameters),
              .body = std::move(body)});
}

CommandResult<admin::ApiReply> OperatorClient::Ask(const admin::ApiRequest& request) {
  std::optional<admin::ApiReply> reply =
      online() ? state_->server->Ask(request) : std::optional(state_->api->Handle(request, NowUs()));
  if (!reply) return std::unexpected(CommandFailure{kNotReachable, "the server stopped answering"});
  if (reply->status >= 300) return std::unexpected(FailureOf(*reply));
  return *std::move(reply);
}

}  // namespace weir::tools
