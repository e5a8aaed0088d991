// The committer over a real store and real queues.
#include "engine/commit/committer.h"

#include <gtest/gtest.h>

#include <barrier>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "storage/event_codec.h"
#include "tests/support/eventually.h"
#include "tests/support/faulty_disk.h"
#include "tests/support/stored_events.h"
#include "tests/support/temp_directory.h"

namespace weir::commit {
namespace {

constexpr std::int64_t kWeekUs = std::int64_t{7} * 24 * 3600 * 1'000'000;

struct Wanted {
  std::string id;
  std::string body = "{}";
};

// A request's append, encoded into a slab of its own.
Append MakeAppend(const std::vector<Wanted>& events, Ticket ticket, std::uint16_t shard = 0) {
  std::vector<storage::Event> made;
  for (const Wanted& wanted : events) {
    storage::Event& event = made.emplace_back();
    event.received_at_us = storage::ReadClocks().unix_us;  // the committer tells the store the time
    event.source = "shop";
    event.id = wanted.id;
    event.body = wanted.body;
  }
  const tests::EncodedEvents encoded = tests::EncodeEvents(made, kWeekUs);
  const std::size_t bytes = encoded.bytes.size();
  Append append;
  append.ticket = ticket;
  append.shard = shard;
  append.record_count = static_cast<std::uint16_t>(events.size());
  append.first_record_bytes = static_cast<std::uint32_t>(encoded.records.front().size);
  append.dedupe_window_us = kWeekUs;
  append.slab = std::make_shared<Slab>(bytes);
  append.records = append.slab->Reserve(bytes);
  append.bytes = static_cast<std::uint32_t>(bytes);
  std::memcpy(append.records, encoded.bytes.data(), bytes);
  return append;
}

class CommitterTest : public testing::Test {
 protected:
  static constexpr std::size_t kShards = 2;

  CommitterTest() {
    options_.directory = tests::MakeTempDirectory();
    options_.disk = disk_;
  }
  ~CommitterTest() override {
    committer_.reset();
    store_.reset();
    std::filesystem::remove_all(options_.directory);
  }

