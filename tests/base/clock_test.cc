#include "base/clock.h"

#include <gtest/gtest.h>

#include <concepts>

namespace lh::base {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

template <typename A, typename B>
concept Addable = requires(A a, B b) {
  a + b;
};

// Instants and Durations cannot be mixed up, with each other or with numbers.
static_assert(!Addable<Instant, Instant>);
static_assert(Addable<Instant, Duration>);
static_assert(!std::convertible_to<Duration, Instant>);
static_assert(!std::convertible_to<Instant, Duration>);
static_assert(!std::convertible_to<int64_t, Duration>);
static_assert(!std::convertible_to<int64_t, Instant>);

TEST(DurationTest, unitsAreRelated) {
  EXPECT_EQ(us(1), ns(1000));
  EXPECT_EQ(ms(1), us(1000));
  EXPECT_EQ(seconds(1), ms(1000));
  EXPECT_EQ(seconds(90).ms(), 90'000);
  EXPECT_EQ(ms(1500).us(), 1'500'000);
  EXPECT_DOUBLE_EQ(ms(1500).seconds(), 1.5);
}

TEST(DurationTest, arithmetic) {
  EXPECT_EQ(ms(3) + ms(4), ms(7));
  EXPECT_EQ(ms(3) - ms(4), ns(-1'000'000));
  EXPECT_EQ(ms(3) * 4, ms(12));
  EXPECT_EQ(ms(12) / 4, ms(3));
  EXPECT_LT(ms(3), ms(4));
}

TEST(DurationTest, saturatesInsteadOfWrapping) {
  EXPECT_EQ(seconds(kMax).ns(), kMax);
  EXPECT_EQ(seconds(kMin).ns(), kMin);
  EXPECT_EQ((ns(kMax) + ns(1)).ns(), kMax);
  EXPECT_EQ((ns(kMin) - ns(1)).ns(), kMin);
  EXPECT_EQ((ns(kMin) * -1).ns(), kMax);
}

TEST(InstantTest, differencesAndSums) {
  const Instant start = Instant::from_ns(100);
  EXPECT_EQ(start + ns(5) - start, ns(5));
  EXPECT_EQ(start - ns(5), Instant::from_ns(95));
  EXPECT_LT(start, start + ns(1));
}

TEST(InstantTest, neverStaysNever) {
  EXPECT_EQ(Instant::never() + seconds(1), Instant::never());
  EXPECT_EQ(Instant::never() - seconds(1), Instant::never());
  EXPECT_EQ(Instant::from_ns(kMax - 1) + seconds(1), Instant::never());
  EXPECT_GT(Instant::never(), Instant::from_ns(kMax - 1));
}

TEST(SteadyClockTest, doesNotGoBack) {
  const SteadyClock clock;
  Instant before = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = clock.now();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(ManualClockTest, movesOnlyWhenTold) {
  ManualClock clock(Instant::from_ns(7));
  EXPECT_EQ(clock.now(), Instant::from_ns(7));
  clock.advance(ms(2));
  EXPECT_EQ(clock.now(), Instant::from_ns(2'000'007));
  clock.set(Instant::from_ns(3'000'000));
  EXPECT_EQ(clock.now(), Instant::from_ns(3'000'000));
}

TEST(ManualClockDeathTest, refusesToGoBack) {
  ManualClock clock(Instant::from_ns(7));
  EXPECT_DEATH(clock.set(Instant::from_ns(6)), "does not go back");
}

TEST(WallClockTest, isInThisCentury) {
  constexpr int64_t kYear2020 = 1'577'836'800'000;
  constexpr int64_t kYear2100 = 4'102'444'800'000;
  EXPECT_GT(wall_clock_ms(), kYear2020);
  EXPECT_LT(wall_clock_ms(), kYear2100);
}

}  // namespace
}  // namespace lh::base
