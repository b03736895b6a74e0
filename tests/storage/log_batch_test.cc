#include "storage/log_batch.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::storage {
namespace {

TEST(LogBatchTest, sequencesCountOnThroughHandOvers) {
  LogBatch batch(5);
  LogBatch spare;
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.append(1, "a"), 5u);
  EXPECT_EQ(batch.append(1, "b"), 6u);
  batch.hand_over(&spare);
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.first(), 7u);
  EXPECT_EQ(spare.first(), 5u);
  EXPECT_EQ(spare.count(), 2u);
  EXPECT_EQ(batch.append(1, "c"), 7u);
  spare.clear();
  batch.hand_over(&spare);
  EXPECT_EQ(spare.first(), 7u);
  EXPECT_EQ(spare.next(), 8u);
}

TEST(LogBatchTest, aFrameCanBeMadeAgainForAnotherFile) {
  LogBatch batch(1);
  batch.append(7, "x");
  const std::string first(batch.frame(11, 0));
  const std::string second(batch.frame(12, 0));
  EXPECT_NE(first, second);
  EXPECT_EQ(batch.frame(11, 0), first);
  EXPECT_EQ(first, encode_frame({.count = 1, .first = 1}, "\1\7x", 11));
  EXPECT_EQ(batch.bytes(), first.size());
}

TEST(LogBatchTest, memoryIsKeptUnlessItIsUnusuallyMuch) {
  LogBatch batch(1);
  batch.append(7, std::string(1 << 20, 'x'));
  batch.clear();
  EXPECT_GE(batch.capacity(), size_t{1} << 20);
  batch.append(7, std::string(LogBatch::kKeptBytesMax, 'x'));
  batch.clear();
  EXPECT_LT(batch.capacity(), size_t{1} << 20);
  EXPECT_EQ(batch.bytes(), kFrameHeaderBytes);
}

}  // namespace
}  // namespace lh::storage
