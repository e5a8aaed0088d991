# Everything here is a Debian 12 package; tools/bootstrap installs them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(simdjson REQUIRED)
find_package(RocksDB REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)

find_path(CONCURRENTQUEUE_INCLUDE concurrentqueue/concurrentqueue.h REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
find_path(CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
find_path(HTTPLIB_INCLUDE httplib.h REQUIRED)
find_library(HTTPLIB_LIBRARY cpp-httplib REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(nlohmann_json REQUIRED)

add_library(weir_httplib INTERFACE)
add_library(weir::httplib ALIAS weir_httplib)
target_include_directories(weir_httplib SYSTEM INTERFACE ${HTTPLIB_INCLUDE})
# The classes of httplib.h change size with these three; Debian's library is compiled with all of them (cpp-httplib.pc), and a
# program compiled without them corrupts its memory on the first request.
target_compile_definitions(weir_httplib INTERFACE
  CPPHTTPLIB_OPENSSL_SUPPORT CPPHTTPLIB_ZLIB_SUPPORT CPPHTTPLIB_BROTLI_SUPPORT)
target_link_libraries(weir_httplib INTERFACE ${HTTPLIB_LIBRARY} OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

# The second reader of what engine/http takes; only tests link it. Debian ships llhttp as generated C sources in
# node-llhttp. Strict mode is not the default of 8.1: without it, CR-only
# header ends and bytes after "Connection: close" are accepted (CVE-2023-30589, CVE-2025-23167).
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp REQUIRED)
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp REQUIRED)
add_library(weir_llhttp STATIC ${LLHTTP_SOURCE}/llhttp.c ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c)
add_library(weir::llhttp ALIAS weir_llhttp)
target_include_directories(weir_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
target_compile_definitions(weir_llhttp PUBLIC LLHTTP_STRICT_MODE=1)

# toml++ checks its own grammar with assert, and one of them is wrong: "[{" aborts a build without NDEBUG, where the check two
# lines further makes it a parse error like any other.
add_library(weir_toml INTERFACE)
add_library(weir::toml ALIAS weir_toml)
target_include_directories(weir_toml SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE})
target_compile_options(weir_toml INTERFACE "-DTOML_ASSERT(expr)=static_cast<void>(0)")
