#include "engine/config/address.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

using namespace std::string_literals;

TEST(Address, IsReadAndWrittenAlike) {
  for (const char* text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[::ffff:1.2.3.4]:1"}) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address) << text << ": " << address.error();
    EXPECT_EQ(ToString(*address), text);
  }
}

TEST(Address, KeepsNoBrackets) {
  EXPECT_EQ(ParseAddress("[::1]:80")->host, "::1");
}

TEST(Address, IsRefusedInAnyOtherForm) {
  for (const std::string& text : {""s,
                                  ":"s,
                                  ":80"s,
                                  "80"s,
                                  "127.0.0.1"s,
                                  "127.0.0.1:"s,
                                  "127.0.0.1:-1"s,
                                  "127.0.0.1:+1"s,
                                  "127.0.0.1:65536"s,
                                  "127.0.0.1:80 "s,
                                  " 127.0.0.1:80"s,
                                  "127.1:80"s,
                                  "0x7f.0.0.1:80"s,
                                  "::1:80"s,
                                  "[::1]"s,
                                  "[127.0.0.1]:80"s,
                                  "[::1:80"s,
                                  "[]:80"s,
                                  "localhost:80"s,
                                  "[fe80::1%eth0]:80"s,
                                  "127.0.0.1\0x:80"s}) {
    EXPECT_FALSE(ParseAddress(text)) << text;
  }
}

}  // namespace
}  // namespace weir::config
