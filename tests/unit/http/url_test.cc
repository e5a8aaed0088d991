#include "engine/http/url.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace weir::http {
namespace {

TEST(UrlTest, TakesAPlainUrlApart) {
  const auto url = ParseUrl("http://sink.example:9000/events?a=b");
  ASSERT_TRUE(url.has_value()) << url.error();
  EXPECT_FALSE(url->https);
  EXPECT_EQ(url->host, "sink.example");
  EXPECT_EQ(url->port, 9000);
  EXPECT_EQ(url->target, "/events?a=b");
  EXPECT_EQ(url->authority, "sink.example:9000");
}

TEST(UrlTest, TheSchemesOwnPortStaysOutOfTheHostField) {
  EXPECT_EQ(ParseUrl("http://a")->authority, "a");
  EXPECT_EQ(ParseUrl("http://a:80/")->authority, "a");
  EXPECT_EQ(ParseUrl("http://a:443/")->authority, "a:443");
  EXPECT_EQ(ParseUrl("https://a")->port, 443);
  EXPECT_EQ(ParseUrl("https://a:443")->authority, "a");
  EXPECT_EQ(ParseUrl("https://a:/x")->port, 443);
}

TEST(UrlTest, TargetIsAtLeastASlash) {
  EXPECT_EQ(ParseUrl("http://a")->target, "/");
  EXPECT_EQ(ParseUrl("http://a?x=1")->target, "/?x=1");
  EXPECT_EQ(ParseUrl("http://a/?")->target, "/?");
}

TEST(UrlTest, SchemeAndHostHaveNoCase) {
  const auto url = ParseUrl("HTTPS://Sink.EXAMPLE/Path");
  ASSERT_TRUE(url.has_value());
  EXPECT_TRUE(url->https);
  EXPECT_EQ(url->host, "sink.example");
  EXPECT_EQ(url->target, "/Path");
}

TEST(UrlTest, Ipv6LosesItsBracketsInHostAndKeepsThemInAuthority) {
  const auto url = ParseUrl("http://[::1]:8080/x");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority, "[::1]:8080");
}

class RefusedUrl : public testing::TestWithParam<std::string_view> {};

TEST_P(RefusedUrl, IsRefusedWithAReason) {
  const auto url = ParseUrl(GetParam());
  ASSERT_FALSE(url.has_value()) << url->authority;
  EXPECT_FALSE(url.error().empty());
}

constexpr std::array<std::string_view, 29> kRefused = {
    "",
    "a",
    "/events",
    "//a/events",
    "http:",
    "http:/a",
    "http://",
    "http:///x",
    "http://?x",
    "ftp://a/",
    "file:///etc/passwd",
    "gopher://a:70/_x",
    "http+unix://a/",
    " http://a/",
    "http://a/ b",
    "http://a/\r\nX-Injected: y",
    "http://a/\x01",
    "http://\xc3\xa9.example/",
    "http://user@a/",
    "http://user:secret@a/",
    "http://a@b@c/",
    "http://a\\@b/",
    "http://a/\\b",
    "http://a:0/",
    "http://a:65536/",
    "http://a:80a/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://a/#fragment",
};
INSTANTIATE_TEST_SUITE_P(Forms, RefusedUrl, testing::ValuesIn(kRefused));

TEST(UrlTest, ATargetLongerThanAnyServerTakesIsRefused) {
  EXPECT_TRUE(ParseUrl("http://a/" + std::string(8000, 'x')).has_value());
  EXPECT_FALSE(ParseUrl("http://a/" + std::string(9000, 'x')).has_value());
}

}  // namespace
}  // namespace weir::http
