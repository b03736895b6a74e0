#include "sim/sim_shell.h"

#include "tests/sim/cluster_fixture.h"

namespace lh::sim {
namespace {

class SimShellTest : public ClusterFixture {};

TEST_F(SimShellTest, aFrontAnswersWhatItsOwnServerHasOnTheSpot) {
  Driver* text = cluster_.add_text_client(0, 0, false);
  ASSERT_TRUE(text->is_ready());
  text->submit(core::Op::kPut, 0, 10);
  EXPECT_EQ(text->outstanding(), 0u);
  EXPECT_EQ(world_.counters[Count::kLocal], 1u);
}

TEST_F(SimShellTest, aNodeJoinsAndHasANumber) {
  SimNode* late = cluster_.add_node();
  EXPECT_EQ(late->id(), NodeId::kNone);
  ASSERT_TRUE(cluster_.run_until([&] { return late->id() != NodeId::kNone; }, base::seconds(2)));
  EXPECT_EQ(world_.counters[Count::kNodesJoined], 3u);
}

TEST_F(SimShellTest, aFrameThatIsNoneIsAViolation) {
  nodes()[0]->shell()->on_frame(kFirstLink, "no frame");
  EXPECT_NE(world_.failure, "");
}

class SimShellDiskTest : public DiskClusterFixture {};

TEST_F(SimShellDiskTest, withADiskEvenALocalAnswerWaits) {
  settle();
  Driver* text = cluster_.add_text_client(0, 0, false);
  ASSERT_TRUE(text->is_ready());
  const uint64_t waits = world_.counters[Count::kWaits];
  text->submit(core::Op::kPut, 0, 10);
  EXPECT_EQ(text->outstanding(), 1u);
  EXPECT_GT(world_.counters[Count::kWaits], waits);
  EXPECT_TRUE(await_idle());
}

}  // namespace
}  // namespace lh::sim
