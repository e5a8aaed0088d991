// Waiting for another thread without sleeping, and not for ever: a fact that never comes true is a failure with a name, not a
// test that is killed.
#pragma once

#include <chrono>
#include <thread>

namespace weir::tests {

inline constexpr std::chrono::seconds kEventually{30};

// Whether `condition` came true within kEventually.
template <typename Condition>
bool Eventually(Condition&& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kEventually;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace weir::tests
