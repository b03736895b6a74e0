#include "net/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"

namespace lh::net {
namespace {

using base::Instant;

Instant at(int64_t ms) { return Instant::from_ns(ms * 1'000'000); }

class TimerQueueTest : public ::testing::Test {
 protected:
  // A timer that writes its name to the story.
  TimerId add(int64_t ms, const std::string& name) {
    return queue_.add(at(ms), [this, name] { story_ += name + " "; });
  }
  std::string run(int64_t ms) {
    story_.clear();
    queue_.run_expired(at(ms));
    return story_;
  }

  TimerQueue queue_;
  std::string story_;
};

TEST_F(TimerQueueTest, empty_has_no_deadline) {
  EXPECT_EQ(Instant::never(), queue_.next_deadline());
  EXPECT_EQ(0u, queue_.run_expired(Instant::never()));
}

TEST_F(TimerQueueTest, timers_fire_in_order_of_deadline_then_of_creation) {
  add(30, "c");
  add(10, "a1");
  add(20, "b");
  add(10, "a2");
  EXPECT_EQ(at(10), queue_.next_deadline());
  EXPECT_EQ("", run(9));
  EXPECT_EQ("a1 a2 ", run(10));
  EXPECT_EQ(at(20), queue_.next_deadline());
  EXPECT_EQ("b c ", run(1000));
  EXPECT_EQ(0u, queue_.size());
}

TEST_F(TimerQueueTest, a_cancelled_timer_does_not_fire) {
  const TimerId a = add(10, "a");
  add(20, "b");
  EXPECT_TRUE(queue_.cancel(a));
  EXPECT_FALSE(queue_.cancel(a));
  EXPECT_EQ(at(20), queue_.next_deadline());
  EXPECT_EQ("b ", run(30));
}

TEST_F(TimerQueueTest, a_fired_timer_and_no_timer_cannot_be_cancelled) {
  const TimerId a = add(10, "a");
  EXPECT_EQ("a ", run(10));
  EXPECT_FALSE(queue_.cancel(a));
  EXPECT_FALSE(queue_.cancel(TimerId::kNone));
}

TEST_F(TimerQueueTest, an_old_id_does_not_reach_the_timer_in_the_same_slot) {
  const TimerId old = add(10, "old");
  run(10);
  const TimerId fresh = add(20, "fresh");
  EXPECT_NE(old, fresh);
  EXPECT_FALSE(queue_.cancel(old));
  EXPECT_EQ("fresh ", run(20));
}

TEST_F(TimerQueueTest, a_timer_can_cancel_another_that_is_due_with_it) {
  TimerId victim = TimerId::kNone;
  queue_.add(at(10), [&] {
    story_ += "killer ";
    EXPECT_TRUE(queue_.cancel(victim));
  });
  victim = add(10, "victim");
  add(10, "witness");
  EXPECT_EQ("killer witness ", run(10));
}

TEST_F(TimerQueueTest, a_timer_that_runs_cannot_cancel_itself) {
  TimerId self = TimerId::kNone;
  self = queue_.add(at(10), [&] { EXPECT_FALSE(queue_.cancel(self)); });
  EXPECT_EQ(1u, queue_.run_expired(at(10)));
}

TEST_F(TimerQueueTest, what_a_timer_adds_waits_for_the_next_run) {
  queue_.add(at(10), [this] {
    story_ += "first ";
    add(5, "second");
  });
  EXPECT_EQ("first ", run(10));
  EXPECT_EQ(at(5), queue_.next_deadline());
  EXPECT_EQ("second ", run(10));
}

TEST_F(TimerQueueTest, a_timer_may_add_many_while_it_runs) {
  queue_.add(at(1), [this] {
    for (int i = 0; i < 1000; ++i) add(2, "x");
  });
  queue_.run_expired(at(1));
  EXPECT_EQ(1000u, queue_.run_expired(at(2)));
}

// Against an ordered map of (deadline, sequence).
TEST_F(TimerQueueTest, random_timers_agree_with_an_ordered_map) {
  base::Prng random(99);
  std::map<std::pair<int64_t, int>, TimerId> model;
  std::vector<int> fired;
  std::vector<int> expected;
  int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t choice = random.below(10);
    if (choice < 6) {
      const int64_t deadline = now + static_cast<int64_t>(random.below(100));
      model[{deadline, i}] = queue_.add(at(deadline), [&fired, i] { fired.push_back(i); });
    } else if (choice < 8 && !model.empty()) {
      auto victim = std::next(model.begin(), static_cast<long>(random.below(model.size())));
      ASSERT_TRUE(queue_.cancel(victim->second));
      model.erase(victim);
    } else {
      now += static_cast<int64_t>(random.below(20));
      while (!model.empty() && model.begin()->first.first <= now) {
        expected.push_back(model.begin()->first.second);
        model.erase(model.begin());
      }
      queue_.run_expired(at(now));
      ASSERT_EQ(expected, fired);
    }
    ASSERT_EQ(model.size(), queue_.size());
    ASSERT_EQ(model.empty() ? Instant::never() : at(model.begin()->first.first),
              queue_.next_deadline());
  }
}

TEST_F(TimerQueueTest, ids_are_never_none_and_differ) {
  std::set<TimerId> ids;
  for (int i = 0; i < 1000; ++i) {
    const TimerId id = add(1, "x");
    EXPECT_NE(TimerId::kNone, id);
    EXPECT_TRUE(ids.insert(id).second);
    if (i % 3 == 0) queue_.cancel(id);
  }
}

}  // namespace
}  // namespace lh::net
