#include "net/event_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::kNoWait;
using testing::kPatience;
using testing::make_loop;
using testing::make_socket_pair;
using testing::peer_writes;
using testing::SocketPair;
using testing::turn_until;
using testing::turn_without_sleep;

class EventLoopTest : public ::testing::Test {
 protected:
  void turn() { loop_->run_once(kNoWait); }

  base::ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = make_loop(clock_);
  std::string story_;
};

TEST_F(EventLoopTest, a_turn_without_events_returns) {
  EXPECT_EQ(0u, loop_->run_once(kNoWait));
  EXPECT_EQ(1u, loop_->stats().turns);
}

TEST_F(EventLoopTest, time_stands_still_within_a_turn) {
  clock_.advance(base::ms(5));
  turn();
  const base::Instant before = loop_->now();
  EXPECT_EQ(clock_.now(), before);
  clock_.advance(base::ms(5));
  EXPECT_EQ(before, loop_->now());
  turn();
  EXPECT_EQ(base::ms(5), loop_->now() - before);
}

TEST_F(EventLoopTest, timers_fire_when_their_time_has_come) {
  loop_->call_after(base::ms(10), [this] { story_ += "ten "; });
  const TimerId never = loop_->call_after(base::ms(10), [this] { story_ += "never "; });
  loop_->call_after(base::ms(5), [this] { story_ += "five "; });
  EXPECT_TRUE(loop_->cancel(never));
  turn();
  EXPECT_EQ("", story_);
  clock_.advance(base::ms(5));
  turn();
  EXPECT_EQ("five ", story_);
  clock_.advance(base::ms(5));
  turn();
  EXPECT_EQ("five ten ", story_);
}

TEST_F(EventLoopTest, a_timer_set_between_turns_counts_from_now) {
  turn();
  clock_.advance(base::seconds(100));
  loop_->call_after(base::ms(10), [this] { story_ += "fired"; });
  turn();
  EXPECT_EQ("", story_);
  clock_.advance(base::ms(10));
  turn();
  EXPECT_EQ("fired", story_);
}

TEST_F(EventLoopTest, a_due_timer_ends_the_sleep) {
  const base::SteadyClock steady;
  const std::unique_ptr<EventLoop> loop = make_loop(steady);
  const base::Instant start = steady.now();
  loop->call_after(base::ms(2), [this] { story_ += "fired"; });
  EXPECT_TRUE(turn_until(*loop, [this] { return !story_.empty(); }));
  EXPECT_GE(steady.now() - start, base::ms(2));
}

TEST_F(EventLoopTest, posted_tasks_run_in_order) {
  for (const char* name : {"a", "b", "c"}) {
    loop_->post([this, name] { story_ += name; });
  }
  EXPECT_EQ("", story_);
  turn_without_sleep(*loop_);
  EXPECT_EQ("abc", story_);
  EXPECT_EQ(3u, loop_->stats().tasks);
}

TEST_F(EventLoopTest, a_task_posted_by_a_task_runs_in_the_next_turn) {
  loop_->post([this] {
    story_ += "a";
    loop_->post([this] { story_ += "b"; });
  });
  turn();
  EXPECT_EQ("a", story_);
  turn_without_sleep(*loop_);
  EXPECT_EQ("ab", story_);
}

TEST_F(EventLoopTest, tasks_that_never_ran_are_destroyed) {
  auto shared = std::make_shared<int>(0);
  loop_->post([shared] {});
  EXPECT_EQ(2, shared.use_count());
  loop_.reset();
  EXPECT_EQ(1, shared.use_count());
}

TEST_F(EventLoopTest, stop_ends_run_after_the_turn) {
  loop_->post([this] {
    loop_->stop();
    story_ += "stopped ";
  });
  loop_->post([this] { story_ += "finished "; });
  loop_->run();
  EXPECT_EQ("stopped finished ", story_);
}

TEST_F(EventLoopTest, a_stop_that_comes_first_is_not_lost_and_not_kept) {
  loop_->stop();
  loop_->run();
  EXPECT_EQ(0u, loop_->stats().turns);
  loop_->post([this] { loop_->stop(); });
  loop_->run();
  EXPECT_GE(loop_->stats().turns, 1u);
}

TEST_F(EventLoopTest, knows_the_loop_of_its_thread) {
  EXPECT_EQ(nullptr, EventLoop::current());
  loop_->post([this] { story_ += EventLoop::current() == loop_.get() ? "mine" : "other"; });
  turn();
  EXPECT_EQ("mine", story_);
  EXPECT_EQ(nullptr, EventLoop::current());
}

// ---------------------------------------------------------------------------------------------

class StoryHook final : public LoopHook {
 public:
  StoryHook(std::string name, std::string* story) : name_(std::move(name)), story_(story) {}
  void take_in() override { *story_ += name_ + ".in "; }
  void before_sleep() override { *story_ += name_ + ".out "; }
  bool has_work() const override { return work; }
  bool work = false;

