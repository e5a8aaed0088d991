// Assertions for mistakes only our own code can make. On in every build: each costs a compare, a wrong ack
// costs an event. Anything a sender, a sink, a disk or a configuration file can cause is a value
// (std::expected), never a check.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace weir {

[[noreturn]] inline void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace weir

#define WEIR_CHECK(expression)                        \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::weir::CheckFailed(#expression, __FILE__, __LINE__))
