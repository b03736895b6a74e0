#include "sim/sim_node.h"

#include "base/hash.h"
#include "tests/sim/cluster_fixture.h"

namespace lh::sim {
namespace {

using core::Op;
using Ending = SimDisk::Ending;

class SimNodeTest : public DiskClusterFixture {
 protected:
  SimNode& node(size_t k) { return *nodes()[k]; }
  void bring_back(SimNode* node) {
    node->restart();
    ASSERT_TRUE(cluster_.run_until([&] { return node->is_up(); }, base::seconds(2)));
    settle();
  }
  // All keys are there with what was written last.
  void expect_everything(Driver* driver) {
    for (size_t key = 0; key < world_.options.keys; ++key) {
      driver->submit(Op::kRead, key, 0);
      ASSERT_TRUE(await_idle());
    }
    EXPECT_EQ(cluster_.workload().history().find_violation(), std::nullopt);
    cluster_.checker().check_settled();
    EXPECT_EQ(world_.failure, "");
  }
};

TEST_F(SimNodeTest, comesBackWithEverythingItAcknowledgedHoweverItEnded) {
  Driver* driver = new_client();
  fill(driver);
  settle();
  for (const Ending how : {Ending::kOrderly, Ending::kKilled, Ending::kPowerCut}) {
    for (const auto& each : nodes()) {
      each->stop(how);
      EXPECT_FALSE(each->is_up());
      bring_back(each.get());
    }
  }
  expect_everything(driver);
  EXPECT_EQ(world_.counters[Count::kRestarts], 9u);
}

TEST_F(SimNodeTest, aNodeThatIsDownRefusesAndItsBucketsAreDown) {
  Driver* driver = new_client();
  fill(driver);
  settle();
  world_.trouble(base::seconds(10));
  node(1).stop(Ending::kPowerCut);
  const uint64_t unknown = world_.counters[Count::kUnknown];
  for (size_t key = 0; key < world_.options.keys; ++key) driver->submit(Op::kRead, key, 0);
  ASSERT_TRUE(await_idle());
  EXPECT_GT(world_.counters[Count::kUnknown], unknown);
  bring_back(&node(1));
  expect_everything(driver);
}

TEST_F(SimNodeTest, aTextClientHearsThatItsConnectionBroke) {
  Driver* text = cluster_.add_text_client(1, 0, false);
  ASSERT_TRUE(cluster_.run_until([&] { return text->is_ready(); }, base::seconds(2)));
  text->submit(Op::kPut, 1, 10);
  ASSERT_EQ(text->outstanding(), 1u);
  node(1).stop(Ending::kKilled);
  EXPECT_EQ(text->outstanding(), 0u);
  EXPECT_FALSE(text->is_ready());
  bring_back(&node(1));
  EXPECT_TRUE(text->is_ready());
}

TEST_F(SimNodeTest, aFlippedBitIsFoundAndNothingIsTouched) {
  Driver* driver = new_client();
  fill(driver);
  settle();
  base::Prng prng(7);
  for (int round = 1; round <= 20; ++round) {
    node(1).stop(Ending::kPowerCut);
    node(1).flip_a_bit(&prng);
    node(1).restart();
    EXPECT_FALSE(node(1).is_up());
    ASSERT_TRUE(cluster_.run_until([&] { return node(1).is_up(); }, base::seconds(2)));
    EXPECT_EQ(world_.counters[Count::kDamageFound], static_cast<uint64_t>(round));
    ASSERT_EQ(world_.failure, "");
  }
  settle();
  expect_everything(driver);
}

TEST_F(SimNodeTest, diesInTheMiddleOfAnythingTheDiskDoes) {
  Driver* driver = new_client();
  fill(driver);
  world_.trouble(base::seconds(60));
  for (uint64_t operation = 0; operation < 25; ++operation) {
    const uint64_t cuts = world_.counters[Count::kPowerCuts];
    node(1).die_at_operation(operation);
    for (int round = 0; round < 50 && world_.counters[Count::kPowerCuts] == cuts; ++round) {
      for (size_t key = 0; key < 8; ++key) driver->submit(Op::kPut, key, 10);
      cluster_.run_for(base::ms(20));
    }
    ASSERT_GT(world_.counters[Count::kPowerCuts], cuts) << operation;
    ASSERT_TRUE(cluster_.run_until([&] { return node(1).is_up(); }, base::seconds(2)));
    ASSERT_TRUE(await_idle());
  }
  settle();
  expect_everything(driver);
}

TEST_F(SimNodeTest, theCoordinatorGoesOnWhereItWas) {
  Driver* driver = new_client();
  fill(driver);
  node(0).stop(Ending::kPowerCut);
  EXPECT_EQ(node(0).coordinator(), nullptr);
  bring_back(&node(0));
  ASSERT_NE(node(0).coordinator(), nullptr);
  settle();
  EXPECT_EQ(node(0).coordinator()->splits_owed(), 0u);
  expect_everything(driver);
}

}  // namespace
}  // namespace lh::sim
