#include "storage/log_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "storage/bytes.h"
#include "tests/unit/storage/store_fixture.h"

namespace weir::storage {
namespace {

class LogFiles : public StoreTest {
 protected:
  // The beginning of a log whose first batch has this number, and `bytes` behind it.
  static std::string LogFrom(std::uint64_t sequence, std::size_t bytes) {
    std::string log(15, '\0');
    log[6] = 1;
    StoreLittle(log.data() + 7, sequence);
    return log + std::string(bytes, 'x');
  }
  void Put(const char* name, const std::string& log) const { Write(Database() / name, log); }
  std::string Get(const char* name) const { return Read(Database() / name); }
  void ClearLogs() const {
    for (const auto& log : DatabaseFiles(".log")) std::filesystem::remove(log);
  }
};

TEST_F(LogFiles, ThatChangedPlacesGetTheirNumbersBack) {
  ClearLogs();
  Put("000010.log", LogFrom(70, 1));
  Put("000012.log", LogFrom(20, 2));
  Put("000014.log", LogFrom(90, 3));
  EXPECT_FALSE(CheckLogOrder(*disk, Database()));
  ASSERT_TRUE(PutLogsInOrder(*disk, Database()));
  EXPECT_TRUE(CheckLogOrder(*disk, Database()));
  EXPECT_EQ(Get("000010.log"), LogFrom(20, 2));
  EXPECT_EQ(Get("000012.log"), LogFrom(70, 1));
  EXPECT_EQ(Get("000014.log"), LogFrom(90, 3));
}

TEST_F(LogFiles, OfTwoThatBeginAlikeTheLongerKeepsTheLargestNumber) {
  ClearLogs();
  Put("000001.log", LogFrom(20, 9));
  Put("000012.log", LogFrom(20, 2));
  ASSERT_TRUE(PutLogsInOrder(*disk, Database()));
  EXPECT_EQ(DatabaseFiles(".log").size(), 1u);
  EXPECT_EQ(Get("000012.log"), LogFrom(20, 9));
}

TEST_F(LogFiles, AreWholeAsTheyWereWrittenAndWithoutTheirLastRecordsEnd) {
  options.memtable_bytes = 64u << 20;
  Open();
  Fill(300, "evt_", 500);
  Crash();
  const auto log = DatabaseFiles(".log").back();
  EXPECT_TRUE(LogsAreWhole(*OnWalDisk(options), Database()));
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 5000);
  EXPECT_TRUE(LogsAreWhole(*OnWalDisk(options), Database()));
}

TEST_F(LogFiles, AreNotWholeWithAByteChangedAnywhere) {
  options.memtable_bytes = 64u << 20;
  Open();
  Fill(300, "evt_", 500);
  Crash();
  const auto log = DatabaseFiles(".log").back();
  const std::string sound = Read(log);
  for (std::size_t at = 0; at + 500 < sound.size(); at += sound.size() / 40) {
    SCOPED_TRACE(at);
    FlipByte(log, at);
    EXPECT_FALSE(LogsAreWhole(*disk, Database()));
    Write(log, sound);
  }
}

}  // namespace
}  // namespace weir::storage
