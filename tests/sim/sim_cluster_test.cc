#include "sim/sim_cluster.h"

#include <gtest/gtest.h>

namespace lh::sim {
namespace {

using base::ms;
using base::seconds;

// A file of three nodes without a fault, whose clients ask what the test asks.
class SimClusterTest : public ::testing::Test {
 protected:
  static Options options() {
    Options o;
    o.seed = 1;
    o.capacity = 3;
    o.nodes = 3;
    o.keys = 40;
    o.delay_min = base::us(50);
    o.delay_max = ms(1);
    return o;
  }
  bool await_idle() {
    return cluster_.run_until([this] { return cluster_.workload().is_idle(); }, seconds(5));
  }

  SimCluster cluster_{options(), {}, nullptr};
};

TEST_F(SimClusterTest, nodesJoin) {
  const auto joined = [this] { return cluster_.nodes().back()->id() != NodeId::kNone; };
  EXPECT_EQ(cluster_.nodes().size(), 3u);
  EXPECT_TRUE(cluster_.run_until(joined, seconds(2)));
  cluster_.add_node();
  EXPECT_TRUE(cluster_.run_until(joined, seconds(2)));
  EXPECT_EQ(cluster_.process_of(cluster_.nodes()[3]->id()), cluster_.nodes()[3]->process());
  EXPECT_EQ(cluster_.process_of(NodeId{99}), 0u);
}

TEST_F(SimClusterTest, aFileGrowsUnderItsClients) {
  Driver* driver = cluster_.add_client(SimClient::Listening::kYes, false);
  ASSERT_TRUE(cluster_.run_until([&] { return driver->is_ready(); }, seconds(2)));
  for (size_t key = 0; key < 40; ++key) {
    driver->submit(core::Op::kPut, key, 10);
    ASSERT_TRUE(await_idle());
  }
  cluster_.run_for(seconds(2));
  EXPECT_GT(bucket_count(cluster_.checker().state()), 4u);
  EXPECT_GT(cluster_.counters()[Count::kSplits], 3u);
  cluster_.checker().check_all();
  EXPECT_EQ(cluster_.world().failure, "");
}

TEST_F(SimClusterTest, whatANodeThatIsDownOwesComesWhenItIsBack) {
  Driver* driver = cluster_.add_client(SimClient::Listening::kNo, false);
  ASSERT_TRUE(cluster_.run_until([&] { return driver->is_ready(); }, seconds(2)));
  cluster_.network().freeze(cluster_.nodes()[0]->process());
  driver->submit(core::Op::kPut, 1, 10);
  cluster_.run_for(ms(300));
  EXPECT_EQ(driver->outstanding(), 1u);
  cluster_.heal();
  EXPECT_TRUE(await_idle());
  EXPECT_EQ(cluster_.world().failure, "");
}

TEST_F(SimClusterTest, whatADeadClientAskedIsNotWaitedFor) {
  Driver* driver = cluster_.add_client(SimClient::Listening::kNo, false);
  ASSERT_TRUE(cluster_.run_until([&] { return driver->is_ready(); }, seconds(2)));
  driver->submit(core::Op::kPut, 1, 10);
  EXPECT_FALSE(cluster_.workload().is_idle());
  cluster_.kill_client(0);
  EXPECT_TRUE(cluster_.workload().is_idle());
  EXPECT_TRUE(cluster_.clients()[0].shell->is_dead());
}

}  // namespace
}  // namespace lh::sim
