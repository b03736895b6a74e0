#include "core/member.h"

#include <gtest/gtest.h>

#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

class MemberTest : public ::testing::Test {
 protected:
  Lines connect() {
    effects_.clear();
    member_.on_connected(now_, &effects_);
    return lines(effects_);
  }
  Lines tick(int64_t ms, uint64_t known = 0) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    member_.tick(now_, known, {}, &effects_);
    return lines(effects_);
  }
  Member::Outcome registered(uint64_t id) {
    Registered m;
    m.id = node(id);
    return member_.on_registered(m);
  }

  Member member_{0xabc, "127.0.0.1:4001", 2};
  Effects effects_;
  base::Instant now_ = kStart;
};

TEST_F(MemberTest, registers_when_the_coordinator_is_there) {
  EXPECT_EQ(tick(1000), Lines{}) << "before that it has nothing to say";
  EXPECT_EQ(connect(), Lines{"coordinator: Register incarnation=abc address=127.0.0.1:4001"});
  const Register m = one_of<Register>(effects_);
  EXPECT_EQ(m.id, NodeId::kNone);
  EXPECT_EQ(m.buckets_max, 2u);
}

TEST_F(MemberTest, gets_its_number) {
  connect();
  EXPECT_EQ(registered(3), Member::Outcome::kJoined);
  EXPECT_EQ(member_.id(), node(3));
}

TEST_F(MemberTest, says_several_times_a_second_that_it_is_alive_and_what_it_knows) {
  connect();
  registered(3);
  EXPECT_EQ(tick(50, 5), Lines{"coordinator: Heartbeat id=n3 known=5"});
  EXPECT_EQ(tick(50, 5), Lines{});
  EXPECT_EQ(tick(149, 6), Lines{});
  EXPECT_EQ(tick(1, 6), Lines{"coordinator: Heartbeat id=n3 known=6"});
}

TEST_F(MemberTest, says_again_where_it_is_when_no_heartbeat_is_answered) {
  connect();
  registered(3);
  const Lines beat{"coordinator: Heartbeat id=n3 known=0"};
  const Lines again{"coordinator: Register incarnation=abc address=127.0.0.1:4001",
                    "coordinator: Heartbeat id=n3 known=0"};
  EXPECT_EQ(tick(50), beat);
  for (int k = 0; k < 30; ++k) {
    member_.on_answer();
    EXPECT_EQ(tick(200), beat);
  }
  for (int k = 0; k < 9; ++k) EXPECT_EQ(tick(200), beat);
  EXPECT_EQ(tick(200), again);
  for (int k = 0; k < 9; ++k) EXPECT_EQ(tick(200), beat);
  EXPECT_EQ(tick(200), again);
}

TEST_F(MemberTest, a_heartbeat_tells_what_the_node_holds) {
  connect();
  registered(3);
  member_.tick(now_ = now_ + base::ms(50), 9, {2, 30, 400}, &effects_);
  const Heartbeat m = one_of<Heartbeat>(effects_);
  EXPECT_EQ(m.incarnation, 0xabcu);
  EXPECT_EQ(m.stats.buckets, 2u);
  EXPECT_EQ(m.stats.records, 30u);
  EXPECT_EQ(m.stats.bytes, 400u);
}

TEST_F(MemberTest, registers_again_with_its_number_after_each_break) {
  connect();
  registered(3);
  connect();
  EXPECT_EQ(one_of<Register>(effects_).id, node(3));
  EXPECT_EQ(tick(1000), Lines{}) << "not before the coordinator has taken it in again";
  EXPECT_EQ(registered(3), Member::Outcome::kKnown);
  EXPECT_EQ(tick(50).size(), 1u) << "at once: the coordinator must learn what it knows";
}

TEST_F(MemberTest, a_coordinator_that_does_not_know_the_node_refuses_it) {
  connect();
  EXPECT_EQ(registered(0), Member::Outcome::kRefused);
  EXPECT_EQ(member_.id(), NodeId::kNone);
  EXPECT_EQ(tick(1000), Lines{});
}

TEST_F(MemberTest, a_node_never_takes_another_number) {
  connect();
  registered(3);
  connect();
  EXPECT_EQ(registered(4), Member::Outcome::kRefused);
  EXPECT_EQ(member_.id(), node(3));
  EXPECT_EQ(tick(1000), Lines{});
}

TEST_F(MemberTest, the_coordinators_own_node_is_registered_from_the_start) {
  member_ = Member(0xdef, node(1));
  EXPECT_EQ(tick(50), Lines{"coordinator: Heartbeat id=n1 known=0"});
}

TEST_F(MemberTest, registers_again_until_it_is_accepted) {
  connect();
  EXPECT_EQ(tick(1'950), Lines{});
  EXPECT_EQ(tick(50), Lines{"coordinator: Register incarnation=abc address=127.0.0.1:4001"});
  registered(0);
  EXPECT_EQ(tick(2'000), Lines{"coordinator: Register incarnation=abc address=127.0.0.1:4001"})
      << "one that refuses may be put right";
}

}  // namespace
}  // namespace lh::core
