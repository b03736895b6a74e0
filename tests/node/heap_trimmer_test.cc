#include "node/heap_trimmer.h"

#include <gtest/gtest.h>

namespace lh::node {
namespace {

constexpr base::Instant kStart = base::Instant::from_ns(1'000'000'000);

class HeapTrimmerTest : public ::testing::Test {
 protected:
  void release(uint64_t bytes) { ASSERT_TRUE(ResultShare(budget_).set(bytes)); }
  bool tick(int64_t ms) { return trimmer_.tick(kStart + base::ms(ms), budget_); }

  ResultBudget budget_{kResultBytesMax};
  HeapTrimmer trimmer_;
};

TEST_F(HeapTrimmerTest, acts_when_much_was_released_a_moment_ago) {
  release(HeapTrimmer::kReleasedMin - 1);
  EXPECT_FALSE(tick(0));
  EXPECT_FALSE(tick(60'000));
  release(1);
  EXPECT_FALSE(tick(60'050));
  EXPECT_FALSE(tick(61'000));
  EXPECT_TRUE(tick(61'050));
}

TEST_F(HeapTrimmerTest, acts_once_for_what_was_released_meanwhile) {
  release(HeapTrimmer::kReleasedMin);
  EXPECT_FALSE(tick(0));
  release(HeapTrimmer::kReleasedMin);
  EXPECT_TRUE(tick(1000));
  EXPECT_FALSE(tick(1050));
  EXPECT_FALSE(tick(5000));
  release(HeapTrimmer::kReleasedMin);
  EXPECT_FALSE(tick(5050));
  EXPECT_TRUE(tick(6050));
}

TEST_F(HeapTrimmerTest, results_that_are_held_are_left_alone) {
  ResultShare share(budget_);
  ASSERT_TRUE(share.set(2 * HeapTrimmer::kReleasedMin));
  EXPECT_FALSE(tick(0));
  EXPECT_FALSE(tick(5000));
}

}  // namespace
}  // namespace lh::node
