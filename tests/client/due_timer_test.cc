#include "client/due_timer.h"

#include <gtest/gtest.h>

#include <memory>

namespace lh::client {
namespace {

class DueTimerTest : public ::testing::Test {
 protected:
  DueTimerTest()
      : loop_(std::move(net::EventLoop::create(clock_)).value()),
        timer_(std::make_unique<DueTimer>(*loop_)) {
    EXPECT_TRUE(timer_->open().ok());
  }
  ~DueTimerTest() override { timer_.reset(); }

  // Turns until something happens; false when nothing does for half a minute.
  bool wakes() { return loop_->run_once(base::seconds(30)) == 1; }

  base::SteadyClock clock_;
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<DueTimer> timer_;
};

TEST_F(DueTimerTest, wakesTheLoopWhenItIsTime) {
  const base::Instant due = clock_.now() + base::us(300);
  timer_->set(due);
  EXPECT_TRUE(wakes());
  EXPECT_GE(clock_.now(), due);
  EXPECT_EQ(loop_->run_once(base::Duration()), 0u) << "once";
}

TEST_F(DueTimerTest, atOnceForWhatIsPast) {
  timer_->set(clock_.now() - base::seconds(1));
  EXPECT_TRUE(wakes());
  timer_->set(base::Instant::from_ns(0));
  EXPECT_TRUE(wakes());
}

TEST_F(DueTimerTest, theLastSettingCounts) {
  timer_->set(clock_.now() + base::seconds(3'600));
  timer_->set(clock_.now() + base::us(10));
  EXPECT_TRUE(wakes());
  timer_->set(clock_.now());
  timer_->set(clock_.now() + base::seconds(3'600));
  EXPECT_EQ(loop_->run_once(base::Duration()), 0u);
}

}  // namespace
}  // namespace lh::client
