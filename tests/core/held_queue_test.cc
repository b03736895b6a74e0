#include "core/held_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::core {
namespace {

std::string release(HeldQueue<char>* queue, uint64_t written, uint64_t durable) {
  std::string released;
  queue->release({written, durable}, [&](char held) { released.push_back(held); });
  return released;
}

TEST(HeldQueueTest, leavesInOrderWhenTheLogIsAsFar) {
  for (const bool durable : {false, true}) {
    HeldQueue<char> queue;
    queue.add(1, {10, durable}, 'a');
    queue.add(2, {20, durable}, 'b');
    queue.add(1, {30, durable}, 'c');
    EXPECT_EQ(release(&queue, 9, 9), "");
    EXPECT_EQ(release(&queue, 20, durable ? 20 : 0), "ab");
    EXPECT_TRUE(queue.holds(1));
    EXPECT_FALSE(queue.holds(2));
    EXPECT_EQ(release(&queue, 30, durable ? 30 : 0), "c");
    EXPECT_TRUE(queue.empty());
  }
}

TEST(HeldQueueTest, isNotEmptyWhileItLetsGo) {
  HeldQueue<char> queue;
  queue.add(1, {10, true}, 'a');
  queue.add(2, {10, true}, 'b');
  std::string seen;
  queue.release({10, 10}, [&](char held) {
    seen += held;
    seen += queue.empty() ? '.' : '+';
  });
  EXPECT_EQ(seen, "a+b.");
}

TEST(HeldQueueTest, whatCouldLeaveWaitsBehindWhatCannot) {
  HeldQueue<char> queue;
  queue.add(1, {10, true}, 'a');
  queue.add(1, {0, true}, 'b');
  EXPECT_EQ(release(&queue, 10, 9), "");
  EXPECT_EQ(release(&queue, 10, 10), "ab");
}

TEST(HeldQueueTest, whatNeedOnlyBeWrittenDoesNotWaitForTheDisk) {
  HeldQueue<char> queue;
  queue.add(1, {10, true}, 'a');
  queue.add(2, {11, false}, 'b');
  EXPECT_EQ(release(&queue, 20, 9), "b");
  EXPECT_EQ(release(&queue, 20, 10), "a");
}

TEST(HeldQueueTest, aLaneKeepsItsOrderWhateverItsMessagesWaitFor) {
  HeldQueue<char> queue;
  queue.add(1, {10, true}, 'a');
  queue.add(1, {11, false}, 'b');
  EXPECT_EQ(release(&queue, 20, 9), "");
  EXPECT_EQ(release(&queue, 20, 10), "ab") << "what is only to be written needs no sync of its own";
  queue.add(1, {30, false}, 'c');
  queue.add(1, {30, true}, 'd');
  queue.add(1, {0, false}, 'e');
  EXPECT_EQ(release(&queue, 30, 29), "c");
  EXPECT_EQ(release(&queue, 30, 30), "de");
  queue.add(1, {40, false}, 'f');
  queue.add(1, {38, true}, 'g');
  EXPECT_EQ(release(&queue, 39, 39), "") << "although its place is before the other's";
  EXPECT_EQ(release(&queue, 40, 39), "fg");
}

TEST(HeldQueueTest, whatIsAddedWhileOthersLeaveComesBehindThoseThatStay) {
  HeldQueue<char> queue;
  queue.add(1, {10, false}, 'a');
  queue.add(2, {20, false}, 'b');
  std::string left;
  const auto leave = [&](char held) {
    left.push_back(held);
    if (held == 'a') queue.add(2, {0, false}, 'c');
  };
  queue.release({10, 10}, leave);
  EXPECT_EQ(left, "a");
  EXPECT_TRUE(queue.holds(2));
  queue.release({20, 20}, leave);
  EXPECT_EQ(left, "abc");
  EXPECT_TRUE(queue.empty());
}

TEST(HeldQueueTest, aWaitIsOverWhenTheLogIsAsFar) {
  EXPECT_TRUE((Wait{0, true}).is_over({}));
  EXPECT_TRUE((Wait{5, false}).is_over({5, 0}));
  EXPECT_FALSE((Wait{5, true}).is_over({5, 4}));
  EXPECT_TRUE((Wait{5, true}).is_over({5, 5}));
}

}  // namespace
}  // namespace lh::core
