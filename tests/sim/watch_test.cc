#include "sim/watch.h"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.h"

namespace lh::sim {
namespace {

class WatchTest : public ::testing::Test {
 protected:
  uint64_t count(Count what) const { return world_.counters[what]; }
  static core::SplitRecords batch(uint32_t number, uint64_t stream = 1) {
    core::SplitRecords m;
    m.split = 3;
    m.stream = stream;
    m.batch = number;
    m.changes = "changes";
    return m;
  }

  World world_{Options{}};
  Watch watch_{&world_};
  core::Server server_;
};

TEST_F(WatchTest, remembersTheLatestOrderAndSeesWhenItsTargetChanges) {
  EXPECT_FALSE(watch_.order().has_value());
  core::SplitOrder order;
  order.target = 4;
  order.target_node = NodeId{2};
  watch_.on_sent(order);
  watch_.on_sent(order);
  EXPECT_EQ(count(Count::kReassigned), 0u);
  order.target_node = NodeId{3};
  watch_.on_sent(order);
  EXPECT_EQ(count(Count::kReassigned), 1u);
  EXPECT_EQ(watch_.order()->target_node, NodeId{3});
}

TEST_F(WatchTest, tellsNewBatchesFromRepeatedOnesAndStreamsFromTheirRestarts) {
  watch_.on_sent(batch(0));
  watch_.on_sent(batch(1));
  watch_.on_sent(batch(1));
  EXPECT_EQ(count(Count::kSplitBatches), 2u);
  EXPECT_EQ(count(Count::kBatchesResent), 1u);
  watch_.on_sent(batch(0, 2));
  EXPECT_EQ(count(Count::kStreamRestarts), 1u);
  watch_.on_sent(batch(0, (uint64_t{5} << 32) + 1));
  EXPECT_EQ(count(Count::kStreamRestarts), 1u) << "the first stream of another start of the node";
}

TEST_F(WatchTest, aWindowIsFullWhenNothingMoreMayGoOut) {
  const auto window = static_cast<uint32_t>(core::kSplitWindowBatches);
  for (uint32_t k = 0; k + 1 < window; ++k) watch_.on_sent(batch(k));
  EXPECT_EQ(count(Count::kWindowsFull), 0u);
  watch_.on_input(server_, core::SplitRecordsAck{3, 1, 0, 0});
  watch_.on_sent(batch(window - 1));
  EXPECT_EQ(count(Count::kWindowsFull), 0u) << "one was acknowledged";
  watch_.on_sent(batch(window));
  EXPECT_EQ(count(Count::kWindowsFull), 1u);
}

TEST_F(WatchTest, countsRequestsThatCameBefore) {
  server_.configure(NodeId{1}, core::FileOptions());
  server_.create_bucket({0, 0});
  core::Request put;
  put.from.client = 5;
  put.seq = 1;
  put.op = core::Op::kPut;
  watch_.on_input(server_, put);
  EXPECT_EQ(count(Count::kDuplicates), 0u);
  watch_.on_input(server_, put);
  EXPECT_EQ(count(Count::kDuplicates), 1u);
  put.op = core::Op::kRead;
  watch_.on_input(server_, put);
  EXPECT_EQ(count(Count::kDuplicates), 1u) << "reads may come as often as they like";
}

TEST_F(WatchTest, hearsWhatASettledFileShouldNotSay) {
  watch_.on_sent(batch(0));
  EXPECT_EQ(watch_.heard(), "") << "not listening yet";
  watch_.start_listening(false);
  watch_.on_sent(core::Heartbeat{});
  watch_.on_sent(core::BookUpdate{});
  EXPECT_EQ(watch_.heard(), "");
  watch_.on_sent(core::Overflow{});
  EXPECT_NE(watch_.heard(), "");
}

TEST_F(WatchTest, reportsAreExpectedWhileSplitsAreOwed) {
  watch_.start_listening(true);
  watch_.on_sent(core::Overflow{});
  watch_.on_sent(core::OverflowAck{});
  EXPECT_EQ(watch_.heard(), "");
  watch_.on_sent(batch(0));
  EXPECT_NE(watch_.heard(), "");
}

}  // namespace
}  // namespace lh::sim
