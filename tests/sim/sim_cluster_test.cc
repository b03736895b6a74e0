#include "sim/sim_cluster.h"

#include <gtest/gtest.h>

#include "tests/sim/cluster_fixture.h"

namespace lh::sim {
namespace {

using base::ms;
using base::seconds;

class SimClusterTest : public ClusterFixture {};

TEST_F(SimClusterTest, nodesJoin) {
  const auto joined = [this] { return nodes().back()->id() != NodeId::kNone; };
  EXPECT_EQ(nodes().size(), 3u);
  EXPECT_TRUE(cluster_.run_until(joined, seconds(2)));
  cluster_.add_node();
  EXPECT_TRUE(cluster_.run_until(joined, seconds(2)));
  EXPECT_EQ(cluster_.process_of(nodes()[3]->id()), nodes()[3]->process());
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
  EXPECT_EQ(world_.failure, "");
}

TEST_F(SimClusterTest, whatANodeThatIsDownOwesComesWhenItIsBack) {
  Driver* driver = new_client();
  cluster_.network().freeze(nodes()[0]->process());
  driver->submit(core::Op::kPut, 1, 10);
  cluster_.run_for(ms(300));
  EXPECT_EQ(driver->outstanding(), 1u);
  cluster_.heal();
  EXPECT_TRUE(await_idle());
  EXPECT_EQ(world_.failure, "");
}

TEST_F(SimClusterTest, whatADeadClientAskedIsNotWaitedFor) {
  Driver* driver = new_client();
  driver->submit(core::Op::kPut, 1, 10);
  EXPECT_FALSE(cluster_.workload().is_idle());
  cluster_.kill_client(0);
  EXPECT_TRUE(cluster_.workload().is_idle());
  EXPECT_TRUE(cluster_.clients()[0].shell->is_dead());
}

}  // namespace
}  // namespace lh::sim
