#include "storage/salvage.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "storage/event_codec.h"

namespace weir::storage {
namespace {

constexpr std::size_t kWindowBytes = 1u << 20;
constexpr std::size_t kSectorBytes = 4096;

// A file that is read past what the disk cannot read: that is zeros.
class PatientFile {
 public:
  PatientFile(Disk& disk, const std::filesystem::path& path) {
    auto file = disk.Open(path, Disk::Access::kRead);
    if (!file) return;
    file_ = *std::move(file);
    size_ = file_->Size().value_or(0);
  }

  std::uint64_t size() const { return size_; }
  std::string Read(std::uint64_t at, std::size_t bytes) const {
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_ - std::min(at, size_)));
    std::string read(bytes, '\0');
    if (bytes > 0 && !file_->ReadAt(at, read)) ReadSectors(at, read);
    return read;
  }

 private:
  void ReadSectors(std::uint64_t at, std::string& into) const {
    for (std::size_t done = 0; done < into.size(); done += kSectorBytes) {
      const std::span<char> sector(into.data() + done, std::min(kSectorBytes, into.size() - done));
      if (!file_->ReadAt(at + done, sector)) std::ranges::fill(sector, '\0');
    }
  }

  std::unique_ptr<DiskFile> file_;
  std::uint64_t size_ = 0;
};

}  // namespace

StoreResult<void> VisitRecords(
    Disk& disk, const std::filesystem::path& table,
    const std::function<StoreResult<void>(Sequence sequence, std::string_view record)>& visit) {
  const PatientFile file(disk, table);
  for (const Salvage::Place& place : Salvage::Scan(disk, table)) {
    const std::string record = file.Read(place.offset, place.bytes);
    if (record.size() != place.bytes || !Decode(record)) continue;
    if (auto visited = visit(place.sequence, record); !visited) return visited;
  }
  return {};
}

std::optional<Salvage::Found> Salvage::Find(Sequence sequence) {
  const auto table = TableOf(sequence);
  if (!table) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  if (table_ != *table) {
    places_ = Scan(rocks_.disk(), *table);
    table_ = *table;
  }
  const auto at = std::ranges::lower_bound(places_, sequence, {}, &Place::sequence);
  for (auto place = at; place != places_.end() && place->sequence == sequence; ++place) {
    Found found{.record = PatientFile(rocks_.disk(), table_).Read(place->offset, place->bytes),
                .whole = false};
    if (found.record.size() != place->bytes) continue;
    found.whole = Decode(found.record).has_value();
    return found;
  }
  return std::nullopt;
}

std::optional<std::filesystem::path> Salvage::TableOf(Sequence sequence) const {
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks_.db().GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.column_family_name != rocks_.family(Family::kEvents)->GetName()) continue;
    const auto first = ParseSequenceKey(file.smallestkey);
    const auto last = ParseSequenceKey(file.largestkey);
    if (first && last && *first <= sequence && sequence <= *last) return file.db_path + file.name;
  }
  return std::nullopt;
}

// What is found is passed as a whole: the body of a record that is known is not looked into.
std::vector<Salvage::Place> Salvage::Scan(Disk& disk, const std::filesystem::path& table) {
  const PatientFile file(disk, table);
  std::vector<Place> places;
  std::string window;
  std::uint64_t window_at = 0;
  for (std::uint64_t at = 0; at + kRecordHeaderBytes <= file.size();) {
    if (at < window_at || at + kRecordHeaderBytes > window_at + window.size()) {
      window_at = at;
      window = file.Read(at, kWindowBytes);
    }
    const std::string_view header =
        std::string_view(window).substr(static_cast<std::size_t>(at - window_at), kRecordHeaderBytes);
    const auto sequence = SealedSequence(header);
    const std::uint64_t bytes = sequence ? RecordSize(window.data() + (at - window_at)) : 0;
    if (!sequence || bytes > file.size() - at) {
      ++at;
      continue;
    }
    places.push_back({.sequence = *sequence,
                      .offset = at,
                      .bytes = static_cast<std::uint32_t>(bytes),
                      .check = CheckOf(header),
                      .previous = PreviousCheckOf(header)});
    at += bytes;
  }
  std::ranges::stable_sort(places, {}, &Place::sequence);
  std::vector<Place> linked;
  std::ranges::copy_if(places, std::back_inserter(linked),
                       [&](const Place& place) { return Linked(places, place); });
  return linked;
}

bool Salvage::Linked(const std::vector<Place>& places, const Place& place) {
  const auto before = std::ranges::equal_range(places, place.sequence - 1, {}, &Place::sequence);
  const auto after = std::ranges::equal_range(places, place.sequence + 1, {}, &Place::sequence);
  return std::ranges::any_of(before, [&](const Place& other) { return other.check == place.previous; }) ||
         std::ranges::any_of(after, [&](const Place& other) { return other.previous == place.check; });
}

}  // namespace weir::storage
