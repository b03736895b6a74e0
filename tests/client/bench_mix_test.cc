#include "client/bench_mix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace lh::client {
namespace {

constexpr int kDraws = 100'000;

// How often each kind comes.
std::map<BenchKind, int> counts(Workload workload) {
  BenchMix mix(workload, KeyOrder::kZipfian, 1'000, 1);
  std::map<BenchKind, int> counts;
  for (int k = 0; k < kDraws; ++k) ++counts[mix.next().kind];
  return counts;
}

TEST(BenchMixTest, theMixesOfYcsb) {
  struct Mix {
    Workload workload;
    BenchKind write;
    int percent;
  };
  constexpr Mix kMixes[] = {{Workload::kA, BenchKind::kUpdate, 50},
                            {Workload::kB, BenchKind::kUpdate, 5},
                            {Workload::kC, BenchKind::kUpdate, 0},
                            {Workload::kD, BenchKind::kInsert, 5},
                            {Workload::kF, BenchKind::kReadModifyWrite, 50}};
  for (const Mix& mix : kMixes) {
    std::map<BenchKind, int> seen = counts(mix.workload);
    EXPECT_NEAR(seen[mix.write], mix.percent * kDraws / 100, kDraws / 100) << letter(mix.workload);
    EXPECT_EQ(seen[mix.write] + seen[BenchKind::kRead], kDraws) << letter(mix.workload);
  }
}

TEST(BenchMixTest, equalSeedsGiveEqualSequences) {
  BenchMix one(Workload::kA, KeyOrder::kZipfian, 1'000, 7);
  BenchMix same(Workload::kA, KeyOrder::kZipfian, 1'000, 7);
  BenchMix other(Workload::kA, KeyOrder::kZipfian, 1'000, 8);
  int different = 0;
  for (int k = 0; k < 1'000; ++k) {
    const BenchOp a = one.next();
    const BenchOp b = same.next();
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.record, b.record);
    if (other.next().record != a.record) ++different;
  }
  EXPECT_GT(different, 500);
}

std::vector<int> records_of(KeyOrder keys) {
  BenchMix mix(Workload::kC, keys, 100, 1);
  std::vector<int> seen(100);
  for (int k = 0; k < kDraws; ++k) ++seen.at(mix.next().record);
  return seen;
}

TEST(BenchMixTest, uniformAsksForAllAlike) {
  for (const int count : records_of(KeyOrder::kUniform)) EXPECT_NEAR(count, 1'000, 160);
}

TEST(BenchMixTest, zipfianHasItsFavourites) {
  const std::vector<int> seen = records_of(KeyOrder::kZipfian);
  EXPECT_GT(*std::max_element(seen.begin(), seen.end()), 3'500);
  EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 100);
}

TEST(BenchMixTest, loadGoesThroughAllRecords) {
  BenchMix mix = BenchMix::load();
  for (uint64_t k = 0; k < 100; ++k) {
    const BenchOp op = mix.next();
    EXPECT_EQ(op.kind, BenchKind::kInsert);
    EXPECT_EQ(op.record, k);
  }
}

// An insert that is under way must not be asked for, nor one behind it.
TEST(BenchMixTest, whatIsStoredIsAskedFor) {
  BenchMix mix(Workload::kD, KeyOrder::kZipfian, 10, 1);
  std::vector<uint64_t> inserts;
  while (inserts.size() < 3) {
    const BenchOp op = mix.next();
    if (op.kind == BenchKind::kInsert) {
      inserts.push_back(op.record);
    } else {
      EXPECT_LT(op.record, 10u);
    }
  }
  EXPECT_EQ(inserts, (std::vector<uint64_t>{10, 11, 12}));
  mix.inserted(11);
  EXPECT_EQ(mix.stored(), 10u);
  mix.inserted(10);
  EXPECT_EQ(mix.stored(), 12u);
  mix.inserted(12);
  EXPECT_EQ(mix.stored(), 13u);
}

// Under Zipf's law over n records the newest gets 1 / zeta(n), the one before it 1 / 2^0.99 of
// that.
TEST(BenchMixTest, theLatestAreAskedForMost) {
  BenchMix mix(Workload::kD, KeyOrder::kUniform, 1'000, 1);
  std::map<uint64_t, int> by_age;
  int reads = 0;
  while (reads < kDraws) {
    const BenchOp op = mix.next();
    if (op.kind == BenchKind::kInsert) {
      mix.inserted(op.record);
    } else {
      ++by_age[mix.stored() - 1 - op.record];
      ++reads;
    }
  }
  EXPECT_GT(mix.stored(), 5'000u);
  EXPECT_NEAR(by_age[0], kDraws / 9.2, kDraws * 0.015);
  EXPECT_NEAR(by_age[1], by_age[0] / 1.986, kDraws * 0.005);
  EXPECT_GT(by_age[0], by_age[2]);
}

}  // namespace
}  // namespace lh::client
