#include "node/sync_pace.h"

#include <gtest/gtest.h>

namespace lh::node {
namespace {

// Records are numbered from 1; the sync of those that are handed over takes 100 us.
class SyncPaceTest : public ::testing::Test {
 protected:
  void sync(uint64_t handed_over, uint64_t come_since) {
    pace_.on_handed_over(now_, handed_over);
    pass(100);
    pace_.on_durable(now_, come_since);
  }
  void pass(int64_t us) { now_ = now_ + base::us(us); }
  bool is_due(uint64_t last) { return pace_.is_due(now_, last); }

  SyncPace pace_;
  base::Instant now_ = base::Instant() + base::seconds(1);
};

TEST_F(SyncPaceTest, theFirstIsDueAtOnce) { EXPECT_TRUE(is_due(1)); }

TEST_F(SyncPaceTest, aClientThatIsAloneIsNotKeptWaiting) {
  for (uint64_t k = 1; k < 100; ++k) {
    EXPECT_TRUE(is_due(k)) << k;
    sync(k, k);
    pass(50);
  }
}

TEST_F(SyncPaceTest, theNextIsDueWhenBothGroupsAreThere) {
  sync(25, 50);  // 25 were synced, 25 others have come meanwhile
  EXPECT_FALSE(is_due(50));
  pass(40);
  EXPECT_FALSE(is_due(60));
  EXPECT_TRUE(is_due(74)) << "nearly all";
}

TEST_F(SyncPaceTest, noneWaitsLongerThanASyncTakes) {
  sync(25, 50);
  pass(99);
  EXPECT_FALSE(is_due(50));
  EXPECT_EQ(pace_.due_at(), now_ + base::us(1));
  pass(1);
  EXPECT_TRUE(is_due(50));
}

TEST_F(SyncPaceTest, noneWaitsLongerThanAMillisecond) {
  pace_.on_handed_over(now_, 25);
  pass(50'000);
  pace_.on_durable(now_, 50);
  pass(1'000);
  EXPECT_TRUE(is_due(50));
}

TEST_F(SyncPaceTest, whatWasInVainIsNotTriedForAWhile) {
  uint64_t last = 0;
  int waits = 0;
  for (int k = 0; k < 1'000; ++k) {
    sync(last + 1, last + 2);
    last += 2;
    if (is_due(last)) continue;
    ++waits;
    pass(100);
    EXPECT_TRUE(is_due(last)) << "in vain";
  }
  EXPECT_LT(waits, 30);
}

TEST_F(SyncPaceTest, andIsTriedAgainEachTimeWhenItPays) {
  uint64_t last = 0;
  for (int k = 0; k < 100; ++k) {
    last += 50;
    sync(last, last + 5);
    EXPECT_FALSE(is_due(last + 5));
    EXPECT_TRUE(is_due(last + 50));
  }
}

}  // namespace
}  // namespace lh::node
