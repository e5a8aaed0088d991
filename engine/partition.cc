#include "engine/partition.h"

#include <utility>

#include "storage/check.h"

namespace weir {

std::expected<std::unique_ptr<Partition>, std::string> Partition::Open(const storage::StoreOptions& options) {
  auto opened = storage::EventStore::Open(options);
  if (!opened) return std::unexpected(opened.error().message);
  return std::unique_ptr<Partition>(new Partition(*std::move(opened)));
}

void Partition::Connect(std::vector<commit::AckQueue*> answers,
                        std::function<void(const storage::StoreError&)> on_failure) {
  WEIR_CHECK(committer_ == nullptr);
  committer_ =
      std::make_unique<commit::Committer>(commit::Committer::Wiring{.store = *store_,
                                                                    .appends = appends_,
                                                                    .shards = std::move(answers),
                                                                    .probe = probe_,
                                                                    .on_failure = std::move(on_failure)});
}

std::expected<void, std::string> Partition::Start() {
  WEIR_CHECK(committer_ != nullptr);
  return committer_->Start();
}

void Partition::SetTails(std::vector<commit::TailQueue*> tails) {
  WEIR_CHECK(committer_ != nullptr);
  committer_->SetTails(std::move(tails));
}

void Partition::Stop() {
  if (committer_) committer_->Stop();
}

}  // namespace weir
