#include "client/zipfian.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lh::client {
namespace {

// The sum of 1 / k^theta over first..last, by Euler and Maclaurin: for sums that nobody adds up.
double zeta_tail(double first, double last, double theta) {
  const auto power = [theta](double x) { return std::pow(x, -theta); };
  const double integral = (std::pow(last, 1 - theta) - std::pow(first, 1 - theta)) / (1 - theta);
  const double slopes = -theta * (power(last) / last - power(first) / first);
  return integral + (power(first) + power(last)) / 2 + slopes / 12;
}

TEST(ZipfianTest, zetaIsTheSum) {
  EXPECT_DOUBLE_EQ(Zipfian::zeta(1, 0.99), 1);
  EXPECT_DOUBLE_EQ(Zipfian::zeta(2, 0.5), 1 + 1 / std::sqrt(2.0));
  EXPECT_NEAR(Zipfian::zeta(1'000, 0.99), Zipfian::zeta(9, 0.99) + zeta_tail(10, 1'000, 0.99),
              1e-6);
}

// The constant that YCSB has for ten billion items.
TEST(ZipfianTest, zetaOfTenBillion) {
  EXPECT_NEAR(Zipfian::zeta(999, 0.99) + zeta_tail(1'000, 1e10, 0.99), 26.46902820178302, 1e-6);
}

std::vector<uint64_t> counts(const Zipfian& zipfian, uint64_t draws) {
  base::Prng prng(1);
  std::vector<uint64_t> counts(zipfian.items());
  for (uint64_t k = 0; k < draws; ++k) ++counts.at(zipfian.next(&prng));
  return counts;
}

// The first two ranks are exact; the formula is within a third for the others, and within 2 % for
// what the first hundred have together.
TEST(ZipfianTest, ranksComeAsOftenAsZipfSays) {
  constexpr uint64_t kItems = 1'000;
  constexpr uint64_t kDraws = 1'000'000;
  const std::vector<uint64_t> seen = counts(Zipfian(kItems, kZipfianTheta), kDraws);
  const double zeta = Zipfian::zeta(kItems, kZipfianTheta);
  const auto wanted = [&](uint64_t rank) {
    return kDraws / (zeta * std::pow(static_cast<double>(rank + 1), kZipfianTheta));
  };
  for (const uint64_t rank : {0, 1}) {
    EXPECT_NEAR(static_cast<double>(seen[rank]), wanted(rank), 5 * std::sqrt(wanted(rank)));
  }
  double first_hundred = 0;
  double first_hundred_wanted = 0;
  for (uint64_t rank = 0; rank < 100; ++rank) {
    const auto count = static_cast<double>(seen[rank]);
    EXPECT_NEAR(count, wanted(rank), wanted(rank) / 3) << rank;
    first_hundred += count;
    first_hundred_wanted += wanted(rank);
  }
  EXPECT_NEAR(first_hundred, first_hundred_wanted, first_hundred_wanted * 0.02);
  EXPECT_GT(seen[kItems - 1], 0u);
}

TEST(ZipfianTest, fewItems) {
  base::Prng prng(1);
  const Zipfian one(1, kZipfianTheta);
  for (int k = 0; k < 100; ++k) EXPECT_EQ(one.next(&prng), 0u);
  const Zipfian two(2, kZipfianTheta);
  for (int k = 0; k < 100; ++k) EXPECT_LE(two.next(&prng), 1u);
}

TEST(ZipfianTest, grownIsAsMadeSo) {
  Zipfian grown(10, kZipfianTheta);
  grown.grow(11);
  grown.grow(500);
  const Zipfian made(500, kZipfianTheta);
  EXPECT_EQ(grown.items(), 500u);
  EXPECT_EQ(counts(grown, 10'000), counts(made, 10'000));
}

// Of the eight bytes, the lowest first.
TEST(ScrambledZipfianTest, scrambleIsFnv1a) {
  EXPECT_EQ(ScrambledZipfian::scramble(0), 0xa8c7f832281a39c5u);
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint64_t octet : {0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01}) {
    hash = (hash ^ octet) * 0x100000001b3;
  }
  EXPECT_EQ(ScrambledZipfian::scramble(0x0102030405060708), hash);
}

// Whatever the number of records, the most popular one gets 1 / 26.469 of all, and it lies
// anywhere.
TEST(ScrambledZipfianTest, theMostPopularRecord) {
  constexpr uint64_t kItems = 1'000;
  constexpr uint64_t kDraws = 200'000;
  const ScrambledZipfian scrambled;
  base::Prng prng(1);
  std::vector<uint64_t> seen(kItems);
  for (uint64_t k = 0; k < kDraws; ++k) ++seen.at(scrambled.next(kItems, &prng));
  const size_t popular = ScrambledZipfian::scramble(0) % kItems;
  // What the other ranks add to it is less than a thousandth part of all.
  EXPECT_NEAR(static_cast<double>(seen[popular]), kDraws / 26.469, kDraws * 0.0025);
  for (size_t k = 0; k < kItems; ++k) EXPECT_GT(seen[k], 0u) << k;
}

}  // namespace
}  // namespace lh::client
