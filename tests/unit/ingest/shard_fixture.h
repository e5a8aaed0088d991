// A shard on a port of its own, with what it needs around it, and a client that speaks bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commit/committer.h"
#include "engine/commit/queues.h"
#include "engine/ingest/shard.h"
#include "engine/io/socket.h"
#include "engine/observe/shard_probe.h"
#include "engine/source/signer.h"
#include "storage/event_store.h"

namespace weir::ingest {

struct Answer {
  int status = 0;  // 0: the connection ended before a whole answer
  std::string version;
  std::string head;  // status line and fields
  std::string body;

  // The value of a field, or nullopt.
  std::optional<std::string> Field(std::string_view name) const;
};

// Blocking; gives up after ten seconds, which no test comes near.
class Client {
 public:
  explicit Client(const config::Address& address);

  void Send(std::string_view bytes) const;
  // The next answer, interim ones included. `head_only`: to a HEAD, which has no body whatever its length
  // says.
  Answer Read(bool head_only = false);
  // Nothing more than what was read comes, and the connection ends in order.
  bool Ended();
  void FinishSending() const;
  void Reset();  // closes with RST
  int fd() const { return fd_.get(); }

 private:
  bool Fill();
  io::Descriptor fd_;
  std::string received_;
};

inline constexpr std::string_view kSecret = "a secret of the tests";

// A signed POST of a GitHub event: its id is in a header, so `body` may be anything.
struct Delivery {
  std::string id = "delivery-1";
  std::string type = "push";
  std::string body = R"({"ref":"refs/heads/main"})";
  std::string source = "hooks";
  std::string secret = std::string(kSecret);
  std::string version = "HTTP/1.1";
  std::string extra_fields = {};  // "Name: value\r\n" each
  bool with_length = true;
  bool chunked = false;  // the framing is in `body`; signed_body is what was signed
  std::string signed_body = {};
  std::string Head() const;
  std::string Bytes() const { return Head() + body; }
};

// Sources of kind github but for "slack"; "small" takes bodies of 2 KiB, the others of 4 MiB.
std::shared_ptr<const source::SourceTable> MakeSources(const std::vector<std::string>& names);

class ShardTest : public ::testing::Test {
 protected:
  struct Options {
    config::ServerLimits limits = {};
    config::AckMode ack = config::AckMode::kFsync;
    bool commit = true;  // a real committer over a real store; false: the test takes the committer's part
  };
  ~ShardTest() override;

  void Start() { Start(Options{}); }
  void Start(const Options& options);
  Client Connect() const { return Client(shard_->bound().front()); }

  // The committer's part.
  commit::Append NextAppend();
  bool NothingAppended();
  void Acknowledge(const commit::Append& append, commit::CommitOutcome outcome, storage::Sequence sequence);

  std::uint64_t Rejected(std::string_view source, observe::RejectionCode code) const;

  Gate gate_;
  observe::ShardProbe probe_;
  observe::CommitProbe commit_probe_;
  commit::AppendQueue appends_;
  std::filesystem::path directory_;
  std::unique_ptr<storage::EventStore> store_;
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<commit::Committer> committer_;
};

}  // namespace weir::ingest