 private:
  std::string name_;
  std::string* story_;
};

class StoryCall final : public Deferred {
 public:
  StoryCall(std::string name, std::string* story) : name_(std::move(name)), story_(story) {}
  void run_deferred() override { *story_ += name_ + " "; }

 private:
  std::string name_;
  std::string* story_;
};

TEST_F(EventLoopTest, a_turn_has_its_order) {
  StoryHook lower("lower", &story_);
  StoryHook upper("upper", &story_);
  StoryCall flush("flush", &story_);
  StoryCall owed("owed", &story_);
  loop_->add_hook(lower);
  loop_->add_hook(upper);
  loop_->call_before_sleep(flush);
  loop_->call_next_turn(owed);
  loop_->call_after(base::ms(0), [this] { story_ += "timer "; });
  loop_->post([this] { story_ += "task "; });
  turn_without_sleep(*loop_);
  EXPECT_EQ("owed timer task lower.in upper.in upper.out lower.out flush ", story_);
  loop_->remove_hook(lower);
  loop_->remove_hook(upper);
  story_.clear();
  turn();
  EXPECT_EQ("", story_);
}

TEST_F(EventLoopTest, a_hook_with_work_keeps_the_loop_awake) {
  StoryHook hook("hook", &story_);
  loop_->add_hook(hook);
  hook.work = true;
  turn_without_sleep(*loop_);
  EXPECT_EQ("hook.in hook.out ", story_);
  loop_->remove_hook(hook);
}

// ---------------------------------------------------------------------------------------------

TEST_F(EventLoopTest, a_post_from_another_thread_ends_the_sleep) {
  std::thread other([this] { loop_->post([this] { story_ += "posted"; }); });
  EXPECT_TRUE(turn_until(*loop_, [this] { return !story_.empty(); }));
  other.join();
  EXPECT_EQ("posted", story_);
}

TEST_F(EventLoopTest, a_stop_from_another_thread_ends_the_sleep) {
  std::thread runner([this] { loop_->run(); });
  loop_->stop();
  runner.join();
  // The loop is free again for this thread.
  turn();
}

TEST_F(EventLoopTest, an_awake_loop_is_woken_without_a_system_call) {
  loop_->post([this] {
    for (int i = 0; i < 100; ++i) loop_->post([] {});
  });
  turn();
  turn();
  turn();
  EXPECT_EQ(101u, loop_->stats().tasks);
  EXPECT_EQ(0u, loop_->stats().wakeups);
}

// Each thread counts up; the loop must see each sequence without a gap, and never sleep while a
// task waits (it would then sleep until the test's patience is over).
TEST_F(EventLoopTest, posts_of_several_threads_keep_their_order) {
  constexpr size_t kThreads = 3;
  constexpr uint64_t kPosts = 20'000;
  std::vector<uint64_t> next(kThreads, 0);
  std::atomic<bool> in_order{true};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kPosts; ++i) {
        loop_->post([&, t, i] {
          if (next[t]++ != i) in_order = false;
        });
      }
    });
  }
  EXPECT_TRUE(turn_until(*loop_, [&] { return loop_->stats().tasks == kThreads * kPosts; }));
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(in_order);
  for (const uint64_t count : next) EXPECT_EQ(kPosts, count);
}

// Two loops throw one task to and fro: each throw finds the other loop asleep or about to sleep.
TEST_F(EventLoopTest, no_wake_up_is_lost_between_two_loops) {
  constexpr int kThrows = 20'000;
  const base::SteadyClock steady;
  const std::unique_ptr<EventLoop> a = make_loop(steady);
  const std::unique_ptr<EventLoop> b = make_loop(steady);
  struct Game {
    EventLoop* sides[2];
    int throws = 0;
    void play(int side) {
      if (++throws == kThrows) {
        for (EventLoop* loop : sides) loop->stop();
        return;
      }
      sides[1 - side]->post([this, side] { play(1 - side); });
    }
  } game{{a.get(), b.get()}};
  a->post([&game] { game.play(0); });
  std::thread other([&b] { b->run(); });
  a->run();
  other.join();
  EXPECT_EQ(kThrows, game.throws);
}

using EventLoopDeathTest = EventLoopTest;

TEST_F(EventLoopDeathTest, a_foreign_thread_is_caught) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        loop_->post([this] { std::thread([this] { loop_->call_after(kNoWait, [] {}); }).join(); });
        turn();
      },
      "check failed");
}

TEST_F(EventLoopDeathTest, a_turn_within_a_turn_is_caught) {
  loop_->post([this] { turn(); });
  EXPECT_DEATH(turn(), "a thread runs one loop at a time");
}

}  // namespace
}  // namespace lh::net
