// What is called like the copy that an open makes of the files it finds (found_copy.h).
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class FoundCopies : public StoreTest {
 protected:
  void CrashAfterTwenty() {
    Open();
    Fill(20);
    Crash();
  }
};

TEST_F(FoundCopies, PutsBackWhatAnOpenWithoutAVerdictLeftBehind) {
  CrashAfterTwenty();
  // An open that died after its copy was complete and after RocksDB had begun to change things.
  std::filesystem::rename(Database(), options.directory / "store.found");
  std::filesystem::copy_file(options.directory / "high-water",
                             options.directory / "store.found" / "high-water.found");
  std::filesystem::create_directory(Database());
  Write(Database() / "CURRENT", "nonsense");
  Open();
  EXPECT_EQ(Ids().size(), 20u);
  EXPECT_FALSE(std::filesystem::exists(options.directory / "store.found"));
}

// Whatever else is called so; the store is removed only for what says that it is of this state of it.
TEST_F(FoundCopies, SetsAsideWhatIsNoCopyOfIts) {
  CrashAfterTwenty();
  const std::filesystem::path found = options.directory / "store.found";
  const std::filesystem::path older = options.directory / "older";
  CopyAll(Database(), older);
  const std::function<void()> impostors[] = {
      [&] { std::filesystem::create_directory(found); },
      [&] { Write(found, ""); },
      [&] { Write(found, "junk"); },
      [&] { std::filesystem::create_directory_symlink(older, found); },
      [&] {
        std::filesystem::create_directory(found);
        Write(found / "CURRENT", "MANIFEST-000001\n");
      },
      [&] {
        std::filesystem::create_directory(found);
        std::filesystem::copy_file(options.directory / "high-water", found / "high-water.found");
      },
      [&] { CopyAll(older, found); },
  };
  int n = 0;
  for (const auto& put : impostors) {
    SCOPED_TRACE(++n);
    store.reset();
    put();
    Open();
    EXPECT_EQ(Ids().size(), 20u);
    EXPECT_TRUE(std::filesystem::exists(
        std::filesystem::symlink_status(options.directory / ("store.stale." + std::to_string(n)))));
  }
}

TEST_F(FoundCopies, IgnoresACopyThatWasNeverCompleted) {
  CrashAfterTwenty();
  std::filesystem::create_directory(options.directory / "store.linking");
  Write(options.directory / "store.linking" / "CURRENT", "nonsense");
  Open();
  EXPECT_EQ(Ids().size(), 20u);
}

}  // namespace
}  // namespace weir::storage
