#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::sim {
namespace {

using base::ms;

TEST(EventQueueTest, runsInTheOrderOfTimeThenOfAdding) {
  EventQueue queue;
  std::string order;
  queue.after(ms(2), [&] { order += 'c'; });
  queue.after(ms(1), [&] { order += 'a'; });
  queue.after(ms(1), [&] { order += 'b'; });
  while (!queue.empty()) queue.run_next();
  EXPECT_EQ(order, "abc");
}

TEST(EventQueueTest, timeIsThatOfTheAction) {
  EventQueue queue;
  const base::Instant start = queue.now();
  queue.after(ms(5), [] {});
  EXPECT_EQ(queue.next_at(), start + ms(5));
  queue.run_next();
  EXPECT_EQ(queue.now(), start + ms(5));
}

TEST(EventQueueTest, whatIsLateIsDoneNow) {
  EventQueue queue;
  queue.after(ms(5), [] {});
  queue.run_next();
  const base::Instant now = queue.now();
  queue.at(now - ms(3), [] {});
  queue.run_next();
  EXPECT_EQ(queue.now(), now);
}

TEST(EventQueueTest, anActionMayAddMore) {
  EventQueue queue;
  int runs = 0;
  queue.after(ms(1), [&] {
    ++runs;
    queue.after(ms(1), [&] { ++runs; });
  });
  while (!queue.empty()) queue.run_next();
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace lh::sim
