// The shard's path allocates nothing a request: once a source's secrets are keyed, verifying and reading an
// event touches the heap neither by way of C++ nor by way of OpenSSL.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "engine/source/scheme.h"
#include "tests/unit/source/support.h"

namespace {
std::size_t allocations = 0;

void* CountedMalloc(std::size_t size, const char* /*file*/, int /*line*/) {
  ++allocations;
  return std::malloc(size);
}
void* CountedRealloc(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
  ++allocations;
  return std::realloc(block, size);
}
void CountedFree(void* block, const char* /*file*/, int /*line*/) {
  std::free(block);
}

// OpenSSL takes other functions only before it has allocated anything.
const bool counted = CRYPTO_set_mem_functions(CountedMalloc, CountedRealloc, CountedFree) == 1;
}  // namespace

// Not inlined: GCC would see free() meet a pointer from operator new and take the pair for a mistake.
// NOLINTBEGIN(clang-analyzer-cplusplus.NewDelete): the analyzer takes free() here for a second deallocation.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t /*size*/) noexcept {
  std::free(block);
}
// NOLINTEND(clang-analyzer-cplusplus.NewDelete)

namespace weir::source {
namespace {

class AllocationOf : public testing::TestWithParam<const char*> {};

SourceTable TableOf(const char* kind) {
  std::vector<Source> sources;
  const bool base64 = FindKind(kind)->scheme->proofs.front().key.text == KeyText::kBase64;
  sources.push_back(
      SourceOf(kind, {base64 ? "whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXktMzJieXRl" : "secret"}));
  return SourceTable(std::move(sources));
}

TEST_P(AllocationOf, VerifyingARequestTouchesNoHeap) {
  ASSERT_TRUE(counted);
  const SourceTable table = TableOf(GetParam());
  const Source& source = table.sources().front();
  OwnedRequest good = Signed(source, SampleBody(*source.scheme, "evt_1", "a.b", kNowS, 1024));
  OwnedRequest bad = good;
  bad.body.back() = ' ';
  const http::Request& right = good.View();
  const http::Request& wrong = bad.View();
  Verifier verifier(1);
  ASSERT_EQ(AnswerOf(verifier.Verify(source, right, kNowUs)), "accepted");
  ASSERT_EQ(AnswerOf(verifier.Verify(source, wrong, kNowUs)), "invalid_signature");

  bool as_expected = true;
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) {
    as_expected = as_expected && std::holds_alternative<Accepted>(verifier.Verify(source, right, kNowUs));
    as_expected = as_expected && std::holds_alternative<Rejected>(verifier.Verify(source, wrong, kNowUs));
  }
  EXPECT_EQ(allocations, before);
  EXPECT_TRUE(as_expected);
}

INSTANTIATE_TEST_SUITE_P(Hmac, AllocationOf,
                         testing::Values("stripe", "github", "shopify", "slack", "svix", "zoom", "vercel",
                                         "workos", "hubspot", "gitlab"));

}  // namespace
}  // namespace weir::source
