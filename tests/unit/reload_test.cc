// Every key that docs/configuration.md names is either in force after a reload or named as waiting for a restart.
#include "engine/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/captured_secret.h"
#include "engine/source/scheme.h"
#include "tests/support/temp_directory.h"

namespace weir {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What a configuration of one source, one sink and one route says, section by section.
struct Document {
  std::string server = {};
  std::string limits = {};
  std::string admin = {};
  std::string source = "name = \"shop\"\nkind = \"stripe\"\nsecrets_insecure = [\"whsec_reload\"]\n";
  std::string sink = "name = \"billing\"\nkind = \"http\"\nurl = \"http://127.0.0.1:9/\"\n";
  std::string route = "source = \"*\"\nsink = \"billing\"\n";
};

// Of a key that was thrown away.
constexpr std::string_view kPublicKey = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzkudUuCUjoqvpFXjPECa
2cwVQf+98B3aFkwc10/TAGBpayRJCEZLEGb5qNMtOlQ4TJmfmnlgcwHIoYx3fISQ
8hNVx1ec1Vdios6P/KnEXbsp7nJ2Yi01a06cX6pzKLOsSFwKGNOhn5GPlToWm/Zm
HgwN/+vpA+mLKeI7BnuyEqFTwevcDuMaj3M4K08NlBzZySyWJ30XTlppLAheR/a/
LBv8TflFRu69Ln47cIpedWHVcFfWjKtH6H0URejPFlmrIVT/aCK4at1PPyM6ftdW
LKcTnFXAXXFiGvVfsjjMHOTSRJj77G5Xm+V9TNhlWyBkW0bJ4BPWODKITwmB8fTp
fQIDAQAB
-----END PUBLIC KEY-----
)";
constexpr std::string_view kTwilio =
    "name = \"shop\"\nkind = \"twilio\"\nsecrets_insecure = [\"twilio-token\"]\npublic_url = ";
constexpr std::string_view kPaypal =
    "name = \"shop\"\nkind = \"paypal\"\ncertificates = [\"certificates\"]\nparameters = { webhook_id = ";
constexpr std::string_view kSns = "name = \"shop\"\nkind = \"sns\"\ncertificates = ";
constexpr std::string_view kCustom =
    "name = \"shop\"\nkind = \"custom\"\nsecrets_insecure = [\"acme-secret\"]\n[source.scheme]\nalgorithm = "
    "\"token\"\nsignature = { header = \"x-acme\" }\nevent_type = { json = \"/type\" }\nevent_id = ";

class ReloadTest : public testing::Test {
 protected:
  ReloadTest() {
    storage::StoreOptions options;
    options.directory = directory_ / "data";
    options.sync = false;
    store_ = std::move(storage::EventStore::Open(options).value());
    std::filesystem::create_directory(directory_ / "certificates");
    std::filesystem::create_directory(directory_ / "others");
  }
  ~ReloadTest() override {
    delivery_.reset();
    store_.reset();
  }

  void Write(const Document& document) const {
    std::ofstream(directory_ / "weir.toml") << "[server]\n"
                                            << document.server << "\n[server.limits]\n"
                                            << document.limits << "\n[admin]\n"
                                            << document.admin << "\n[[source]]\n"
                                            << document.source << "\n[[sink]]\n"
                                            << document.sink << "\n[[route]]\n"
                                            << document.route;
  }
  // As after a start with it.
  void Start(const Document& document) {
    Write(document);
    auto loaded = config::Load(directory_ / "weir.toml", {});
    ASSERT_TRUE(loaded) << config::ToString(loaded.error().front());
    in_force_ = std::move(*loaded);
    sources_ = std::make_shared<const source::SourceTable>(std::move(in_force_.sources));
    delivery_ = std::move(DeliverySet::Create(*store_, in_force_, 1, {}).value());
    reload_ = std::make_unique<Reload>(
        Reload::Wiring{.in_force = in_force_,
                       .environment = {},
                       .delivery = *delivery_,
                       .sources = [this] { return sources_; },
                       .fit = [](config::Config&) { return std::expected<void, std::string>(); },
                       .use_sources = [this](auto table) { sources_ = std::move(table); },
                       .set_tails = [](const auto&) {},
                       .probe = probe_},
        1);
  }
  observe::ReloadReport Reloaded(const Document& document) {
    Write(document);
    reload_->Run(2);
    return probe_.last();
  }
  const source::Source& Source() const { return sources_->sources().front(); }
  const config::Sink& Sink() const { return in_force_.sinks.front(); }

