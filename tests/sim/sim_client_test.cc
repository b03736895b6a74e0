#include "sim/sim_client.h"

#include "tests/sim/cluster_fixture.h"

namespace lh::sim {
namespace {

class SimClientTest : public ClusterFixture {
 protected:
  // A new client reads what another one has put into a file of several buckets.
  void read_by(SimClient::Listening listening) {
    fill(new_client());
    settle();
    Driver* driver = cluster_.add_client(listening, false);
    ASSERT_TRUE(cluster_.run_until([&] { return driver->is_ready(); }, base::seconds(1)));
    for (size_t key = 0; key < 40; ++key) driver->submit(core::Op::kRead, key, 0);
    ASSERT_TRUE(await_idle());
  }
};

TEST_F(SimClientTest, isReadyWhenANodeHasWelcomedIt) {
  Driver* driver = cluster_.add_client(SimClient::Listening::kNo, false);
  EXPECT_FALSE(driver->is_ready());
  EXPECT_TRUE(cluster_.run_until([&] { return driver->is_ready(); }, base::seconds(1)));
}

TEST_F(SimClientTest, learnsTheFileFromItsMistakes) {
  fill(new_client());
  settle();
  new_client();
  const SimClient& fresh = *cluster_.clients()[1].shell;
  EXPECT_EQ(bucket_count(fresh.core().image()), 1u);
  for (size_t key = 0; key < 40; ++key) {
    cluster_.clients()[1].driver->submit(core::Op::kRead, key, 0);
    ASSERT_TRUE(await_idle());
  }
  EXPECT_GT(bucket_count(fresh.core().image()), 1u);
  EXPECT_EQ(world_.failure, "");
}

TEST_F(SimClientTest, oneThatListensIsAnsweredStraight) {
  read_by(SimClient::Listening::kYes);
  EXPECT_GT(world_.counters[Count::kListenerAnswers], 0u);
  EXPECT_EQ(world_.counters[Count::kListenerFallbacks], 0u);
}

TEST_F(SimClientTest, oneThatOnlySaysSoIsAnsweredByWayOfItsNode) {
  read_by(SimClient::Listening::kRefusing);
  EXPECT_GT(world_.counters[Count::kListenerFallbacks], 0u);
}

TEST_F(SimClientTest, aDeadOneIsNeverReadyAgain) {
  Driver* driver = new_client();
  cluster_.kill_client(0);
  EXPECT_TRUE(cluster_.clients()[0].shell->is_dead());
  cluster_.heal();
  settle();
  EXPECT_FALSE(driver->is_ready());
}

}  // namespace
}  // namespace lh::sim
