#include "base/prng.h"

#include <gtest/gtest.h>

#include <array>

namespace lh::base {
namespace {

// Reference outputs of the authors' C code.
TEST(PrngTest, splitmix64Vectors) {
  uint64_t state = 1234567;
  EXPECT_EQ(splitmix64(&state), 6457827717110365317u);
  EXPECT_EQ(splitmix64(&state), 3203168211198807973u);
  EXPECT_EQ(splitmix64(&state), 9817491932198370423u);
  EXPECT_EQ(splitmix64(&state), 4593380528125082431u);
  EXPECT_EQ(splitmix64(&state), 16408922859458223821u);
}

TEST(PrngTest, xoshiro256StarStarVectors) {
  Prng prng = Prng::from_state(1, 2, 3, 4);
  constexpr std::array<uint64_t, 10> kExpected = {11520u,
                                                  0u,
                                                  1509978240u,
                                                  1215971899390074240u,
                                                  1216172134540287360u,
                                                  607988272756665600u,
                                                  16172922978634559625u,
                                                  8476171486693032832u,
                                                  10595114339597558777u,
                                                  2904607092377533576u};
  for (const uint64_t expected : kExpected) EXPECT_EQ(prng.next(), expected);
}

// Seeds are written in bug reports: what they mean must not change. The seed's words are splitmix64
// outputs, as the vectors above fix them.
TEST(PrngTest, seedIsExpandedBySplitmix64) {
  Prng seeded(1234567);
  Prng expanded = Prng::from_state(6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                   4593380528125082431u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seeded.next(), expanded.next());
}

TEST(PrngTest, equalSeedsEqualSequences) {
  Prng a(42);
  Prng b(42);
  Prng other(43);
  int differing = 0;
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differing += value != other.next() ? 1 : 0;
  }
  EXPECT_GE(differing, 99);
}

TEST(PrngTest, belowStaysBelowAndReachesAll) {
  Prng prng(1);
  for (const uint64_t n : {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{7}}) {
    std::array<int, 7> seen{};
    for (int i = 0; i < 1000; ++i) {
      const uint64_t value = prng.below(n);
      ASSERT_LT(value, n);
      ++seen[value];
    }
    for (uint64_t v = 0; v < n; ++v) EXPECT_GT(seen[v], 0) << v << " below " << n;
  }
}

// With n = 3 * 2^62 a plain modulo yields the first third twice as often as the others.
TEST(PrngTest, belowIsUnbiasedForLargeBounds) {
  Prng prng(2);
  constexpr uint64_t kThird = uint64_t{1} << 62;
  std::array<int, 3> thirds{};
  constexpr int kDraws = 30000;
  for (int i = 0; i < kDraws; ++i) ++thirds[prng.below(3 * kThird) / kThird];
  for (const int count : thirds) EXPECT_NEAR(count, kDraws / 3, 400);
}

TEST(PrngTest, betweenIncludesBothEnds) {
  Prng prng(3);
  bool first = false;
  bool last = false;
  for (int i = 0; i < 200; ++i) {
    const uint64_t value = prng.between(10, 13);
    ASSERT_GE(value, 10u);
    ASSERT_LE(value, 13u);
    first = first || value == 10;
    last = last || value == 13;
  }
  EXPECT_TRUE(first);
  EXPECT_TRUE(last);
  EXPECT_EQ(prng.between(5, 5), 5u);
  prng.between(0, ~uint64_t{0});
}

TEST(PrngTest, chanceIsNumeratorOverDenominator) {
  Prng prng(4);
  int hits = 0;
  for (int i = 0; i < 10000; ++i) {
    hits += prng.chance(1, 4) ? 1 : 0;
    ASSERT_FALSE(prng.chance(0, 5));
    ASSERT_TRUE(prng.chance(5, 5));
  }
  EXPECT_NEAR(hits, 2500, 200);
}

TEST(PrngTest, uniformIsInTheUnitInterval) {
  Prng prng(5);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double value = prng.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

TEST(PrngTest, forkIsAnotherSequence) {
  Prng parent(6);
  Prng child = parent.fork();
  int equal = 0;
  for (int i = 0; i < 100; ++i) equal += parent.next() == child.next() ? 1 : 0;
  EXPECT_EQ(equal, 0);
}

TEST(PrngDeathTest, belowZeroIsABug) {
  Prng prng(7);
  EXPECT_DEATH(prng.below(0), "n > 0");
}

}  // namespace
}  // namespace lh::base
