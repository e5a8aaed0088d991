// Every row of tests/cases/identity: two requests that a sender may make, and how many events the store has afterwards.
// `then` is a merge patch (RFC 7396) over `first`. Every kind has a pair of one event sent again as its sender does it,
// and one of two events that share what its sender shares. The signature is taken for proven.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/ingest/stored_event.h"
#include "engine/limits.h"
#include "engine/source/event_reader.h"
#include "engine/source/kinds.h"
#include "storage/event_store.h"
#include "tests/support/stored_events.h"
#include "tests/support/temp_directory.h"

namespace weir::ingest {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kNowUs = 1'767'225'600'000'000;

struct Case {
  std::string kind;
  Json row;
};

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  const std::filesystem::path folder = std::filesystem::path(WEIR_TEST_CASES) / "identity";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);)
      cases.push_back({entry.path().stem(), Json::parse(line)});
  }
  return cases;
}

// A request that owns its bytes.
class Made {
 public:
  explicit Made(const Json& said) : method_(said.value("method", "POST")), query_(said.value("query", "")) {
    const Json& body = said["body"];
    body_ = body.is_string() ? body.get<std::string>() : body.dump();
    const std::size_t size = body_.size();
    body_.append(limits::kJsonPaddingBytes, '\0');
    if (said.contains("headers")) {
      for (const auto& [name, value] : said["headers"].items()) headers_.emplace_back(name, value);
    }
    request_.method = method_ == "GET" ? http::Method::kGet : http::Method::kPost;
    request_.method_text = method_;
    request_.query = query_;
    request_.body = std::string_view(body_).substr(0, size);
    for (const auto& [name, value] : headers_) request_.field_storage[request_.field_count++] = {name, value};
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() = default;

  const http::Request& request() const { return request_; }

 private:
  std::string method_;
  std::string query_;
  std::string body_;
  std::vector<std::pair<std::string, std::string>> headers_;
  http::Request request_;
};

const source::Proof& ProofOf(const source::Scheme& scheme, const std::string& name) {
  const auto found = std::ranges::find(scheme.proofs, name, &source::Proof::name);
  return found == scheme.proofs.end() ? scheme.proofs.front() : *found;
}

class IdentityCases : public testing::Test {
 protected:
  IdentityCases() {
    storage::StoreOptions options;
    options.directory = directory_;
    options.sync = false;
    auto opened = storage::EventStore::Open(options);
    EXPECT_TRUE(opened);
    store_ = *std::move(opened);
  }

  ~IdentityCases() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // How many events of the request were new.
  std::uint64_t Commit(const source::Source& source, const Json& said, const std::string& proof) {
    const Made made(said);
    source::RequestValues values;
    values.Begin(made.request());
    if (said.contains("claims")) {
      for (const auto& [name, value] : said["claims"].items()) values.claims().emplace_back(name, value);
    }
    values.UsePayloadField(source.scheme->event.payload_form_field);
    std::uint64_t stored = 0;
    for (const source::VerifiedEvent& event : reader_.Read(source, ProofOf(*source.scheme, proof), values)) {
      EXPECT_EQ(event.malformed, "") << said;
      const std::vector<storage::Event> whole = {ToStored(event, source.name, "", kNowUs)};
      const auto results = tests::CommitEvents(*store_, whole, std::int64_t{3'600'000'000});
      EXPECT_TRUE(results);
      if (results && results->front().outcome == storage::AppendOutcome::kStored) ++stored;
    }
    return stored;
  }

  const std::filesystem::path directory_ = tests::MakeTempDirectory();
  std::unique_ptr<storage::EventStore> store_;
  source::EventReader reader_{7};
};

TEST_F(IdentityCases, StoreWhatTheirSenderMeans) {
  unsigned number = 0;
  for (const auto& [kind, row] : AllCases()) {
    const source::Kind* found = source::FindKind(kind);
    ASSERT_NE(found, nullptr) << kind;
    source::Source source;
    source.name = "case" + std::to_string(number++);
    source.scheme = found->scheme;
    source.on_conflict = found->scheme->event.on_conflict;
    Json second = row["first"];
    second.merge_patch(row["then"]);
    const std::string proof = row.value("proof", "");
    EXPECT_EQ(Commit(source, row["first"], proof) + Commit(source, second, proof),
              row["stored"].get<unsigned>())
        << kind << ": " << row["case"];
  }
  EXPECT_GE(number, 140U);
}

TEST_F(IdentityCases, CoverEveryKindBothWays) {
  std::map<std::string, std::pair<bool, bool>> pairs;
  for (const auto& [kind, row] : AllCases()) {
    const bool again = row["pair"] == "again";
    // What is stored twice although it is sent again says why.
    EXPECT_TRUE(!again || row["stored"] == 1 || row.contains("why")) << kind << ": " << row["case"];
    (again ? pairs[kind].first : pairs[kind].second) = true;
  }
  for (const source::Kind& kind : source::Kinds()) {
    EXPECT_EQ(pairs[kind.name], std::pair(true, true)) << kind.name;
  }
}

}  // namespace
}  // namespace weir::ingest