  tests::TempDirectory directory_;
  std::unique_ptr<storage::EventStore> store_;
  config::Config in_force_;
  std::shared_ptr<const source::SourceTable> sources_;
  observe::ReloadProbe probe_;
  std::unique_ptr<DeliverySet> delivery_;
  std::unique_ptr<Reload> reload_;
};

struct RestartRow {
  std::string key;
  std::string Document::* section;
  std::string line;
};
const std::vector<RestartRow> kRestartRows = {
    {"server.listen", &Document::server, "listen = [\"127.0.0.1:8081\"]"},
    {"server.data", &Document::server, "data = \"elsewhere\""},
    {"server.threads", &Document::server, "threads = 200"},
    {"server.ack", &Document::server, "ack = \"os\""},
    {"server.drain_timeout", &Document::server, "drain_timeout = \"3s\""},
    {"server.retention", &Document::server, "retention = \"30d\""},
    {"server.limits.body", &Document::limits, "body = \"2MiB\""},
    {"server.limits.headers", &Document::limits, "headers = \"8KiB\""},
    {"server.limits.connections", &Document::limits, "connections = 77"},
    {"server.limits.header_timeout", &Document::limits, "header_timeout = \"1s\""},
    {"server.limits.body_timeout", &Document::limits, "body_timeout = \"1s\""},
    {"server.limits.idle_timeout", &Document::limits, "idle_timeout = \"1s\""},
    {"server.limits.inflight_bytes", &Document::limits, "inflight_bytes = \"64MiB\""},
    {"server.limits.min_free_disk", &Document::limits, "min_free_disk = \"64MiB\""},
    {"admin.listen", &Document::admin, "listen = \"127.0.0.1:8082\""},
    {"admin.token", &Document::admin, "token_insecure = \"a token that is long enough\""},
};

TEST_F(ReloadTest, NamesEveryKeyThatNeedsARestartAndNoOther) {
  for (const RestartRow& row : kRestartRows) {
    SCOPED_TRACE(row.key);
    Start({});
    const std::size_t body = Source().body_bytes_max;
    Document next;
    next.*row.section = row.line;
    const observe::ReloadReport report = Reloaded(next);
    EXPECT_TRUE(report.applied) << testing::PrintToString(report.errors);
    EXPECT_THAT(report.needs_restart, ElementsAre(row.key));
    EXPECT_THAT(report.changed, IsEmpty());
    EXPECT_EQ(Source().body_bytes_max, body);
    EXPECT_THAT(Reloaded({}).needs_restart, IsEmpty());
  }
}

struct SourceRow {
  std::string key;
  std::string before;  // in the place of the document's source, or added to it
  std::string after;
  std::function<bool(const source::Source&)> in_force;
  std::string changed = {};  // what the report calls it, where that is not the key
};
std::string Stripe(std::string_view line) {
  return Document{}.source + std::string(line) + "\n";
}
template <typename... Parts>
std::string Text(const Parts&... parts) {
  return (std::string(parts) + ...) + "\n";
}