  void Start() {
    OpenStore();
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      wakes_.push_back(std::make_unique<io::EventfdWake>());
      acks_.push_back(std::make_unique<AckQueue>(*wakes_.back()));
    }
    committer_ = std::make_unique<Committer>(Committer::Wiring{
        .store = *store_,
        .appends = appends_,
        .shards = {acks_[0].get(), acks_[1].get()},
        .probe = probe_,
        .on_failure = [this](const storage::StoreError&) { ++failures_; },
    });
    ASSERT_TRUE(committer_->Start());
  }
  void OpenStore() {
    auto opened = storage::EventStore::Open(options_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  void Push(Append append) {
    auto producer = appends_.MakeProducer();
    ASSERT_TRUE(appends_.TryPush(producer, {&append, 1}));
  }
  // The next ack of a shard; waits for it.
  Committed NextAck(std::size_t shard = 0) {
    Committed ack;
    const bool came = tests::Eventually([&] { return acks_[shard]->Pop({&ack, 1}) == 1; });
    if (!came) throw std::runtime_error("no ack came");  // ends the test as failed
    return ack;
  }
  Committed CommitOne(const Wanted& event) {
    Push(MakeAppend({event}, {}));
    return NextAck();
  }

  const std::shared_ptr<tests::FaultyDisk> disk_ = std::make_shared<tests::FaultyDisk>();
  storage::StoreOptions options_;
  std::unique_ptr<storage::EventStore> store_;
  AppendQueue appends_;
  std::vector<std::unique_ptr<io::EventfdWake>> wakes_;
  std::vector<std::unique_ptr<AckQueue>> acks_;
  observe::CommitProbe probe_;
  std::atomic<int> failures_{0};
  std::unique_ptr<Committer> committer_;
};

TEST_F(CommitterTest, AcksAStoredEventToTheShardAndTicketThatHandedItIn) {
  Start();
  Push(MakeAppend({{.id = "a"}}, {.slot = 7, .generation = 3, .request = 2}, 1));
  const Committed ack = NextAck(1);
  EXPECT_EQ(ack.ticket.slot, 7u);
  EXPECT_EQ(ack.ticket.generation, 3u);
  EXPECT_EQ(ack.ticket.request, 2u);
  EXPECT_EQ(ack.first.outcome, CommitOutcome::kStored);
  EXPECT_EQ(ack.first.sequence, 1u);
  EXPECT_EQ(ack.rests_on, 1u);
  EXPECT_EQ(store_->last_sequence(), 1u);
}

TEST_F(CommitterTest, AnswersADuplicateWithTheFirstSequence) {
  Start();
  CommitOne({.id = "a"});
  CommitOne({.id = "b"});
  const Committed ack = CommitOne({.id = "a"});
  EXPECT_EQ(ack.first.outcome, CommitOutcome::kDuplicate);
  EXPECT_EQ(ack.first.sequence, 1u);
  EXPECT_EQ(ack.rests_on, 1u);
}

TEST_F(CommitterTest, TellsAConflictFromADuplicate) {
  Start();
  CommitOne({.id = "a", .body = "1"});
  EXPECT_EQ(CommitOne({.id = "a", .body = "2"}).first.outcome, CommitOutcome::kConflict);
  EXPECT_EQ(probe_.conflicts.value(), 1u);
}

TEST_F(CommitterTest, SaysWhatBecameOfEachEventOfARequest) {
  Start();
  CommitOne({.id = "a"});
  Push(MakeAppend({{.id = "x"}, {.id = "a"}, {.id = "y"}, {.id = "x"}}, {}));
  const Committed ack = NextAck();
  EXPECT_EQ(ack.first.outcome, CommitOutcome::kStored);
  EXPECT_EQ(ack.first.sequence, 2u);
  ASSERT_EQ(ack.further.size(), 3u);
  EXPECT_EQ(ack.further[0].outcome, CommitOutcome::kDuplicate);
  EXPECT_EQ(ack.further[0].sequence, 1u);
  EXPECT_EQ(ack.further[1].outcome, CommitOutcome::kStored);
  EXPECT_EQ(ack.further[1].sequence, 3u);
  EXPECT_EQ(ack.rests_on, 3u) << "the largest of them";
  EXPECT_EQ(ack.Count(CommitOutcome::kStored), 2u);
  EXPECT_EQ(ack.Count(CommitOutcome::kDuplicate), 2u);
  EXPECT_EQ(store_->last_sequence(), 3u);
}

TEST_F(CommitterTest, AcksAShardsRequestsInTheOrderItHandedThemIn) {
  Start();
  std::vector<Append> batch;
  batch.reserve(300);
  for (std::uint32_t i = 0; i < 300; ++i)
    batch.push_back(MakeAppend({{.id = std::to_string(i)}}, {.slot = i}));
  auto producer = appends_.MakeProducer();
  ASSERT_TRUE(appends_.TryPush(producer, batch));
  for (std::uint32_t i = 0; i < 300; ++i) {
    const Committed ack = NextAck();
    ASSERT_EQ(ack.ticket.slot, i);
    ASSERT_EQ(ack.first.sequence, i + 1);
  }
}

TEST_F(CommitterTest, StoresOneOfManyThatRaceAndAcksNoneBeforeItIsDurable) {
  Start();
  constexpr int kProducers = 64;
  constexpr int kRounds = 20;
  std::barrier start(kProducers);
  std::vector<std::thread> producers;
  producers.reserve(kProducers);
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      auto producer = appends_.MakeProducer();
      for (int round = 0; round < kRounds; ++round) {
        Append append = MakeAppend({{.id = std::to_string(round)}}, {}, static_cast<std::uint16_t>(p % 2));
        start.arrive_and_wait();
        EXPECT_TRUE(appends_.TryPush(producer, {&append, 1}));
      }
    });
  }
  std::vector<int> stored(kRounds + 1);
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    for (int i = 0; i < kProducers * kRounds / 2; ++i) {
      const Committed ack = NextAck(shard);
      ASSERT_LE(ack.first.sequence, store_->last_sequence()) << "acked before it was durable";
      ASSERT_GT(ack.first.sequence, 0u);
      if (ack.first.outcome == CommitOutcome::kStored) ++stored[ack.first.sequence];
    }
  }
  for (std::thread& producer : producers) producer.join();
  for (int round = 1; round <= kRounds; ++round) EXPECT_EQ(stored[static_cast<std::size_t>(round)], 1);
  EXPECT_EQ(store_->last_sequence(), static_cast<storage::Sequence>(kRounds));
  EXPECT_EQ(probe_.stored.value(), static_cast<std::uint64_t>(kRounds));
}

