#include "node/coordinator_log.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/base/recording_sink.h"
#include "tests/core/fixture.h"

namespace lh::node {
namespace {

using core::testing::kStart;
using core::testing::Lines;
using core::testing::node;

// A coordinator that hears from nodes 2, 3, ... what the test says, and the log that looks at it.
class CoordinatorLogTest : public ::testing::Test {
 protected:
  CoordinatorLogTest() { tick(0); }

  // What was logged since the last call.
  Lines tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    coordinator_.tick(now_, &effects_);
    log_.look(now_, coordinator_);
    return sink_.take();
  }
  void step(const core::Message& message) {
    effects_.clear();
    coordinator_.step(now_, message, &effects_);
  }
  void join(uint64_t id, const std::string& address) {
    core::Register m;
    m.incarnation = 100 + id;
    m.address = address;
    step(m);
  }
  void heartbeat(uint64_t id) { step(core::Heartbeat{node(id), 100 + id, 0, {}}); }
  void collide() { step(core::Overflow{0, 0, 4, ++collisions_}); }
  void split(const core::SplitOrder& order) {
    step(core::SplitDone{order.split, order.source.a, true});
  }
  core::SplitOrder order() const { return core::testing::one_of<core::SplitOrder>(effects_); }
  void split_once() {
    collide();
    split(order());
  }

  base::testing::RecordingSink sink_;
  base::Instant now_ = kStart;
  core::Coordinator coordinator_{core::testing::integer_file(), "127.0.0.1:4001", 101, 0, kStart};
  core::Effects effects_;
  CoordinatorLog log_;
  uint64_t collisions_ = 0;
};

TEST_F(CoordinatorLogTest, says_who_comes_goes_and_comes_back) {
  EXPECT_EQ(tick(50), Lines{}) << "the coordinator's own node is no news";
  join(2, "127.0.0.1:4002");
  EXPECT_EQ(tick(50), Lines{"info coordinator node registered node=2 address=127.0.0.1:4002"});
  EXPECT_EQ(tick(50), Lines{});
  EXPECT_EQ(tick(2000), Lines{"warn coordinator node down node=2 address=127.0.0.1:4002"});
  EXPECT_EQ(tick(2000), Lines{}) << "said once";
  heartbeat(2);
  EXPECT_EQ(tick(50), Lines{"info coordinator node up node=2 address=127.0.0.1:4002"});
  join(2, "127.0.0.1:4003");
  EXPECT_EQ(tick(50), Lines{"info coordinator node moved node=2 address=127.0.0.1:4003"});
}

TEST_F(CoordinatorLogTest, what_is_there_at_the_first_look_is_known) {
  join(2, "127.0.0.1:4002");
  CoordinatorLog fresh;
  fresh.look(now_, coordinator_);
  EXPECT_EQ(sink_.take(), Lines{});
}

TEST_F(CoordinatorLogTest, says_when_the_file_has_doubled) {
  split_once();
  EXPECT_EQ(tick(50), Lines{"info coordinator file doubled buckets=2"});
  split_once();
  EXPECT_EQ(tick(50), Lines{});
  split_once();
  EXPECT_EQ(tick(50), Lines{"info coordinator file doubled buckets=4"});
}

TEST_F(CoordinatorLogTest, warns_of_splits_that_do_not_get_done) {
  EXPECT_EQ(tick(60'000), Lines{}) << "none is owed";
  collide();
  const core::SplitOrder first = order();
  EXPECT_EQ(tick(4950), Lines{});
  EXPECT_EQ(tick(50), Lines{"warn coordinator no split gets done owed=1 seconds=5"});
  EXPECT_EQ(tick(4950), Lines{});
  EXPECT_EQ(tick(50), Lines{"warn coordinator no split gets done owed=1 seconds=10"});
  split(first);
  collide();
  EXPECT_EQ(tick(50), Lines{"info coordinator file doubled buckets=2"});
  EXPECT_EQ(tick(4900), Lines{}) << "one was done meanwhile";
}

}  // namespace
}  // namespace lh::node
