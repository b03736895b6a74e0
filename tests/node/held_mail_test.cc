#include "node/held_mail.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/mail_order.h"

namespace lh::node {
namespace {

core::Outgoing ack_to(uint32_t node, uint64_t split) {
  core::SplitRecordsAck ack;
  ack.split = split;
  return {core::Destination::to_bucket(NodeId{node}, 1), ack};
}

std::vector<uint64_t> release(HeldMail* held, uint64_t durable) {
  std::vector<uint64_t> splits;
  held->release({durable, durable}, [&](const core::Outgoing& outgoing) {
    splits.push_back(std::get<core::SplitRecordsAck>(outgoing.message).split);
  });
  return splits;
}

TEST(HeldMailTest, leaves_in_order_when_the_log_is_as_far) {
  HeldMail held;
  for (uint64_t k = 1; k <= 4; ++k) {
    const core::Outgoing outgoing = ack_to(2, k);
    held.add(core::lane_of(outgoing), {10 * k, true}, outgoing);
  }
  EXPECT_EQ(release(&held, 9), std::vector<uint64_t>{});
  EXPECT_EQ(release(&held, 20), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(release(&held, 100), (std::vector<uint64_t>{3, 4}));
  EXPECT_TRUE(held.empty());
}

TEST(HeldMailTest, a_lane_is_held_as_long_as_something_waits_in_it) {
  HeldMail held;
  const core::Outgoing one = ack_to(2, 1);
  const core::Outgoing other = ack_to(3, 2);
  EXPECT_NE(core::lane_of(one), core::lane_of(other));
  held.add(core::lane_of(one), {5, true}, one);
  EXPECT_TRUE(held.holds(core::lane_of(one)));
  EXPECT_FALSE(held.holds(core::lane_of(other)));
  release(&held, 5);
  EXPECT_FALSE(held.holds(core::lane_of(one)));
}

TEST(HeldMailTest, what_comes_behind_never_overtakes) {
  HeldMail held;
  const core::Outgoing first = ack_to(2, 1);
  const core::Outgoing second = ack_to(2, 2);
  held.add(core::lane_of(first), {7, true}, first);
  held.add(core::lane_of(second), {0, true}, second);
  EXPECT_EQ(release(&held, 6), std::vector<uint64_t>{});
  EXPECT_EQ(release(&held, 7), (std::vector<uint64_t>{1, 2}));
}

TEST(HeldMailTest, keeps_its_own_copy_and_where_it_goes) {
  HeldMail held;
  {
    std::string value = "a value that is gone soon";
    core::Reply reply;
    reply.to.client = 9;
    reply.value = value;
    const core::Outgoing outgoing{core::Destination::reply(), reply};
    held.add(core::lane_of(outgoing), {1, true}, outgoing);
    value.assign(value.size(), 'x');
  }
  int seen = 0;
  held.release({1, 1}, [&](const core::Outgoing& outgoing) {
    ++seen;
    EXPECT_EQ(outgoing.to.kind, core::Destination::Kind::kReply);
    EXPECT_EQ(std::get<core::Reply>(outgoing.message).value, "a value that is gone soon");
  });
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace lh::node