TEST_F(CommitterTest, OffersNewEventsAndOnlyThoseToDelivery) {
  io::EventfdWake wake;
  TailQueue tail(wake);
  Start();
  committer_->SetTails({&tail});
  CommitOne({.id = "a"});
  CommitOne({.id = "a"});
  Push(MakeAppend({{.id = "b"}, {.id = "a"}, {.id = "c"}}, {}));
  NextAck();
  committer_->Stop();
  std::vector<std::string> ids;
  storage::Sequence expected = 1;
  while (const auto group = tail.Pop()) {
    for (std::size_t i = 0; i < group->records.size(); ++i) {
      const storage::Event event = storage::Peek(group->records[i].bytes, group->records[i].size);
      EXPECT_EQ(event.sequence, expected++);
      EXPECT_EQ(event.sequence, group->first + i);
      ids.emplace_back(event.id);
    }
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(CommitterTest, LeavesATailAloneThatWasTakenAway) {
  io::EventfdWake wake;
  TailQueue tail(wake);
  Start();
  committer_->SetTails({&tail});
  CommitOne({.id = "a"});
  committer_->SetTails({});
  CommitOne({.id = "b"});
  committer_->Stop();
  ASSERT_NE(tail.Pop(), nullptr);
  EXPECT_EQ(tail.Pop(), nullptr);
}

TEST_F(CommitterTest, CommitsWhatIsQueuedBeforeItStops) {
  Start();
  std::vector<Append> batch;
  batch.reserve(5000);
  for (int i = 0; i < 5000; ++i) batch.push_back(MakeAppend({{.id = std::to_string(i)}}, {}));
  auto producer = appends_.MakeProducer();
  ASSERT_TRUE(appends_.TryPush(producer, batch));
  committer_->Stop();
  EXPECT_EQ(store_->last_sequence(), 5000u);
}

TEST_F(CommitterTest, SplitsWhatExceedsAGroupByBytes) {
  Start();
  const std::string half(limits::kCommitGroupBytesMax / 2, 'b');
  std::vector<Append> batch;
  batch.reserve(4);
  for (int i = 0; i < 4; ++i) batch.push_back(MakeAppend({{.id = std::to_string(i), .body = half}}, {}));
  auto producer = appends_.MakeProducer();
  ASSERT_TRUE(appends_.TryPush(producer, batch));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(NextAck().first.outcome, CommitOutcome::kStored);
  EXPECT_EQ(store_->last_sequence(), 4u);
  EXPECT_EQ(probe_.batch_events.bucket(1), 4u) << "no two of them fit one group";
}

TEST_F(CommitterTest, AcksNothingAfterAFailedSyncAndSaysSoOnce) {
  Start();
  EXPECT_EQ(CommitOne({.id = "a"}).first.outcome, CommitOutcome::kStored);
  disk_->FailSyncs(".log", 1);
  EXPECT_EQ(CommitOne({.id = "b"}).first.outcome, CommitOutcome::kUnavailable);
  // The disk would say yes again, and must not be asked.
  EXPECT_EQ(CommitOne({.id = "c"}).first.outcome, CommitOutcome::kUnavailable);
  EXPECT_EQ(CommitOne({.id = "a"}).first.outcome, CommitOutcome::kUnavailable);
  EXPECT_EQ(failures_, 1);
  EXPECT_EQ(store_->last_sequence(), 1u);
  EXPECT_EQ(probe_.unavailable.value(), 3u);
}

TEST_F(CommitterTest, AnEventWhoseSyncFailedIsStoredOnceWhenItComesAgain) {
  Start();
  disk_->FailSyncs(".log", 1);
  EXPECT_EQ(CommitOne({.id = "a"}).first.outcome, CommitOutcome::kUnavailable);
  committer_.reset();
  store_.reset();
  OpenStore();
  Append again = MakeAppend({{.id = "a"}}, {});
  storage::AppendRecord record{.record = again.records, .size = again.bytes, .dedupe_window_us = kWeekUs};
  storage::AppendResult result{};
  ASSERT_TRUE(store_->Commit({&record, 1}, {&result, 1}));
  EXPECT_EQ(result.sequence, 1u);
  EXPECT_EQ(store_->last_sequence(), 1u);
}

TEST_F(CommitterTest, TurnsEventsAwayWhileTheStoreStallsAndGoesOnAfterwards) {
  options_.memtable_bytes = 1u << 20;
  Start();
  disk_->HoldSyncs(".sst");
  const std::string body(100'000, 'b');
  std::vector<std::string> refused;
  for (int i = 0; refused.empty() && i < 1000; ++i) {
    const std::string id = "evt_" + std::to_string(i);
    if (CommitOne({.id = id, .body = body}).first.outcome == CommitOutcome::kUnavailable)
      refused.push_back(id);
  }
  ASSERT_FALSE(refused.empty());
  const storage::Sequence before = store_->last_sequence();
  disk_->ReleaseSyncs();
  Committed again;
  ASSERT_TRUE(tests::Eventually([&] {
    again = CommitOne({.id = refused[0], .body = body});
    return again.first.outcome != CommitOutcome::kUnavailable;
  }));
  EXPECT_EQ(again.first.outcome, CommitOutcome::kStored);
  EXPECT_EQ(again.first.sequence, before + 1);
  EXPECT_EQ(failures_, 0);
}

TEST(AppendQueueTest, RefusesMoreThanItsBoundAndTakesMoreOnceDrained) {
  AppendQueue queue;
  auto producer = queue.MakeProducer();
  std::vector<Append> many(limits::kCommitQueueEvents);
  ASSERT_TRUE(queue.TryPush(producer, many));
  Append one;
  EXPECT_FALSE(queue.TryPush(producer, {&one, 1}));
  std::vector<Append> out(10);
  ASSERT_EQ(queue.Pop(out), 10u);
  EXPECT_TRUE(queue.TryPush(producer, {&one, 1}));
  EXPECT_EQ(queue.waiting(), static_cast<std::int64_t>(limits::kCommitQueueEvents) - 9);
}

TEST(TailQueueTest, DropsGroupsPastItsBoundAndTakesMoreOnceDrained) {
  io::EventfdWake wake;
  TailQueue queue(wake);
  const auto group = std::make_shared<const CommittedGroup>();
  for (std::size_t i = 0; i < limits::kTailGroups + 5; ++i) queue.Offer(group);
  std::size_t taken = 0;
  while (queue.Pop()) ++taken;
  EXPECT_EQ(taken, limits::kTailGroups);
  queue.Offer(group);
  EXPECT_NE(queue.Pop(), nullptr);
}

}  // namespace
}  // namespace weir::commit
