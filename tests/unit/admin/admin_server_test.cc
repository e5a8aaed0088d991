#include "engine/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>

#include "engine/limits.h"
#include "tests/unit/admin/operator_fixture.h"

namespace weir::admin {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Admin : public OperatorTest {
 protected:
  std::filesystem::path SocketPath() const { return options.directory / kSocketName; }

  std::expected<std::unique_ptr<AdminServer>, std::string> Create(config::Admin admin) {
    return AdminServer::Create({.store = *store,
                                .data = options.directory,
                                .live = Live{.shards = {&shard_},
                                             .commit = commit_,
                                             .retention = retention_,
                                             .appends = appends_,
                                             .gate = gate_,
                                             .visit_sinks = [this](const auto& visit) { visit(sink_); },
                                             .submit = [](std::string_view, const auto&) { return false; },
                                             .min_free_disk_bytes = 1,
                                             .ring_mode = "test",
                                             .started_at_us = kNowUs}},
                               std::move(admin));
  }
  void Serve(config::Admin admin = {}) {
    auto created = Create(std::move(admin));
    ASSERT_TRUE(created) << created.error();
    server_ = std::move(*created);
    ASSERT_TRUE(server_->Start());
  }
  void ServeTcp(const std::string& token) {
    Serve({.listen = config::Address{"127.0.0.1", 0}, .token = token});
  }

  httplib::Client Socket() {
    httplib::Client client(SocketPath().string(), 80);
    client.set_address_family(AF_UNIX);
    return client;
  }
  httplib::Client Tcp() { return httplib::Client("127.0.0.1", server_->bound()->port); }

