# Every target of ours links weir::flags; nothing else sets compile options.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# RelWithDebInfo keeps frame names for profiles and crash reports; -O2 is what the benchmarks were taken with.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")
set(CMAKE_C_FLAGS_DEBUG "-Og -g1")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

include(CheckPIESupported)
check_pie_supported()

add_library(weir_flags INTERFACE)
add_library(weir::flags ALIAS weir_flags)
target_include_directories(weir_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(weir_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wswitch -Wnon-virtual-dtor -Wold-style-cast
  -fno-omit-frame-pointer)

if(WEIR_SANITIZE)
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WEIR_SANITIZE})
else()
  target_compile_options(weir_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection
    $<$<AND:$<CONFIG:RelWithDebInfo>,$<NOT:$<BOOL:$<TARGET_PROPERTY:WEIR_UNOPTIMIZED>>>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
  target_link_options(weir_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
target_compile_definitions(weir_flags INTERFACE _GLIBCXX_ASSERTIONS WEIR_VERSION="${PROJECT_VERSION}")

# Where a cold build's minutes went: parsing the same standard headers and GoogleTest in each of 390 files, and optimising tests.
# So libraries and tests share a precompiled header each (GCC takes one only under the flags it was made with), and tests,
# which run once, are not optimised. Every file still names what it uses: the fuzz build, which has no such header, is the
# proof of that.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(WEIR_PRECOMPILE ON)
endif()
set(WEIR_STANDARD_HEADERS
  <algorithm> <array> <atomic> <chrono> <cstdint> <cstring> <expected> <filesystem> <fstream> <functional> <map> <memory>
  <mutex> <optional> <span> <sstream> <string> <string_view> <thread> <utility> <variant> <vector>)

function(weir_unoptimized name)
  set_target_properties(${name} PROPERTIES WEIR_UNOPTIMIZED ON)
  if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(${name} PRIVATE -O0)
  endif()
endfunction()

# weir_precompiled(NAME [TEST] HEADERS <a.h> … LINKS …): the standard headers and these, for others to reuse.
function(weir_precompiled name)
  cmake_parse_arguments(ARG "TEST" "" "LINKS;HEADERS" ${ARGN})
  if(NOT WEIR_PRECOMPILE)
    return()
  endif()
  set(source ${PROJECT_BINARY_DIR}/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "int main() { return 0; }\n")
  if(ARG_TEST)  # compiled as a program is, with -fPIE
    add_executable(${name} ${source})
    weir_unoptimized(${name})
  else()
    add_library(${name} OBJECT ${source})
  endif()
  target_link_libraries(${name} PRIVATE weir::flags ${ARG_LINKS})
  target_precompile_headers(${name} PRIVATE ${WEIR_STANDARD_HEADERS} ${ARG_HEADERS})
endfunction()

if(WEIR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# weir_library(NAME SOURCES a.cc … LINKS public … PRIVATE_LINKS private …): one library a folder, every edge written down.
function(weir_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  if(NOT ARG_SOURCES)  # headers only
    add_library(weir_${name} INTERFACE)
    target_link_libraries(weir_${name} INTERFACE weir::flags ${ARG_LINKS})
  else()
    add_library(weir_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(weir_${name} PUBLIC weir::flags ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
    if(WEIR_PRECOMPILE)
      if("nlohmann_json::nlohmann_json" IN_LIST ARG_PRIVATE_LINKS)
        target_precompile_headers(weir_${name} REUSE_FROM weir_precompiled_json)
      else()
        target_precompile_headers(weir_${name} REUSE_FROM weir_precompiled)
      endif()
    endif()
  endif()
  add_library(weir::${name} ALIAS weir_${name})
endfunction()

# weir_test(NAME [THREADED] SOURCES a_test.cc … LINKS weir::http …): one GoogleTest binary a folder, one CTest entry a fact.
function(weir_test name)
  cmake_parse_arguments(ARG "THREADED" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} weir::flags GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE WEIR_TEST_CASES="${PROJECT_SOURCE_DIR}/tests/cases")
  weir_unoptimized(${name})
  if(WEIR_PRECOMPILE)
    target_precompile_headers(${name} REUSE_FROM weir_precompiled_test)
  endif()
  set(properties TIMEOUT 120)
  if(ARG_THREADED)  # runs again under the thread sanitizer
    set_property(GLOBAL APPEND PROPERTY WEIR_THREADED_TESTS ${name})
    list(APPEND properties LABELS threaded)
  endif()
  if(WEIR_SANITIZE MATCHES thread)  # with history enough to name the library that the other access was in
    list(APPEND properties ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp:history_size=7")
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()
include(GoogleTest)
