#include "storage/second_copy.h"

#include <rocksdb/options.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "storage/check.h"

namespace weir::storage {
namespace {

constexpr std::size_t kBatchBytes = 1u << 20;

std::optional<Family> FamilyOf(const Rocks& rocks, std::uint32_t id) {
  for (const Family family : kKeptTwice) {
    if (rocks.family(family)->GetID() == id) return family;
  }
  return std::nullopt;
}

const char* NameOf(Family family) {
  return kFamilyNames[static_cast<std::size_t>(family)];
}

// A batch grows while nobody reads it: what is to be added is collected first.
class Collector final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Collector(const Rocks& rocks) : rocks_(rocks) {}

  rocksdb::Status PutCF(std::uint32_t id, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    if (const auto family = FamilyOf(rocks_, id)) {
      Note();
      return copies_.Put(rocks_.family(Family::kCopies), CopyKey(*family, ToView(key)), value);
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t id, const rocksdb::Slice& key) override {
    if (const auto family = FamilyOf(rocks_, id)) {
      Note();
      return copies_.Delete(rocks_.family(Family::kCopies), CopyKey(*family, ToView(key)));
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t id, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    if (const auto family = FamilyOf(rocks_, id)) {
      Note();
      return copies_.DeleteRange(rocks_.family(Family::kCopies), CopyKey(*family, ToView(begin)),
                                 CopyKey(*family, ToView(end)));
    }
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice&) override {}

  bool any() const { return any_; }
  rocksdb::WriteBatch& copies() { return copies_; }

 private:
  void Note() { any_ = true; }

  const Rocks& rocks_;
  rocksdb::WriteBatch copies_;
  bool any_ = false;
};

// Into a batch of any size, row by row.
class Appender final : public rocksdb::WriteBatch::Handler {
 public:
  Appender(rocksdb::WriteBatch& to, rocksdb::ColumnFamilyHandle* family) : to_(to), family_(family) {}
  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    return to_.Put(family_, key, value);
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
    return to_.Delete(family_, key);
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    return to_.DeleteRange(family_, begin, end);
  }
  void LogData(const rocksdb::Slice&) override {}

 private:
  rocksdb::WriteBatch& to_;
  rocksdb::ColumnFamilyHandle* family_;
};

std::unique_ptr<rocksdb::Iterator> Scan(Rocks& rocks, Family family) {
  rocksdb::ReadOptions read = InOrder();
  read.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>(rocks.db().NewIterator(read, rocks.family(family)));
}

// Side by side, as far as they go.
struct Comparison {
  bool first_readable = true;
  bool second_readable = true;
  bool same = true;
};
StoreResult<Comparison> Compare(Rocks& rocks, Family family) {
  const auto first = Scan(rocks, family);
  const auto second = Scan(rocks, Family::kCopies);
  const std::string prefix = CopyKey(family, "");
  first->SeekToFirst();
  second->Seek(prefix);
  const auto in_second = [&] { return second->Valid() && second->key().starts_with(prefix); };
  Comparison comparison;
  while (first->Valid() || in_second()) {
    comparison.same = comparison.same && first->Valid() && in_second() &&
                      ToView(first->key()) == OriginalKey(ToView(second->key())) &&
                      first->value() == second->value();
    if (first->Valid()) first->Next();
    if (in_second()) second->Next();
  }
  for (const auto& rows : {&first, &second}) {
    const rocksdb::Status status = (*rows)->status();
    if (!status.ok() && !status.IsCorruption()) return std::unexpected(ErrorFrom(status, "to read"));
  }
  comparison.first_readable = first->status().ok();
  comparison.second_readable = second->status().ok();
  return comparison;
}

// Past the door: these rows are one of two copies already.
class Rewriter {
 public:
  Rewriter(Rocks& rocks, Family to) : rocks_(rocks), to_(to) {}
  StoreResult<void> Put(std::string_view key, const rocksdb::Slice& value) {
    batch_.Put(rocks_.family(to_), ToSlice(key), value);
    return batch_.GetDataSize() < kBatchBytes ? StoreResult<void>{} : Flush();
  }
  StoreResult<void> Flush() {
    auto written = rocks_.WriteAsIs({}, batch_, "to make a family anew");
    batch_.Clear();
    return written;
  }

