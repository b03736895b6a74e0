#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/prng.h"

namespace lh::base {
namespace {

constexpr double kRelativeError = 1.0 / 128;

TEST(HistogramTest, emptyAnswersZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile_ns(0.5), 0u);
  EXPECT_EQ(histogram.max_ns(), 0u);
  EXPECT_EQ(histogram.mean_ns(), 0.0);
  EXPECT_EQ(histogram.count_at_most(1000), 0u);
}

TEST(HistogramTest, smallValuesAreExact) {
  Histogram histogram;
  for (uint64_t v = 0; v < 256; ++v) histogram.record(v);
  for (uint64_t v = 0; v < 256; ++v) {
    EXPECT_EQ(histogram.quantile_ns(static_cast<double>(v + 1) / 256), v);
    EXPECT_EQ(histogram.count_at_most(v), v + 1);
  }
  EXPECT_EQ(histogram.mean_ns(), 127.5);
}

TEST(HistogramTest, oneValueOfAnySizeIsItself) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const uint64_t v : {(uint64_t{1} << bit) - 1, uint64_t{1} << bit}) {
      Histogram histogram;
      histogram.record(v);
      EXPECT_EQ(histogram.quantile_ns(0), v);
      EXPECT_EQ(histogram.quantile_ns(1), v);
      EXPECT_EQ(histogram.max_ns(), v);
      EXPECT_EQ(histogram.count_at_most(v), 1u);
    }
  }
}

// The median of a value and a much larger one shows the end of the first one's bucket.
TEST(HistogramTest, answersAreAtMostOne128thTooLarge) {
  Prng prng(1);
  for (int round = 0; round < 20000; ++round) {
    const uint64_t v = prng.next() >> (23 + prng.below(41));
    Histogram histogram;
    histogram.record(v);
    histogram.record(uint64_t{1} << 50);
    const uint64_t answer = histogram.quantile_ns(0.5);
    ASSERT_GE(answer, v);
    ASSERT_LE(static_cast<double>(answer - v), kRelativeError * static_cast<double>(v)) << v;
  }
}

TEST(HistogramTest, quantilesOfManyValues) {
  Prng prng(2);
  Histogram histogram;
  std::vector<uint64_t> values;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(static_cast<uint64_t>(std::exp(prng.uniform() * 20)));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::max(1.0, std::ceil(q * 20000)));
    const uint64_t exact = values[rank - 1];
    const uint64_t answer = histogram.quantile_ns(q);
    EXPECT_GE(answer, exact) << q;
    EXPECT_LE(static_cast<double>(answer), static_cast<double>(exact) * (1 + kRelativeError)) << q;
  }
  EXPECT_EQ(histogram.quantile_ns(1), values.back());
}

TEST(HistogramTest, hugeValuesShareTheLastBucket) {
  Histogram histogram;
  histogram.record(~uint64_t{0} >> 8);
  histogram.record(uint64_t{1} << 45);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.max_ns(), ~uint64_t{0} >> 8);
  EXPECT_EQ(histogram.quantile_ns(0.5), ~uint64_t{0} >> 8);
}

TEST(HistogramTest, countAtMostIsMonotone) {
  Prng prng(3);
  Histogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.record(prng.below(1'000'000));
  uint64_t before = 0;
  for (uint64_t bound = 1; bound < 2'000'000; bound *= 2) {
    const uint64_t count = histogram.count_at_most(bound);
    EXPECT_GE(count, before);
    before = count;
  }
  EXPECT_EQ(histogram.count_at_most(1'000'000), 1000u);
}

TEST(HistogramTest, mergeIsAsIfRecordedInOne) {
  Prng prng(4);
  Histogram one;
  Histogram left;
  Histogram right;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t v = prng.next() >> prng.between(20, 63);
    one.record(v);
    (i % 3 == 0 ? left : right).record(v);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), one.count());
  EXPECT_EQ(left.max_ns(), one.max_ns());
  EXPECT_EQ(left.sum_ns(), one.sum_ns());
  for (const double q : {0.1, 0.5, 0.9, 0.99}) EXPECT_EQ(left.quantile_ns(q), one.quantile_ns(q));
}

TEST(HistogramTest, clearForgets) {
  Histogram histogram;
  histogram.record(5);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile_ns(1), 0u);
}

}  // namespace
}  // namespace lh::base
