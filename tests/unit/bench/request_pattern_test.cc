#include "bench/request_pattern.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::bench {
namespace {

std::string Extracted(const RequestPattern& pattern, const std::string& request) {
  std::string patch(pattern.patch_bytes(), '\0');
  EXPECT_TRUE(pattern.Extract(request, patch.data())) << request;
  return patch;
}

std::string Applied(const RequestPattern& pattern, const std::string& patch, std::string& buffer) {
  return buffer.substr(0, pattern.Apply(patch.data(), buffer.data()));
}

std::string Prepared(const RequestPattern& pattern) {
  std::string buffer(pattern.request_bytes_max(), '\0');
  pattern.Prepare(buffer.data());
  return buffer;
}

const std::vector<std::string> kSamples = {"POST id=1111 a long constant middle sig=aaaa end",
                                           "POST id=2222 a long constant middle sig=bbbb end",
                                           "POST id=3333 a long constant middle sig=cccc end"};

TEST(RequestPattern, KeepsOnlyTheBytesThatDiffer) {
  EXPECT_EQ(RequestPattern::Learn(kSamples).patch_bytes(), 8u);
}

TEST(RequestPattern, TurnsOneRequestIntoAnother) {
  const RequestPattern pattern = RequestPattern::Learn(kSamples);
  std::string buffer = Prepared(pattern);
  for (const std::string request :
       {"POST id=9876 a long constant middle sig=wxyz end", kSamples[0].c_str()}) {
    EXPECT_EQ(Applied(pattern, Extracted(pattern, request), buffer), request);
  }
}

TEST(RequestPattern, RefusesARequestThatDiffersElsewhere) {
  const RequestPattern pattern = RequestPattern::Learn(kSamples);
  std::string patch(pattern.patch_bytes(), '\0');
  EXPECT_FALSE(pattern.Extract("POST id=1111 A long constant middle sig=aaaa end", patch.data()));
  EXPECT_FALSE(pattern.Extract("post id=1111 a long constant middle sig=aaaa end", patch.data()));
  EXPECT_FALSE(pattern.Extract("POST id=1111 a long constant middle sig=aaaa END", patch.data()));
  EXPECT_FALSE(pattern.Extract("POST id=1111 a long constant middle sig=aaaa end.", patch.data()));
}

TEST(RequestPattern, HandlesDifferencesAtBothEnds) {
  const RequestPattern pattern =
      RequestPattern::Learn(std::vector<std::string>{"1 constant in between 1", "2 constant in between 2"});
  std::string buffer = Prepared(pattern);
  EXPECT_EQ(Applied(pattern, Extracted(pattern, "x constant in between y"), buffer),
            "x constant in between y");
}

TEST(RequestPattern, OneSampleNeedsNoPatch) {
  const RequestPattern pattern = RequestPattern::Learn(std::vector<std::string>{"always the same"});
  std::string buffer = Prepared(pattern);
  EXPECT_EQ(pattern.patch_bytes(), 0u);
  EXPECT_EQ(Applied(pattern, "", buffer), "always the same");
}

TEST(RequestPattern, TakesRequestsOfVaryingLengthWhole) {
  const RequestPattern pattern =
      RequestPattern::Learn(std::vector<std::string>{"sig=70 bytes", "sig=seventy-two bytes"});
  std::string buffer = Prepared(pattern);
  for (const std::string request : {"sig=x", "sig=seventy-two bytes and a little more"}) {
    EXPECT_EQ(Applied(pattern, Extracted(pattern, request), buffer), request);
  }
  std::string patch(pattern.patch_bytes(), '\0');
  EXPECT_FALSE(pattern.Extract(std::string(1000, 'x'), patch.data()));
}

}  // namespace
}  // namespace weir::bench
