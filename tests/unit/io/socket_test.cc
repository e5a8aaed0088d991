#include "engine/io/socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

namespace weir::io {
namespace {

using ::testing::HasSubstr;

TEST(NumericAddress, ReadsBothFamiliesAndWritesThemBack) {
  EXPECT_EQ(NumericAddress("127.0.0.1", 8080)->text(), "127.0.0.1:8080");
  EXPECT_EQ(NumericAddress("::1", 80)->text(), "[::1]:80");
  EXPECT_EQ(NumericAddress("[::1]", 80)->text(), "[::1]:80");
}

TEST(NumericAddress, NeverResolvesAName) {
  const auto address = NumericAddress("localhost", 80);
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error(), "'localhost' is not a numeric IPv4 or IPv6 address");
}

TEST(Listen, SharesItsPortWithTheOtherThreads) {
  const auto first = Listen(*NumericAddress("127.0.0.1", 0), 8);
  ASSERT_TRUE(first) << first.error();
  const auto bound = LocalAddress(first->get());
  ASSERT_TRUE(bound);
  EXPECT_NE(bound->port(), 0);
  EXPECT_TRUE(Listen(*bound, 8));
}

TEST(Listen, GivesNoDelayToWhatItAccepts) {
  const auto listener = Listen(*NumericAddress("127.0.0.1", 0), 8);
  const auto bound = LocalAddress(listener->get());
  const auto client = OpenStream(bound->family());
  ASSERT_EQ(connect(client->get(), bound->get(), bound->length), 0);
  const Descriptor accepted(accept(listener->get(), nullptr, nullptr));
  int on = 0;
  socklen_t size = sizeof on;
  ASSERT_EQ(getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  EXPECT_NE(on, 0);
}

TEST(CheckPortFree, SeesAListenerThatWouldShareItsPort) {
  const auto listener = Listen(*NumericAddress("127.0.0.1", 0), 8);
  const auto bound = LocalAddress(listener->get());
  const auto free = CheckPortFree(*bound);
  ASSERT_FALSE(free);
  EXPECT_THAT(free.error(), HasSubstr(bound->text()));
  EXPECT_THAT(free.error(), HasSubstr("EADDRINUSE"));
  EXPECT_TRUE(CheckPortFree(*NumericAddress("127.0.0.1", 0)));
}

TEST(Listen, NamesTheAddressThatIsNotOurs) {
  const auto listener = Listen(*NumericAddress("192.0.2.1", 0), 8);
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error(), HasSubstr("bind 192.0.2.1:0: EADDRNOTAVAIL"));
}

}  // namespace
}  // namespace weir::io
