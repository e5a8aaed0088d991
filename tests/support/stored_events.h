// Events put into a store as the committer does it: encoded one after the other, committed together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/event_codec.h"
#include "storage/event_store.h"
#include "tests/support/eventually.h"

namespace weir::tests {

struct EncodedEvents {
  std::vector<char> bytes;                     // the records, sealed once they are committed
  std::vector<storage::AppendRecord> records;  // of `bytes`
};

inline EncodedEvents EncodeEvents(std::span<const storage::Event> events, std::int64_t dedupe_window_us) {
  EncodedEvents encoded;
  std::size_t size = 0;
  for (const storage::Event& event : events) size += storage::EncodedSize(event);
  encoded.bytes.resize(size);
  char* at = encoded.bytes.data();
  for (const storage::Event& event : events) {
    storage::Encode(event, at);
    const std::size_t record_size = storage::EncodedSize(event);
    encoded.records.push_back({.record = at, .size = record_size, .dedupe_window_us = dedupe_window_us});
    at += record_size;
  }
  return encoded;
}

// Comes again while the store stalls, as a sender would: small memtables and heads fill faster than they are flushed.
inline storage::StoreResult<std::vector<storage::AppendResult>> Commit(storage::EventStore& store,
                                                                       EncodedEvents& encoded) {
  std::vector<storage::AppendResult> results(encoded.records.size());
  storage::StoreResult<void> committed;
  Eventually([&] {
    committed = store.Commit(encoded.records, results);
    return committed || committed.error().code != storage::StoreErrorCode::kStalled;
  });
  if (!committed) return std::unexpected(committed.error());
  return results;
}

inline storage::StoreResult<std::vector<storage::AppendResult>> CommitEvents(
    storage::EventStore& store, std::span<const storage::Event> events, std::int64_t dedupe_window_us) {
  EncodedEvents encoded = EncodeEvents(events, dedupe_window_us);
  return Commit(store, encoded);
}

}  // namespace weir::tests
