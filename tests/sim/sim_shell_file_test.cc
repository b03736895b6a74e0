#include <gtest/gtest.h>

#include "sim/sim_shell.h"
#include "tests/sim/cluster_fixture.h"

namespace lh::sim {
namespace {

class SimShellFileTest : public DiskClusterFixture {};

TEST_F(SimShellFileTest, aLostCoordinatorsNodeRebuildsTheFileFromTheOthers) {
  Driver* driver = new_client();
  fill(driver);
  settle();
  const FileState before = nodes()[0]->coordinator()->state();
  ASSERT_GT(bucket_count(before), 3u);
  nodes()[0]->lose_disk();
  EXPECT_FALSE(nodes()[0]->is_up());
  cluster_.run_for(base::seconds(1));
  nodes()[0]->restart();
  EXPECT_EQ(nodes()[0]->id(), NodeId::kNone) << "it has to ask first";
  ASSERT_TRUE(cluster_.run_until([&] { return nodes()[0]->id() == core::Coordinator::kSelf; },
                                 core::Rebuild::kPatience));
  EXPECT_EQ(nodes()[0]->coordinator()->state(), before);
  EXPECT_EQ(world_.counters[Count::kRebuilt], 1u);
  ASSERT_EQ(world_.wipes.size(), 1u);
  EXPECT_FALSE(world_.wipes[0].had.empty());
  cluster_.checker().check_all();
  fill(driver);
  settle();
  nodes()[0]->stop(SimDisk::Ending::kKilled);
  nodes()[0]->restart();
  settle();
  cluster_.checker().check_settled();
  EXPECT_FALSE(world_.failed()) << world_.failure;
}

}  // namespace
}  // namespace lh::sim
