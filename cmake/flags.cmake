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
    $<$<CONFIG:RelWithDebInfo>:-U_FORTIFY_SOURCE> $<$<CONFIG:RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
  target_link_options(weir_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
target_compile_definitions(weir_flags INTERFACE _GLIBCXX_ASSERTIONS WEIR_VERSION="${PROJECT_VERSION}")

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
  endif()
  add_library(weir::${name} ALIAS weir_${name})
endfunction()

# weir_test(NAME [THREADED] SOURCES a_test.cc … LINKS weir::http …): one GoogleTest binary a folder, one CTest entry a fact.
function(weir_test name)
  cmake_parse_arguments(ARG "THREADED" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} weir::flags GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE WEIR_TEST_CASES="${PROJECT_SOURCE_DIR}/tests/cases")
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
