// How long this disk takes to make a small append durable, which is what every durable acknowledgement waits
// for. Appends and syncs one record at a time, as a write-ahead log with one event a group would.
//
//   fdatasync_probe --directory DIR [--count N] [--bytes N]
//
// Prints one JSON object; times are milliseconds.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "bench/clock.h"
#include "bench/latency_histogram.h"

namespace {

// Empty on success, else the call that failed.
std::string Probe(int fd, std::size_t count, std::size_t bytes, weir::bench::LatencyHistogram& times) {
  const std::vector<char> record(bytes, 'x');
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t from_ns = weir::bench::MonotonicNow_ns();
    if (::write(fd, record.data(), record.size()) != static_cast<ssize_t>(record.size())) return "write";
    if (::fdatasync(fd) != 0) return "fdatasync";
    times.Record(weir::bench::MonotonicNow_ns() - from_ns);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures a small durable append on the disk that holds a directory.", "fdatasync_probe");
  app.footer("Example:\n  fdatasync_probe --directory /var/lib/weir --count 2000");
  std::string directory;
  std::size_t count = 1000;
  std::size_t bytes = 1024;
  app.add_option("--directory", directory, "where to write the probe's file; it is removed again")
      ->required();
  app.add_option("--count", count, "appends")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--bytes", bytes, "of each append")->check(CLI::Range(1, 16 << 20))->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const std::string path = directory + "/fdatasync_probe." + std::to_string(::getpid());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), std::generic_category().message(errno).c_str());
    return 2;
  }
  weir::bench::LatencyHistogram times;
  const std::string failed = Probe(fd, count, bytes, times);
  const int error = errno;
  ::close(fd);
  ::unlink(path.c_str());
  if (!failed.empty()) {
    std::fprintf(stderr, "%s: %s: %s\n", path.c_str(), failed.c_str(),
                 std::generic_category().message(error).c_str());
    return 1;
  }
  std::printf(R"({"count": %zu, "bytes": %zu, "p50": %.4f, "p90": %.4f, "p99": %.4f, "max": %.4f})"
              "\n",
              count, bytes, static_cast<double>(times.ValueAt(0.5)) / 1e6,
              static_cast<double>(times.ValueAt(0.9)) / 1e6, static_cast<double>(times.ValueAt(0.99)) / 1e6,
              static_cast<double>(times.max()) / 1e6);
  return 0;
}
