#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/coordinator.h"
#include "core/journal.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// A rebuilt coordinator: buckets 0 and 1 are with node 2, which is there, 2 and 3 with node 3,
// which is known by name only.
class CoordinatorReturnTest : public ::testing::Test {
 protected:
  CoordinatorReturnTest() : coordinator_(integer_file(), "h:1", 0xa1, 0, now_) {
    CoordinatorState state;
    state.file = {2, 0};
    state.split_number = 1'000;
    state.at = {node(2), node(2), node(3), node(3)};
    for (const CoordinatorEvent& event : std::vector<CoordinatorEvent>{
             NodeRegistered{node(1), 0xa1, 0, "h:1"}, NodeRegistered{node(2), 0xa2, 0, "h:2"},
             NodeRegistered{node(3), 0, 0, "h:3"}, state}) {
      std::string record;
      append_event(&record, event);
      EXPECT_TRUE(coordinator_.recover(record));
    }
    coordinator_.resume(now_, "h:1", 0, boot_);
  }

  void step(const Message& message) {
    effects_.clear();
    coordinator_.step(now_, message, &effects_);
  }
  void claim(uint32_t id, uint64_t incarnation) {
    Register m;
    m.id = node(id);
    m.incarnation = incarnation;
    m.address = "h:33";
    step(m);
  }
  // Node 3 is asked, and has these buckets.
  void returns_with(std::vector<BucketStanding> buckets) {
    claim(3, 0xa3);
    const auto query = one_of<StandingQuery>(effects_);
    Standing m;
    m.query = query.query;
    m.node = node(3);
    m.options = integer_file();
    m.buckets = std::move(buckets);
    step(m);
  }
  NodeId answer() { return one_of<Registered>(effects_).id; }

  const base::Instant now_ = kStart;
  const Boot boot_{9, {}};
  Coordinator coordinator_;
  Effects effects_;
};

TEST_F(CoordinatorReturnTest, a_node_that_fits_is_taken_back) {
  EXPECT_FALSE(coordinator_.is_up(node(3)));
  returns_with({{{2, 2}, true, 7, 6}, {{3, 2}}, {{9, 4}, false}});
  EXPECT_EQ(answer(), node(3));
  EXPECT_TRUE(coordinator_.is_up(node(3)));
  EXPECT_EQ(coordinator_.book().node(node(3))->address, "h:33");
  EXPECT_TRUE(coordinator_.misfits().empty());
  step(Overflow{2, 2, 9, 7});
  EXPECT_EQ(coordinator_.splits_owed(), 1u) << "what it reported before was answered before";
}

TEST_F(CoordinatorReturnTest, what_it_reports_before_that_is_not_heard) {
  step(Overflow{2, 2, 9, 7});
  EXPECT_EQ(coordinator_.splits_owed(), 0u);
  EXPECT_EQ(count_of<OverflowAck>(effects_), 0u);
}

TEST_F(CoordinatorReturnTest, the_first_who_fits_is_the_node_for_good) {
  returns_with({{{2, 2}}, {{3, 2}}});
  claim(3, 0xbad);
  EXPECT_EQ(answer(), NodeId::kNone);
  claim(3, 0xa3);
  EXPECT_EQ(answer(), node(3)) << "it is known now";
}

TEST_F(CoordinatorReturnTest, a_number_that_nobody_knows_is_refused) {
  claim(7, 0xa7);
  EXPECT_EQ(answer(), NodeId::kNone);
}

TEST_F(CoordinatorReturnTest,
       one_with_another_level_is_refused_and_asked_again_when_it_asks_again) {
  returns_with({{{2, 2}}, {{3, 3}}});
  EXPECT_EQ(answer(), NodeId::kNone);
  EXPECT_EQ(coordinator_.misfits().at(node(3)), "it has bucket (a=3,j=3)");
  EXPECT_FALSE(coordinator_.is_up(node(3)));
  returns_with({{{2, 2}}, {{3, 2}}});
  EXPECT_EQ(answer(), node(3));
  EXPECT_TRUE(coordinator_.misfits().empty());
}

TEST_F(CoordinatorReturnTest, one_with_a_bucket_of_another_or_of_nobody_is_refused) {
  returns_with({{{1, 2}}, {{2, 2}}, {{3, 2}}});
  EXPECT_EQ(coordinator_.misfits().at(node(3)), "it has bucket (a=1,j=2)");
  returns_with({{{2, 2}}, {{3, 2}}, {{4, 3}}});
  EXPECT_EQ(coordinator_.misfits().at(node(3)), "it has bucket (a=4,j=3)");
}

TEST_F(CoordinatorReturnTest, one_without_its_bucket_is_refused) {
  returns_with({{{2, 2}}});
  EXPECT_EQ(coordinator_.misfits().at(node(3)), "it does not have bucket 3");
}

TEST_F(CoordinatorReturnTest, it_survives_as_a_node_known_by_name) {
  Coordinator again(integer_file(), "h:1", 0xa1, 0, now_);
  for (const std::string& record : coordinator_.snapshot()) EXPECT_TRUE(again.recover(record));
  again.resume(now_, "h:1", 0, boot_);
  EXPECT_FALSE(again.is_up(node(3)));
  EXPECT_TRUE(again.is_up(node(2)));
}

}  // namespace
}  // namespace lh::core
