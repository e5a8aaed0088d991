#include "engine/deliver/breaker.h"

#include <gtest/gtest.h>

namespace weir::deliver {
namespace {

using Permit = Breaker::Permit;
using State = Breaker::State;

constexpr config::Breaker kPolicy{.failures = 3, .open_ms = 1'000};

Breaker OpenedAt(std::int64_t now_ms) {
  Breaker breaker(kPolicy);
  for (int i = 0; i < 3; ++i) breaker.OnOutcome(false, now_ms);
  return breaker;
}

TEST(Breaker, LetsEverythingThroughWhileClosed) {
  Breaker breaker(kPolicy);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(breaker.MayStart(0), Permit::kYes);
}

TEST(Breaker, OpensAfterSoManyFailuresInARow) {
  Breaker breaker(kPolicy);
  breaker.OnOutcome(false, 0);
  breaker.OnOutcome(false, 0);
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.OnOutcome(false, 0);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.MayStart(999), Permit::kNo);
}

TEST(Breaker, ASuccessStartsTheCountAgain) {
  Breaker breaker(kPolicy);
  for (int i = 0; i < 100; ++i) {
    breaker.OnOutcome(false, 0);
    breaker.OnOutcome(false, 0);
    breaker.OnOutcome(true, 0);
  }
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(Breaker, LetsExactlyOneProbeThroughAfterItsTime) {
  Breaker breaker = OpenedAt(500);
  EXPECT_EQ(breaker.reopens_at_ms(), 1'500);
  EXPECT_EQ(breaker.MayStart(1'499), Permit::kNo);
  EXPECT_EQ(breaker.MayStart(1'500), Permit::kProbe);
  EXPECT_EQ(breaker.MayStart(1'500), Permit::kNo);
  EXPECT_EQ(breaker.MayStart(1'000'000), Permit::kNo);
}

TEST(Breaker, AskingDoesNotTakeTheProbe) {
  Breaker breaker = OpenedAt(0);
  EXPECT_EQ(breaker.Ask(1'000), Permit::kProbe);
  EXPECT_EQ(breaker.Ask(1'000), Permit::kProbe);
  EXPECT_EQ(breaker.MayStart(1'000), Permit::kProbe);
}

TEST(Breaker, ClosesWhenTheProbeSucceeds) {
  Breaker breaker = OpenedAt(0);
  ASSERT_EQ(breaker.MayStart(1'000), Permit::kProbe);
  breaker.OnProbe(true, 1'010);
  EXPECT_EQ(breaker.MayStart(1'010), Permit::kYes);
  breaker.OnOutcome(false, 1'020);
  breaker.OnOutcome(false, 1'020);
  EXPECT_EQ(breaker.state(), State::kClosed) << "failures from before it opened still counted";
}

TEST(Breaker, ReopensForAFullTurnWhenTheProbeFails) {
  Breaker breaker = OpenedAt(0);
  ASSERT_EQ(breaker.MayStart(1'000), Permit::kProbe);
  breaker.OnProbe(false, 1'300);
  EXPECT_EQ(breaker.MayStart(2'299), Permit::kNo);
  EXPECT_EQ(breaker.MayStart(2'300), Permit::kProbe);
}

TEST(Breaker, OutcomesOfEarlierAttemptsDecideNothingWhileOpen) {
  Breaker breaker = OpenedAt(0);
  breaker.OnOutcome(true, 10);
  EXPECT_EQ(breaker.MayStart(10), Permit::kNo);
  breaker.OnOutcome(false, 900);
  EXPECT_EQ(breaker.MayStart(1'000), Permit::kProbe) << "a late failure must not prolong it";
  breaker.OnOutcome(true, 1'000);
  EXPECT_EQ(breaker.state(), State::kHalfOpen) << "only the probe decides";
}

TEST(Breaker, ReloadKeepsItOpen) {
  Breaker breaker = OpenedAt(0);
  breaker.SetPolicy({.failures = 50, .open_ms = 200});
  EXPECT_EQ(breaker.MayStart(199), Permit::kNo);
  EXPECT_EQ(breaker.MayStart(200), Permit::kProbe);
}

TEST(Breaker, AProbeThatWasNeverMadeIsTheNextAttempt) {
  Breaker breaker = OpenedAt(0);
  EXPECT_EQ(breaker.MayStart(1'000), Permit::kProbe);
  EXPECT_EQ(breaker.MayStart(1'000), Permit::kNo);
  breaker.WithdrawProbe();
  EXPECT_EQ(breaker.MayStart(1'000), Permit::kProbe);
}

}  // namespace
}  // namespace weir::deliver