const std::vector<SourceRow> kSourceRows = {
    {"source.name", Stripe(""), "name = \"zoo\"\nkind = \"stripe\"\nsecrets_insecure = [\"whsec_reload\"]\n",
     [](const auto& source) { return source.name == "zoo"; }, "source zoo added"},
    {"source.kind", Stripe(""), "name = \"shop\"\nkind = \"github\"\nsecrets_insecure = [\"whsec_reload\"]\n",
     [](const auto& source) { return source.kind == "github" && source.scheme->event.type_signed == false; }},
    {"source.secrets", Stripe(""), "name = \"shop\"\nkind = \"stripe\"\nsecrets_insecure = [\"another\"]\n",
     [](const auto& source) { return source.secrets == std::vector<std::string>{"another"}; }},
    {"source.certificates", Text(kSns, "[\"certificates\"]"), Text(kSns, "[\"others/key.pem\"]"),
     [](const auto& source) { return source.certificates.size() == 1; }},
    {"source.dedupe_window", Stripe(""), Stripe("dedupe_window = \"1h\""),
     [](const auto& source) { return source.dedupe_window_us == std::int64_t{3600} * 1'000'000; }},
    {"source.tolerance", Stripe(""), Stripe("tolerance = \"7s\""),
     [](const auto& source) { return source.tolerance_s == 7; }},
    {"source.public_url", Text(kTwilio, "\"https://a.example/1\""), Text(kTwilio, "\"https://a.example/2\""),
     [](const auto& source) { return source.public_url == "https://a.example/2"; }},
    {"source.body", Stripe(""), Stripe("body = \"2KiB\""),
     [](const auto& source) { return source.body_bytes_max == 2048; }},
    {"source.quarantine", Stripe(""), Stripe("quarantine = \"8MiB\""),
     [](const auto& source) { return source.quarantine_bytes_max == std::uint64_t{8} << 20; }},
    {"source.on_malformed", Stripe(""), Stripe("on_malformed = \"reject\""),
     [](const auto& source) { return source.reject_malformed; }},
    {"source.on_conflict", Stripe(""), Stripe("on_conflict = \"reject\""),
     [](const auto& source) { return source.on_conflict == source::OnConflict::kReject; }},
    {"source.allow_unsigned_type", Stripe(""), Stripe("allow_unsigned_type = true"),
     [](const auto& source) { return source.allow_unsigned_type; }},
    {"source.parameters", Text(kPaypal, "\"1JE4291016473214C\" }"), Text(kPaypal, "\"2JE4291016473214C\" }"),
     [](const auto& source) { return source.parameters.front().second == "2JE4291016473214C"; }},
    {"source.scheme", Text(kCustom, "{ json = \"/id\" }"),
     Text(kCustom, "{ json = \"/id\" }\nbatch = \"/events\""),
     [](const auto& source) { return source.scheme->event.batch.has_value(); }},
};

TEST_F(ReloadTest, PutsEveryKeyOfASourceInForce) {
  std::ofstream(directory_ / "others/key.pem") << kPublicKey;
  for (const SourceRow& row : kSourceRows) {
    SCOPED_TRACE(row.key);
    Start({.source = row.before});
    EXPECT_FALSE(row.in_force(Source()));
    const observe::ReloadReport report = Reloaded({.source = row.after});
    ASSERT_TRUE(report.applied) << testing::PrintToString(report.errors);
    EXPECT_TRUE(row.in_force(Source()));
    const std::string key = row.key.substr(row.key.find('.') + 1);
    EXPECT_THAT(report.changed,
                Contains(testing::StartsWith(row.changed.empty() ? "source shop: " + key : row.changed)));
    EXPECT_THAT(report.needs_restart, IsEmpty());
  }
}

struct SinkRow {
  std::string key;
  std::string before;
  std::string after;
  std::function<bool(const config::Sink&)> in_force;
  std::string changed = {};
};
std::string Http(std::string_view line) {
  return Document{}.sink + std::string(line) + "\n";
}
std::string File(std::string_view line = {}) {
  return Text("name = \"billing\"\nkind = \"file\"\npath = \"out.ndjson\"\n", line);
}

