#include "storage/table_check.h"

#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "storage/rocks.h"

namespace weir::storage {
namespace {

// What is wrong with it; empty: nothing.
struct State {
  std::string what;
  bool lacks_bytes = false;
};

State Look(const Disk& disk, const std::filesystem::path& file, rocksdb::Env* env, std::uint64_t bytes) {
  if (!Exists(disk, file)) return {.what = "is missing", .lacks_bytes = true};
  if (BytesOf(disk, file) != bytes) return {.what = "is not of its size", .lacks_bytes = true};
  rocksdb::Options options;
  options.env = env;
  rocksdb::SstFileReader reader(options);
  if (!reader.Open(file.string()).ok()) return {.what = "is damaged"};
  const std::uint64_t made_under = MadeUnder(*reader.GetTableProperties());
  if (made_under == 0 || made_under == TableNumberOf(file)) return {};
  return {.what = "is a copy of table " + std::to_string(made_under), .lacks_bytes = true};
}

}  // namespace

std::string Describe(const BrokenTable& table) {
  std::string text =
      table.name + " " + table.state + " (" + kFamilyNames[static_cast<std::size_t>(table.family)];
  if (table.family == Family::kEvents) {
    text += " " + std::to_string(ParseSequenceKey(table.first_key).value_or(kNoSequence)) + ".." +
            std::to_string(ParseSequenceKey(table.last_key).value_or(kNoSequence));
  }
  return text + ")";
}

std::uint64_t TableNumberOf(const std::filesystem::path& table) {
  const std::string stem = table.stem().string();
  std::uint64_t number = 0;
  std::from_chars(stem.data(), stem.data() + stem.size(), number);
  return number;
}

std::uint64_t MadeUnder(const rocksdb::TableProperties& properties) {
  return properties.orig_file_number;
}

std::vector<BrokenTable> FindBrokenTables(const Disk& disk, const std::filesystem::path& folder,
                                          rocksdb::Env* env,
                                          std::span<const rocksdb::LiveFileMetaData> tables,
                                          const std::function<bool(Family family)>& wanted) {
  std::vector<BrokenTable> broken;
  for (const rocksdb::LiveFileMetaData& table : tables) {
    const auto family =
        static_cast<Family>(std::ranges::find(kFamilyNames, table.column_family_name) - kFamilyNames.begin());
    if (!wanted(family)) continue;
    std::string name = table.name.substr(table.name.starts_with('/') ? 1 : 0);
    State state = Look(disk, folder / name, env, table.size);
    if (state.what.empty()) continue;
    broken.push_back({.name = std::move(name),
                      .family = family,
                      .state = std::move(state.what),
                      .first_key = table.smallestkey,
                      .last_key = table.largestkey,
                      .lacks_bytes = state.lacks_bytes});
  }
  return broken;
}

}  // namespace weir::storage
