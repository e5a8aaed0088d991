// A named thread, or the reason why the machine has none to give: std::thread throws, and a process that is at its
// limit of threads (pids.max, ulimit -u) or of address space (ulimit -v) would end for it. The kernel says EAGAIN to both.
#pragma once

#include <pthread.h>

#include <expected>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace weir {

// `name` is at most 15 bytes (pthread_setname_np). `run` takes the stop token of the thread. The error is a sentence.
template <typename Run>
std::expected<std::jthread, std::string> StartThread(const std::string& name, Run run) {
  try {
    return std::jthread([name, run = std::move(run)](const std::stop_token& stop) mutable {
      pthread_setname_np(pthread_self(), name.c_str());
      run(stop);
    });
  } catch (const std::system_error& error) {
    return std::unexpected(
        "no thread \"" + name + "\" can be started: " + error.code().message() +
        "; raise the limit of processes and threads (pids.max, TasksMax=, ulimit -u), or of memory where "
        "that is what is short (ulimit -v)");
  }
}

}  // namespace weir