const std::vector<SinkRow> kSinkRows = {
    {"sink.name", Http(""), "name = \"crm\"\nkind = \"http\"\nurl = \"http://127.0.0.1:9/\"\n",
     [](const auto& sink) { return sink.name == "crm"; }, "sink crm added"},
    {"sink.kind", Http(""), File(), [](const auto& sink) { return sink.kind == config::SinkKind::kFile; }},
    {"sink.concurrency", Http(""), Http("concurrency = 3"),
     [](const auto& sink) { return sink.concurrency == 3; }},
    {"sink.retry.attempts", Http(""), Http("retry.attempts = 3"),
     [](const auto& sink) { return sink.retry.attempts == 3; }},
    {"sink.retry.first", Http(""), Http("retry.first = \"7s\""),
     [](const auto& sink) { return sink.retry.first_ms == 7'000; }},
    {"sink.retry.factor", Http(""), Http("retry.factor = 3"),
     [](const auto& sink) { return sink.retry.factor == 3; }},
    {"sink.retry.max", Http(""), Http("retry.max = \"2h\""),
     [](const auto& sink) { return sink.retry.max_ms == 7'200'000; }},
    {"sink.retry.jitter", Http(""), Http("retry.jitter = 0.5"),
     [](const auto& sink) { return sink.retry.jitter == 0.5; }},
    {"sink.breaker.failures", Http(""), Http("breaker.failures = 3"),
     [](const auto& sink) { return sink.breaker.failures == 3; }},
    {"sink.breaker.open", Http(""), Http("breaker.open = \"7s\""),
     [](const auto& sink) { return sink.breaker.open_ms == 7'000; }},
    {"sink.forward_headers", Http(""), Http("forward_headers = [\"x-acme-*\"]"),
     [](const auto& sink) {
       return !sink.forward.empty() && sink.forward.front().fields == std::vector<std::string>{"x-acme-*"};
     }},
    {"sink.start", Http(""), Http("start = \"beginning\""),
     [](const auto& sink) { return sink.start.at == config::Start::At::kBeginning; }},
    {"sink.url", Http(""), "name = \"billing\"\nkind = \"http\"\nurl = \"http://127.0.0.1:10/\"\n",
     [](const auto& sink) { return sink.url == "http://127.0.0.1:10/"; }},
    {"sink.timeout", Http(""), Http("timeout = \"7s\""),
     [](const auto& sink) { return sink.timeout_ms == 7'000; }},
    {"sink.secret", Http(""), Http("secret_insecure = \"a secret that is long enough\""),
     [](const auto& sink) { return !sink.secrets.empty(); }},
    {"sink.dead_letter_statuses", Http(""), Http("dead_letter_statuses = [418]"),
     [](const auto& sink) { return sink.dead_letter_statuses == std::vector<int>{418}; }},
    {"sink.path", File(), "name = \"billing\"\nkind = \"file\"\npath = \"other.ndjson\"\n",
     [](const auto& sink) { return sink.path.filename() == "other.ndjson"; }},
    {"sink.rotate_size", File(), File("rotate_size = \"4KiB\""),
     [](const auto& sink) { return sink.rotate_bytes == 4096; }},
    {"sink.rotate_age", File(), File("rotate_age = \"7s\""),
     [](const auto& sink) { return sink.rotate_age_s == 7; }},
};

TEST_F(ReloadTest, PutsEveryKeyOfASinkInForce) {
  for (const SinkRow& row : kSinkRows) {
    SCOPED_TRACE(row.key);
    const std::string route = "source = \"*\"\nsink = ";
    Start({.sink = row.before});
    EXPECT_FALSE(row.in_force(Sink()));
    const bool renamed = row.key == "sink.name";
    const observe::ReloadReport report =
        Reloaded({.sink = row.after, .route = route + (renamed ? "\"crm\"\n" : "\"billing\"\n")});
    ASSERT_TRUE(report.applied) << testing::PrintToString(report.errors);
    EXPECT_TRUE(row.in_force(Sink()));
    const std::string key = row.key.substr(row.key.find('.') + 1);
    EXPECT_THAT(report.changed,
                Contains(testing::StartsWith(row.changed.empty() ? "sink billing: " + key : row.changed)));
    EXPECT_THAT(report.needs_restart, IsEmpty());
  }
}

struct RouteRow {
  std::string key;
  std::string after;
  std::function<bool(const config::Config&)> in_force;
};
const std::vector<RouteRow> kRouteRows = {
    {"route.source", "source = \"shop\"\nsink = \"billing\"\n",
     [](const auto& config) { return config.routes.front().source == "shop"; }},
    {"route.sink", "source = \"*\"\nsink = \"crm\"\n",
     [](const auto& config) { return config.routes.front().sink == "crm"; }},
    {"route.types", "source = \"*\"\nsink = \"billing\"\ntypes = [\"invoice.*\"]\n",
     [](const auto& config) { return config.routes.front().types == std::vector<std::string>{"invoice.*"}; }},
};

TEST_F(ReloadTest, PutsEveryKeyOfARouteInForce) {
  const std::string two_sinks =
      Http("\n[[sink]]\nname = \"crm\"\nkind = \"http\"\nurl = \"http://127.0.0.1:9/\"");
  for (const RouteRow& row : kRouteRows) {
    SCOPED_TRACE(row.key);
    Start({.sink = two_sinks});
    EXPECT_FALSE(row.in_force(in_force_));
    const observe::ReloadReport report = Reloaded({.sink = two_sinks, .route = row.after});
    ASSERT_TRUE(report.applied) << testing::PrintToString(report.errors);
    EXPECT_TRUE(row.in_force(in_force_));
    EXPECT_THAT(report.changed, ElementsAre("route[0]." + row.key.substr(row.key.find('.') + 1)));
  }
}

// "server.limits." where the text goes on about [server.limits]; nothing outside the sections.
void FollowHeading(const std::string& line, std::string& section) {
  static const std::regex kSection(R"(^#+ \[+([a-z.]+)\]+$)");
  std::smatch found;
  if (std::regex_search(line, found, kSection)) {
    section = found[1].str() + ".";
  } else if (line.starts_with("## ")) {
    section.clear();
  }
}

TEST(ReloadTable, HasARowForEveryKeyOfTheDocumentation) {
  std::set<std::string> tested;
  for (const auto& row : kRestartRows) tested.insert(row.key);
  for (const auto& row : kSourceRows) tested.insert(row.key);
  for (const auto& row : kSinkRows) tested.insert(row.key);
  for (const auto& row : kRouteRows) tested.insert(row.key);

  std::ifstream text(WEIR_TEST_CASES "/../../docs/configuration.md");
  ASSERT_TRUE(text);
  static const std::regex kRow(R"(^\| `([a-z_.]+)` \|)");
  std::set<std::string> documented;
  std::string section;
  std::smatch found;
  for (std::string line; std::getline(text, line);) {
    FollowHeading(line, section);
    if (!section.empty() && std::regex_search(line, found, kRow)) documented.insert(section + found[1].str());
  }
  EXPECT_EQ(documented, tested);
}

TEST_F(ReloadTest, NamesATokenWhoseValueChangedBesideOtherKeys) {
  const auto put = [&](std::string_view token) {
    std::ofstream(directory_ / "token") << token;
    std::filesystem::permissions(directory_ / "token",
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  };
  put("the first token that is long enough");
  Start({.admin = "token = \"file:token\""});
  put("the second token that is long enough");
  EXPECT_THAT(Reloaded({.server = "threads = 200", .admin = "token = \"file:token\""}).needs_restart,
              ElementsAre("server.threads", "admin.token"));
}

TEST_F(ReloadTest, NamesNoKeyThatOnlySpellsOutItsDefaultBesideOneThatDiffers) {
  Start({});
  EXPECT_THAT(Reloaded({.server = "ack = \"fsync\"\ndrain_timeout = \"3s\""}).needs_restart,
              ElementsAre("server.drain_timeout"));
}

TEST_F(ReloadTest, NamesACertificateWhoseFileChanged) {
  std::ofstream(directory_ / "others/key.pem") << kPublicKey;
  const Document document{.source = Text(kSns, "[\"others\"]")};
  Start(document);
  EXPECT_THAT(Reloaded(document).changed, IsEmpty());
  std::filesystem::rename(directory_ / "others/key.pem", directory_ / "others/renamed.pem");
  EXPECT_THAT(Reloaded(document).changed,
              ElementsAre("source shop: certificates (another value in the same place)"));
}

// Sources and sinks live under the [server] that runs.
TEST_F(ReloadTest, KeepsTheSecretThatASenderHandedOverWhenDataIsToMove) {
  const Document asana{.source = "name = \"shop\"\nkind = \"asana\"\n"};
  ASSERT_TRUE(config::KeepCapturedSecret(directory_ / "data", "shop", "the secret that was handed over"));
  Start(asana);
  ASSERT_EQ(Source().secrets.size(), 1u);
  Document moved = asana;
  moved.server = "data = \"elsewhere\"";
  EXPECT_THAT(Reloaded(moved).needs_restart, ElementsAre("server.data"));
  EXPECT_EQ(Source().secrets.size(), 1u);
}

TEST_F(ReloadTest, RefusesAFileSinkInTheDirectoryThatIsInUse) {
  Start({});
  const observe::ReloadReport report =
      Reloaded({.server = "data = \"elsewhere\"",
                .sink = "name = \"billing\"\nkind = \"file\"\npath = \"data/out\"\n"});
  EXPECT_FALSE(report.applied);
  EXPECT_THAT(report.errors,
              ElementsAre(testing::AllOf(HasSubstr("sink[0].path"), HasSubstr("takes a restart"))));
}

}  // namespace
}  // namespace weir
