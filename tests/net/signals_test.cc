#include "net/signals.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <functional>
#include <memory>
#include <vector>

#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::kNoWait;
using testing::make_loop;
using testing::turn_until;

class SignalsTest : public ::testing::Test, public SignalHandler {
 protected:
  SignalsTest() { block_signals(); }
  ~SignalsTest() override {
    watcher_.reset();
    unblock_signals();
    signal(SIGPIPE, SIG_DFL);
  }
  void on_signal(int number) override {
    signals_.push_back(number);
    if (body_) body_();
  }
  // To this thread, not to the process: a test program may have others, with their own masks.
  static void raise_here(int number) { ASSERT_EQ(0, pthread_kill(pthread_self(), number)); }

  base::SteadyClock clock_;
  std::unique_ptr<EventLoop> loop_ = make_loop(clock_);
  std::unique_ptr<SignalWatcher> watcher_ = std::make_unique<SignalWatcher>(*loop_, *this);
  std::vector<int> signals_;
  std::function<void()> body_;
};

TEST_F(SignalsTest, arrive_in_the_loop) {
  ASSERT_TRUE(watcher_->open().ok());
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    raise_here(number);
    EXPECT_TRUE(turn_until(*loop_, [&] { return !signals_.empty(); }));
    EXPECT_EQ(std::vector<int>{number}, signals_);
    signals_.clear();
  }
}

TEST_F(SignalsTest, one_that_came_early_waits) {
  raise_here(SIGTERM);
  ASSERT_TRUE(watcher_->open().ok());
  EXPECT_TRUE(turn_until(*loop_, [&] { return !signals_.empty(); }));
  EXPECT_EQ(std::vector<int>{SIGTERM}, signals_);
}

TEST_F(SignalsTest, a_second_one_is_a_second_call) {
  ASSERT_TRUE(watcher_->open().ok());
  for (size_t count = 1; count <= 2; ++count) {
    raise_here(SIGINT);
    EXPECT_TRUE(turn_until(*loop_, [&] { return signals_.size() == count; }));
  }
}

TEST_F(SignalsTest, the_handler_may_destroy_the_watcher) {
  ASSERT_TRUE(watcher_->open().ok());
  body_ = [this] { watcher_.reset(); };
  raise_here(SIGTERM);
  raise_here(SIGHUP);
  EXPECT_TRUE(turn_until(*loop_, [&] { return watcher_ == nullptr; }));
  EXPECT_EQ(1u, signals_.size());
  // Take the other one away before the mask is lifted, which would let it end the test.
  sigset_t left;
  sigemptyset(&left);
  sigaddset(&left, SIGTERM);
  sigaddset(&left, SIGHUP);
  int number = 0;
  ASSERT_EQ(0, sigwait(&left, &number));
}

TEST_F(SignalsTest, a_broken_pipe_is_no_signal) {
  testing::SocketPair pair = testing::make_socket_pair();
  pair.there.close();
  EXPECT_EQ(-1, ::write(pair.here.fd(), "x", 1));
  EXPECT_EQ(EPIPE, errno);
}

TEST_F(SignalsTest, unblock_lifts_the_mask) {
  unblock_signals();
  sigset_t mask;
  ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, nullptr, &mask));
  EXPECT_EQ(0, sigismember(&mask, SIGTERM));
  block_signals();
  ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, nullptr, &mask));
  EXPECT_EQ(1, sigismember(&mask, SIGTERM));
  EXPECT_EQ(1, sigismember(&mask, SIGINT));
  EXPECT_EQ(1, sigismember(&mask, SIGHUP));
}

}  // namespace
}  // namespace lh::net
