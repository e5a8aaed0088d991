// Assertions for mistakes only our own code can make. On in every build: each costs a compare, a wrong ack
// costs an event. Anything a sender, a sink, a disk or a configuration file can cause is a value
// (std::expected), never a check.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir {

[[noreturn]] inline void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
  std::abort();
}

template <typename T>
std::string ShownInCheck(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_pointer_v<T>) {
    return value == nullptr ? "null" : "not null";
  } else {
    return std::string(std::string_view(value));
  }
}

template <typename A, typename B>
[[noreturn, gnu::noinline]] void CheckFailed(const char* expression, const A& a, const B& b, const char* file,
                                             int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s, with %s and %s\n", file, line, expression,
               ShownInCheck(a).c_str(), ShownInCheck(b).c_str());
  std::abort();
}

}  // namespace weir

#define WEIR_CHECK(expression)                        \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::weir::CheckFailed(#expression, __FILE__, __LINE__))

// These print both values.
#define WEIR_CHECK_THAT(a, is, b)                                                   \
  do {                                                                              \
    const auto& check_a = (a);                                                      \
    const auto& check_b = (b);                                                      \
    if (!__builtin_expect(static_cast<bool>(check_a is check_b), 1))                \
      ::weir::CheckFailed(#a " " #is " " #b, check_a, check_b, __FILE__, __LINE__); \
  } while (false)
#define WEIR_CHECK_EQ(a, b) WEIR_CHECK_THAT(a, ==, b)
#define WEIR_CHECK_LT(a, b) WEIR_CHECK_THAT(a, <, b)
#define WEIR_CHECK_LE(a, b) WEIR_CHECK_THAT(a, <=, b)
#define WEIR_CHECK_GT(a, b) WEIR_CHECK_THAT(a, >, b)
#define WEIR_CHECK_GE(a, b) WEIR_CHECK_THAT(a, >=, b)
