#include "storage/patient_file_system.h"

#include <rocksdb/file_system.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/owner_only.h"

namespace weir::storage {
namespace {

constexpr std::chrono::milliseconds kBetweenTries{20};

// RocksDB carries an errno as text only.
bool IsShortage(const rocksdb::IOStatus& status) {
  if (!status.IsIOError()) return false;
  const std::string text = status.ToString();
  for (const int error : {EMFILE, ENFILE, ENOMEM}) {
    const char* const words = strerrordesc_np(error);
    if (words != nullptr && text.find(words) != std::string::npos) return true;
  }
  return false;
}

class PatientFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  using Options = rocksdb::FileOptions;
  using Debug = rocksdb::IODebugContext;

  PatientFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target,
                    std::shared_ptr<const std::atomic<bool>> giving_up)
      : FileSystemWrapper(target), giving_up_(std::move(giving_up)) {}

  const char* Name() const override { return "PatientFileSystem"; }

  rocksdb::IOStatus NewSequentialFile(const std::string& name, const Options& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      Debug* debug) override {
    return Try([&] { return target()->NewSequentialFile(name, options, file, debug); });
  }
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name, const Options& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        Debug* debug) override {
    return Try([&] { return target()->NewRandomAccessFile(name, options, file, debug); });
  }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const Options& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file, Debug* debug) override {
    return Try([&] { return target()->NewWritableFile(name, options, file, debug); });
  }
  rocksdb::IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                                      const Options& options, std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      Debug* debug) override {
    return Try([&] { return target()->ReuseWritableFile(name, old_name, options, file, debug); });
  }
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory, Debug* debug) override {
    return Try([&] { return target()->NewDirectory(name, options, directory, debug); });
  }
  rocksdb::IOStatus GetChildren(const std::string& name, const rocksdb::IOOptions& options,
                                std::vector<std::string>* children, Debug* debug) override {
    return Try([&] { return target()->GetChildren(name, options, children, debug); });
  }

 private:
  template <typename Open>
  rocksdb::IOStatus Try(const Open& open) const {
    while (true) {
      rocksdb::IOStatus status = open();
      if (!IsShortage(status) || giving_up_->load(std::memory_order_relaxed)) return status;
      std::this_thread::sleep_for(kBetweenTries);
    }
  }

  std::shared_ptr<const std::atomic<bool>> giving_up_;
};

}  // namespace

PatientFiles::PatientFiles()
    : giving_up_(std::make_shared<std::atomic<bool>>(true)),
      env_(rocksdb::NewCompositeEnv(
          std::make_shared<PatientFileSystem>(OwnerOnlyEnv()->GetFileSystem(), giving_up_))) {}

PatientFiles::~PatientFiles() = default;

}  // namespace weir::storage
