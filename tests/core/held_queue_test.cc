#include "core/held_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::core {
namespace {

std::string release(HeldQueue<char>* queue, uint64_t durable) {
  std::string released;
  queue->release(durable, [&](char held) { released.push_back(held); });
  return released;
}

TEST(HeldQueueTest, leavesInOrderWhenTheLogIsAsFar) {
  HeldQueue<char> queue;
  queue.add(1, 10, 'a');
  queue.add(2, 20, 'b');
  queue.add(1, 30, 'c');
  EXPECT_EQ(release(&queue, 9), "");
  EXPECT_EQ(release(&queue, 20), "ab");
  EXPECT_TRUE(queue.holds(1));
  EXPECT_FALSE(queue.holds(2));
  EXPECT_EQ(release(&queue, 30), "c");
  EXPECT_TRUE(queue.empty());
}

TEST(HeldQueueTest, whatCouldLeaveWaitsBehindWhatCannot) {
  HeldQueue<char> queue;
  queue.add(1, 10, 'a');
  queue.add(1, 0, 'b');
  EXPECT_EQ(release(&queue, 9), "");
  EXPECT_EQ(release(&queue, 10), "ab");
}

}  // namespace
}  // namespace lh::core