 private:
  Rocks& rocks_;
  Family to_;
  rocksdb::WriteBatch batch_;
};

StoreResult<void> MakeFirst(Rocks& rocks, Family family) {
  if (auto reset = rocks.Reset(family); !reset) return reset;
  Rewriter to(rocks, family);
  const auto rows = Scan(rocks, Family::kCopies);
  const std::string prefix = CopyKey(family, "");
  for (rows->Seek(prefix); rows->Valid() && rows->key().starts_with(prefix); rows->Next()) {
    if (auto put = to.Put(OriginalKey(ToView(rows->key())), rows->value()); !put) return put;
  }
  if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read the second copies"));
  return to.Flush();
}

StoreResult<void> MakeCopies(Rocks& rocks) {
  if (auto reset = rocks.Reset(Family::kCopies); !reset) return reset;
  Rewriter to(rocks, Family::kCopies);
  for (const Family family : kKeptTwice) {
    const auto rows = Scan(rocks, family);
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      if (auto put = to.Put(CopyKey(family, ToView(rows->key())), rows->value()); !put) return put;
    }
    if (!rows->status().ok()) return std::unexpected(ErrorFrom(rows->status(), "to read"));
  }
  return to.Flush();
}

}  // namespace

bool IsKeptTwice(Family family) {
  return std::ranges::find(kKeptTwice, family) != kKeptTwice.end();
}

std::string CopyKey(Family family, std::string_view key) {
  std::string copy(1, static_cast<char>('0' + static_cast<int>(family)));
  return copy.append(key);
}

std::string_view OriginalKey(std::string_view copy_key) {
  return copy_key.substr(1);
}

rocksdb::Status AddSecondCopies(const Rocks& rocks, rocksdb::WriteBatch& updates) {
  Collector collector(rocks);
  if (const auto collected = updates.Iterate(&collector); !collected.ok()) return collected;
  if (!collector.any()) return rocksdb::Status::OK();
  Appender appender(updates, rocks.family(Family::kCopies));
  return collector.copies().Iterate(&appender);
}

StoreResult<std::vector<std::string>> ReconcileCopies(Rocks& rocks, const std::set<Family>& incomplete) {
  std::vector<std::string> made;
  bool copies_differ = incomplete.contains(Family::kCopies);
  for (const Family family : kKeptTwice) {
    const auto compared = Compare(rocks, family);
    if (!compared) return std::unexpected(compared.error());
    const bool first_fit = compared->first_readable && !incomplete.contains(family);
    const bool second_fit = compared->second_readable && !incomplete.contains(Family::kCopies);
    if (!first_fit && second_fit) {
      if (auto anew = MakeFirst(rocks, family); !anew) return std::unexpected(anew.error());
      made.push_back(std::string("what the store keeps as ") + NameOf(family) +
                     " was damaged and is made again from its second copy: nothing is lost");
      continue;
    }
    if (!compared->first_readable) {
      return std::unexpected(StoreError{
          StoreErrorCode::kCorruption,
          std::string("both copies of what the store keeps as ") + NameOf(family) + " are damaged"});
    }
    copies_differ = copies_differ || !second_fit || !compared->same;
  }
  if (copies_differ) {
    if (auto anew = MakeCopies(rocks); !anew) return std::unexpected(anew.error());
    made.emplace_back("the second copies of what the store keeps twice are made again");
  }
  if (!made.empty()) {
    if (auto synced = rocks.SyncLog("to make a family anew"); !synced) return std::unexpected(synced.error());
  }
  return made;
}

StoreResult<std::vector<std::string>> FindCopiesThatDiffer(Rocks& rocks) {
  std::vector<std::string> differences;
  for (const Family family : kKeptTwice) {
    const auto compared = Compare(rocks, family);
    if (!compared) return std::unexpected(compared.error());
    const bool any = compared->first_readable || compared->second_readable;
    if (compared->same && compared->first_readable && compared->second_readable) continue;
    const std::string what = std::string("what the store keeps as ") + NameOf(family);
    if (!any) {
      differences.push_back("both copies of " + what + " are damaged");
    } else if (!compared->first_readable || !compared->second_readable) {
      differences.push_back("one copy of " + what +
                            " is damaged; the other is whole, and the next start makes both the same");
    } else {
      differences.push_back("the two copies of " + what + " differ; the next start goes by the first");
    }
  }
  return differences;
}

}  // namespace weir::storage