  observe::ShardProbe shard_;
  observe::CommitProbe commit_;
  observe::RetentionProbe retention_;
  observe::SinkProbe sink_;
  commit::AppendQueue appends_;
  ingest::Gate gate_;
  std::unique_ptr<AdminServer> server_;
};

int Status(const httplib::Result& result) {
  return result ? result->status : -1;
}

TEST_F(Admin, AnswersHealthOnItsSocket) {
  Serve();
  auto client = Socket();
  EXPECT_EQ(Status(client.Get("/healthz")), 200);
  EXPECT_EQ(Status(client.Get("/readyz")), 200);
  EXPECT_EQ(Status(client.Get("/nothing")), 404);
  EXPECT_EQ(Status(client.Post("/healthz")), 405);
}

TEST_F(Admin, LetsNobodyElseUseTheSocket) {
  Serve();
  struct stat status{};
  ASSERT_EQ(::stat(SocketPath().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Admin, TakesTheSocketAwayWhenItStops) {
  Serve();
  server_->Stop();
  EXPECT_FALSE(std::filesystem::exists(SocketPath()));
}

TEST_F(Admin, ReplacesASocketNobodyListensTo) {
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  SocketPath().native().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(stale);
  Serve();
  EXPECT_EQ(Status(Socket().Get("/healthz")), 200);
}

TEST_F(Admin, RefusesToReplaceAnythingElse) {
  std::ofstream(SocketPath()) << "precious";
  const auto created = Create({});
  ASSERT_FALSE(created);
  EXPECT_THAT(created.error(), HasSubstr("is not a socket"));
  EXPECT_EQ(std::filesystem::file_size(SocketPath()), 8u);
}

TEST_F(Admin, SaysThatAPortIsTaken) {
  ServeTcp("");
  std::filesystem::remove(SocketPath());
  const auto second = Create({.listen = server_->bound(), .token = ""});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("[admin] listen 127.0.0.1:"));
}

TEST_F(Admin, MayBeStoppedAtOnceAndTwice) {
  ServeTcp("");
  const auto bound = server_->bound();
  server_->Stop();
  server_->Stop();
  EXPECT_TRUE(Create({.listen = bound, .token = ""})) << "the port is free again";
}

TEST_F(Admin, IsNotReadyWhileItDrainsAndSaysWhy) {
  Serve();
  gate_.accepting = false;
  auto client = Socket();
  const auto result = client.Get("/readyz");
  ASSERT_EQ(Status(result), 503);
  const Json json = Json::parse(result->body);
  EXPECT_FALSE(json["ready"]);
  EXPECT_THAT(json["reasons"][0].get<std::string>(), HasSubstr("draining"));
  EXPECT_EQ(Status(client.Get("/healthz")), 200);
}

TEST_F(Admin, ServesMetricsWithTheirContentType) {
  shard_.ForSource("stripe").Received("invoice.paid");
  Serve();
  const auto result = Socket().Get("/metrics");
  ASSERT_EQ(Status(result), 200);
  EXPECT_EQ(result->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(result->body, HasSubstr("webhook_received_total{source=\"stripe\",type=\"invoice.paid\"} 1\n"));
}

TEST_F(Admin, NeedsATokenForTheApiOverTcp) {
  Put({.id = "a"});
  ServeTcp("open sesame");
  auto client = Tcp();
  EXPECT_EQ(Status(client.Get("/api/events")), 401);
  EXPECT_EQ(Status(client.Get("/api/events", {{"Authorization", "Bearer open sesam"}})), 401);
  EXPECT_EQ(Status(client.Get("/api/events", {{"Authorization", "Bearer open sesame "}})),
            200);  // trimmed by HTTP
  EXPECT_EQ(Status(client.Get("/api/events", {{"Authorization", "open sesame"}})), 401);
  EXPECT_EQ(Status(client.Get("/api/events", {{"Authorization", "Bearer "}})), 401);
  EXPECT_EQ(Status(client.Get("/api/events", {{"Authorization", "Bearer open sesame"}})), 200);
  EXPECT_EQ(Status(client.Post("/api/dlq/drop?all=1")), 401);
  EXPECT_EQ(Status(client.Get("/api/nothing")), 401);
  for (const char* path : {"/healthz", "/readyz", "/metrics"})
    EXPECT_EQ(Status(client.Get(path)), 200) << path;
}

TEST_F(Admin, HasNoApiOverTcpWithoutAConfiguredToken) {
  ServeTcp("");
  auto client = Tcp();
  EXPECT_EQ(Status(client.Get("/api/events")), 403);
  EXPECT_EQ(Status(client.Get("/api/events", {{"Authorization", "Bearer "}})), 403);
  EXPECT_EQ(Status(client.Get("/metrics")), 200);
  EXPECT_EQ(Status(Socket().Get("/api/events")), 200);
}

TEST_F(Admin, AnswersTheApiOnItsSocket) {
  Put({.id = "a b&c", .type = "invoice.paid"});
  Serve();
  auto client = Socket();
  const auto result = client.Get("/api/events?id=a%20b%26c&type=invoice.*");
  ASSERT_EQ(Status(result), 200);
  EXPECT_THAT(Json::parse(result->body)["events"], SizeIs(1));
  EXPECT_EQ(Status(client.Get("/api/events?source=a&source=b")), 400);
  EXPECT_EQ(Status(client.Get("/api/nothing")), 404);
  EXPECT_EQ(Status(client.Delete("/api/events")), 405);
}

TEST_F(Admin, TakesActionsByPostOnly) {
  Put({.id = "bad", .malformed = "no event id"});
  Bury("-", 1);
  Serve();
  auto client = Socket();
  EXPECT_EQ(Status(client.Get("/api/dlq/drop?all=1")), 405);
  EXPECT_EQ(*store->CountDeadLetters("-"), 1u);
  EXPECT_EQ(Status(client.Post("/api/dlq/drop?all=1")), 200);
  EXPECT_EQ(*store->CountDeadLetters("-"), 0u);
}

TEST_F(Admin, KeepsACursorsBodyAsItIs) {
  Serve();
  auto client = Socket();
  EXPECT_EQ(Status(client.Put("/api/cursor?name=lake", "{\"next\":1}", "application/octet-stream")), 200);
  const auto result = client.Get("/api/cursor?name=lake");
  ASSERT_EQ(Status(result), 200);
  EXPECT_EQ(Json::parse(result->body)["value"], "{\"next\":1}");
}

TEST_F(Admin, RefusesABodyThatIsTooLarge) {
  Serve();
  const std::string body(limits::kAdminRequestBytesMax + 1, 'x');
  EXPECT_EQ(Status(Socket().Put("/api/cursor?name=lake", body, "application/octet-stream")), 413);
  EXPECT_EQ(Status(Socket().Get("/healthz")), 200);
}

// std::regex, which httplib routes with, recurses once a byte.
TEST_F(Admin, SurvivesALongPath) {
  Serve();
  for (const char* prefix : {"/", "/api/"}) {
    const std::string path = prefix + std::string(8000, 'a');
    EXPECT_EQ(Status(Socket().Get(path)), 404);
    EXPECT_EQ(Status(Socket().Post(path)), 404);
  }
}

// httplib would choose brotli's slowest setting.
TEST_F(Admin, DoesNotCompress) {
  Put({.id = "a", .body = std::string(1 << 20, 'x')});
  Serve();
  auto client = Socket();
  client.set_decompress(false);
  const auto result = client.Get("/api/export?format=csv", {{"Accept-Encoding", "br, gzip"}});
  ASSERT_EQ(Status(result), 200);
  EXPECT_FALSE(result->has_header("Content-Encoding"));
  EXPECT_GT(result->body.size(), 1u << 20);
}

TEST_F(Admin, AnswersHeadWithoutABody) {
  Serve();
  const auto result = Socket().Head("/metrics");
  ASSERT_EQ(Status(result), 200);
  EXPECT_EQ(result->body, "");
}

TEST_F(Admin, AnswersManyClientsAtOnce) {
  ServeTcp("");
  constexpr std::size_t kClients = 32;
  std::vector<std::thread> clients;
  clients.reserve(kClients);
  std::atomic<int> answered{0};
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      auto client = Tcp();
      for (int n = 0; n < 5; ++n) answered += Status(client.Get("/healthz")) == 200 ? 1 : 0;
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(answered, 160);
}

TEST_F(Admin, SaysThatTheDataDirectorysPathIsTooLong) {
  const auto created = AdminServer::Create({.store = *store,
                                            .data = options.directory / std::string(100, 'd'),
                                            .live = Live{.shards = {},
                                                         .commit = commit_,
                                                         .retention = retention_,
                                                         .appends = appends_,
                                                         .gate = gate_,
                                                         .visit_sinks = nullptr,
                                                         .submit = nullptr,
                                                         .min_free_disk_bytes = 0,
                                                         .ring_mode = "",
                                                         .started_at_us = 0}},
                                           {});
  ASSERT_FALSE(created);
  EXPECT_THAT(created.error(), HasSubstr("107 bytes"));
}

TEST_F(Admin, ReportsStatusOfTheRunningServer) {
  shard_.ForSource("stripe").Received("invoice.paid");
  sink_.sink = "billing";
  sink_.queue_depth.Set(7);
  Serve();
  const auto result = Socket().Get("/api/status");
  ASSERT_EQ(Status(result), 200);
  const Json json = Json::parse(result->body);
  EXPECT_TRUE(json["server"]["running"]);
  EXPECT_TRUE(json["server"]["ready"]);
  EXPECT_EQ(json["ingest"]["received"], 1);
  EXPECT_EQ(json["sinks"][0]["queue_depth"], 7);
}

}  // namespace
}  // namespace weir::admin
