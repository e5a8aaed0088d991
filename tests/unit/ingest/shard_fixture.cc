#include "tests/unit/ingest/shard_fixture.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "engine/http/request.h"
#include "engine/source/kinds.h"
#include "tests/support/temp_directory.h"

namespace weir::ingest {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::size_t kSmallBodyMax = 2048;

source::Source MakeSource(const std::string& name, std::uint32_t index) {
  const bool slack = name == "slack";
  source::Source source;
  source.name = name;
  source.kind = slack ? "slack" : "github";
  source.scheme = source::FindKind(source.kind)->scheme;
  source.secrets = {std::string(kSecret)};
  source.dedupe_window_us = std::int64_t{7} * 86'400 * 1'000'000;
  source.body_bytes_max = name == "small" ? kSmallBodyMax : std::size_t{4} << 20;
  source.index = index;
  source.secrets_epoch = index + 1;
  return source;
}

}  // namespace

std::optional<std::string> Answer::Field(std::string_view name) const {
  std::size_t begin = head.find("\r\n") + 2;
  while (begin < head.size()) {
    const std::size_t end = head.find("\r\n", begin);
    const std::string line = head.substr(begin, end - begin);
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos && http::EqualsIgnoreCase(line.substr(0, colon), name)) {
      return line.substr(colon + 2);
    }
    if (end == std::string::npos) break;
    begin = end + 2;
  }
  return std::nullopt;
}

Client::Client(const config::Address& address) {
  const auto target = io::NumericAddress(address.host, address.port);
  fd_ = std::move(*io::OpenStream(target->family()));
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  EXPECT_EQ(connect(fd_.get(), target->get(), target->length), 0) << errno;
}

void Client::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server may have closed: what it said is what counts
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Client::Fill() {
  std::array<char, 65536> bytes;
  const ssize_t count = recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  received_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

Answer Client::Read(bool head_only) {
  Answer answer;
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return answer;
  }
  answer.head = received_.substr(0, end + 2);
  answer.version = answer.head.substr(0, 8);
  const auto length = answer.Field("Content-Length");
  const std::size_t body = length && !head_only ? std::strtoul(length->c_str(), nullptr, 10) : 0;
  while (received_.size() < end + 4 + body) {
    if (!Fill()) return answer;
  }
  answer.body = received_.substr(end + 4, body);
  answer.status = std::atoi(answer.head.c_str() + 9);
  received_.erase(0, end + 4 + body);
  return answer;
}

bool Client::Ended() {
  if (!received_.empty()) return false;
  char byte = 0;
  return recv(fd_.get(), &byte, 1, 0) == 0;
}

void Client::FinishSending() const {
  shutdown(fd_.get(), SHUT_WR);
}

void Client::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.Reset();
}

std::string Delivery::Head() const {
  const std::string& what = signed_body.empty() ? body : signed_body;
  const auto fields = source::Sign(
      *source::FindKind("github")->scheme,
      {.secret = secret, .body = what, .at_unix_s = std::time(nullptr), .id = id, .type = type, .url = {}});
  EXPECT_TRUE(fields);
  std::string head = "POST /webhooks/" + source + " " + version + "\r\nHost: 127.0.0.1\r\n";
  for (const auto& [name, value] : *fields) head.append(name).append(": ").append(value).append("\r\n");
  if (chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (with_length) {
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return head + extra_fields + "\r\n";
}

std::shared_ptr<const source::SourceTable> MakeSources(const std::vector<std::string>& names) {
  std::vector<source::Source> sources;
  sources.reserve(names.size());
  for (const std::string& name : names) {
    sources.push_back(MakeSource(name, static_cast<std::uint32_t>(sources.size())));
  }
  return std::make_shared<const source::SourceTable>(std::move(sources));
}

void ShardTest::Start(const Options& options) {
  auto shard = Shard::Create({.index = 0,
                              .listen = {{.host = "127.0.0.1", .port = 0}},
                              .limits = options.limits,
                              .ack = options.ack,
                              .sources = MakeSources({"hooks", "small", "slack"}),
                              .appends = appends_,
                              .gate = gate_,
                              .probe = probe_,
                              .seed = 0x1000});
  ASSERT_TRUE(shard) << shard.error();
  shard_ = std::move(*shard);
  if (options.commit) {
    directory_ = tests::MakeTempDirectory();
    auto store = storage::EventStore::Open({.directory = directory_ / "store"});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    committer_ = std::make_unique<commit::Committer>(commit::Committer::Wiring{.store = *store_,
                                                                               .appends = appends_,
                                                                               .shards = {&shard_->acks()},
                                                                               .probe = commit_probe_,
                                                                               .on_failure = {}});
    ASSERT_TRUE(committer_->Start());
  }
  const auto started = shard_->Start();
  ASSERT_TRUE(started) << started.error();
}

ShardTest::~ShardTest() {
  if (shard_ != nullptr) shard_->Stop(0);
  committer_.reset();
  shard_.reset();
  store_.reset();
  if (!directory_.empty()) std::filesystem::remove_all(directory_);
}

commit::Append ShardTest::NextAppend() {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  commit::Append append;
  while (appends_.Pop(std::span(&append, 1)) == 0) {
    if (std::chrono::steady_clock::now() > give_up) {
      ADD_FAILURE() << "the shard handed nothing over";
      break;
    }
    std::this_thread::yield();
  }
  return append;
}

bool ShardTest::NothingAppended() {
  return appends_.waiting() == 0;
}

void ShardTest::Acknowledge(const commit::Append& append, commit::CommitOutcome outcome,
                            storage::Sequence sequence) {
  const commit::EventResult result{.outcome = outcome, .sequence = sequence};
  commit::Committed committed{.ticket = append.ticket,
                              .unavailable = outcome == commit::CommitOutcome::kUnavailable,
                              .rests_on = sequence,
                              .first = result,
                              .further = std::vector(append.record_count - 1u, result)};
  shard_->acks().Push(std::span(&committed, 1));
}

std::uint64_t ShardTest::Rejected(std::string_view source, observe::RejectionCode code) const {
  for (std::size_t i = 0; i < probe_.source_count(); ++i) {
    if (probe_.source(i).source == source) {
      return probe_.source(i).rejected[static_cast<std::size_t>(code)].value();
    }
  }
  return 0;
}

}  // namespace weir::ingest
