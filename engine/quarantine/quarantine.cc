#include "engine/quarantine/quarantine.h"

#include <new>
#include <utility>

#include "engine/observe/log.h"
#include "storage/check.h"
#include "storage/memory_shortage.h"
#include "storage/start_thread.h"

namespace weir::quarantine {

namespace {

std::expected<Shelf::Added, std::string> AddTo(Shelf& shelf, const Entry* entry, std::uint64_t bound_bytes) {
  try {
    const MayLackMemory here;
    return shelf.Add(*entry, bound_bytes);
  } catch (const std::bad_alloc&) {
    return std::unexpected("there is no memory to write them with");
  }
}

}  // namespace

Quarantine::~Quarantine() {
  Stop();
}

std::expected<void, std::string> Quarantine::Start() {
  WEIR_CHECK(!thread_.joinable());
  auto started = StartThread("quarantine", [this](const std::stop_token&) { Run(); });
  if (!started) return std::unexpected(started.error());
  thread_ = std::move(*started);
  return {};
}

void Quarantine::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_seq_cst);
  wake_.Notify();
  thread_.join();
}

bool Quarantine::Offer(std::unique_ptr<Entry> entry, std::uint64_t bound_bytes) {
  const auto bytes = static_cast<std::int64_t>(entry->bytes() + sizeof(Entry));
  if (waiting_bytes_.load(std::memory_order_relaxed) >= kQueueBytesMax) {
    probe_.overflowed.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  queue_.enqueue({.entry = std::move(entry), .bound_bytes = bound_bytes});
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  wake_.Notify();
  return true;
}

void Quarantine::Run() {
  Item item;
  while (true) {
    if (queue_.try_dequeue(item)) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      waiting_bytes_.fetch_sub(static_cast<std::int64_t>(item.entry->bytes() + sizeof(Entry)),
                               std::memory_order_relaxed);
      Write(item);
      item = {};
      continue;
    }
    wake_.PrepareWait();
    if (waiting_.load(std::memory_order_seq_cst) > 0) {
      wake_.CancelWait();
    } else if (stopping_.load(std::memory_order_seq_cst)) {
      return;
    } else {
      wake_.Wait();
    }
  }
}

void Quarantine::Write(const Item& item) {
  if (!storable_.load(std::memory_order_relaxed)) return probe_.unwritten.Add();
  const auto added = AddTo(shelf_, item.entry.get(), item.bound_bytes);
  if (!added) {
    probe_.unwritten.Add();
    if (!std::exchange(complained_, true)) {
      observe::log::Warn("quarantine: refused requests are not kept", {{"reason", added.error()}});
    }
    return;
  }
  if (std::exchange(complained_, false)) observe::log::Info("quarantine: refused requests are kept again");
  (added->kept ? probe_.kept : probe_.unwritten).Add();
  probe_.evicted.Add(added->evicted);
}

}  // namespace weir::quarantine
