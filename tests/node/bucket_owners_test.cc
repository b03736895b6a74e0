#include "node/bucket_owners.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace lh::node {
namespace {

TEST(BucketOwnersTest, NobodyHasABucketThatWasNotClaimed) {
  const BucketOwners owners(4);
  for (const BucketNo a : {BucketNo{0}, BucketNo{1}, BucketNo{5'000}, kBucketsMax - 1}) {
    EXPECT_FALSE(owners.find(a).has_value()) << a;
  }
}

TEST(BucketOwnersTest, ABucketGoesToTheWorkerWithTheFewest) {
  BucketOwners owners(3);
  EXPECT_EQ(0u, owners.claim(7));
  EXPECT_EQ(1u, owners.claim(8));
  EXPECT_EQ(2u, owners.claim(100'000));
  EXPECT_EQ(0u, owners.claim(0)) << "the first of those with equally many";
  EXPECT_EQ(1u, owners.claim(1));
}

TEST(BucketOwnersTest, AClaimedBucketStaysWhereItIs) {
  BucketOwners owners(2);
  EXPECT_EQ(0u, owners.claim(5));
  EXPECT_EQ(1u, owners.claim(6));
  EXPECT_EQ(0u, owners.claim(5));
  EXPECT_EQ(1u, owners.claim(6));
  EXPECT_EQ(0u, owners.find(5));
  EXPECT_EQ(1u, owners.find(6));
  EXPECT_FALSE(owners.find(4).has_value());
  EXPECT_EQ(0u, owners.claim(7)) << "asking again is not counted";
}

TEST(BucketOwnersTest, TheLastWorkerOfManyCanHaveABucket) {
  BucketOwners owners(255);
  for (BucketNo a = 0; a < 255; ++a) EXPECT_EQ(a, owners.claim(a));
  EXPECT_EQ(254u, owners.find(254));
  EXPECT_EQ(0u, owners.claim(255));
}

TEST(BucketOwnersTest, ANodeHoldsBucketsBelowTwoToThe32) {
  BucketOwners owners(1);
  const BucketNo beyond = BucketNo{1} << 32;
  EXPECT_EQ(0u, owners.claim(beyond - 1));
  EXPECT_EQ(0u, owners.find(beyond - 1));
  EXPECT_FALSE(owners.claim(beyond).has_value());
  EXPECT_FALSE(owners.find(beyond).has_value());
  EXPECT_FALSE(owners.find(~BucketNo{0}).has_value());
}

TEST(BucketOwnersTest, AllThreadsAgree) {
  constexpr size_t kThreads = 4;
  constexpr BucketNo kBuckets = 10'000;  // in several chunks
  BucketOwners owners(kThreads);
  std::vector<std::vector<size_t>> seen(kThreads);
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      while (!go.load()) std::this_thread::yield();
      for (BucketNo a = 0; a < kBuckets; ++a) {
        const BucketNo mine = t % 2 == 0 ? a : kBuckets - 1 - a;
        const std::optional<size_t> found = owners.find(mine);
        const size_t claimed = owners.claim(mine).value();
        EXPECT_TRUE(!found || *found == claimed);
      }
      for (BucketNo a = 0; a < kBuckets; ++a) seen[t].push_back(owners.find(a).value());
    });
  }
  go.store(true);
  for (std::thread& thread : threads) thread.join();
  std::vector<size_t> counts(kThreads);
  for (const size_t worker : seen[0]) ++counts[worker];
  for (size_t t = 0; t < kThreads; ++t) {
    EXPECT_EQ(seen[0], seen[t]);
    EXPECT_EQ(kBuckets / kThreads, counts[t]) << "each bucket was counted once";
  }
}

}  // namespace
}  // namespace lh::node
