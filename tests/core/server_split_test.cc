#include <gtest/gtest.h>

#include "core/coordinator.h"
#include "core/limits.h"
#include "core/server.h"
#include "core/standings.h"
#include "tests/core/server_fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// ------------------------------------------------------------------------------------ split orders

TEST_F(ServerTest, a_split_order_starts_the_stream) {
  server_.create_bucket({0, 0});
  EXPECT_EQ(step(SplitOrder{1, {0, 0}, 1, node(3), {}}),
            Lines{"b1@n3: SplitRecords split=1 stream=1 batch=0 target=(a=1,j=1) bytes=0"});
  EXPECT_TRUE(effects_.turn_wanted());
}

// Until the hand-over the target may be given up, and whoever was told of it would ask there.
TEST_F(ServerTest, where_the_child_is_becomes_known_with_the_hand_over) {
  server_.create_bucket({0, 0});
  step(SplitOrder{1, {0, 0}, 1, node(3), {}});
  EXPECT_EQ(server_.book().known(), 1u);
  hand_over();
  EXPECT_EQ(server_.book().locate(1), node(3));
}

TEST_F(ServerTest, an_order_tells_what_the_node_lacks) {
  know_buckets(1);
  server_.create_bucket({1, 1});
  step(SplitOrder{3, {1, 1}, 3, node(3), book(2, {1})});
  EXPECT_EQ(server_.book().known(), 3u);
}

TEST_F(ServerTest, an_order_that_makes_no_sense_is_passed_over) {
  server_.create_bucket({0, 0});
  const SplitOrder sound{1, {0, 0}, 1, node(3), {}};
  SplitOrder strange = sound;
  strange.source.a = 4;
  EXPECT_EQ(step(strange), Lines{}) << "a bucket that is not here";
  strange = sound;
  strange.target = 2;
  EXPECT_EQ(step(strange), Lines{}) << "no child of it";
  strange.target = kBucketsMax + 17;
  EXPECT_EQ(step(strange), Lines{});
  strange = sound;
  strange.target_node = NodeId::kNone;
  EXPECT_EQ(step(strange), Lines{}) << "no node";
  for (const int j : {40, 41, 63, 64, 255}) {
    strange = sound;
    strange.source.j = static_cast<Level>(j);
    strange.target = ~BucketNo{0} >> 1;
    EXPECT_EQ(step(strange), Lines{}) << "level " << j;
  }
  EXPECT_EQ(server_.find(0)->split(), nullptr);
  EXPECT_EQ(server_.book().known(), 1u);
  EXPECT_EQ(server_.counters().rejected, 9u);
}

// The coordinator had not heard that attempt 1 was over, and gave the bucket to node 4.
TEST_F(ServerTest, an_order_that_comes_too_late_does_not_move_the_child_on_the_map) {
  server_.create_bucket({0, 0});
  step(SplitOrder{1, {0, 0}, 1, node(3), {}});
  hand_over();
  const SplitOrder late{2, {0, 0}, 1, node(4), {}};
  EXPECT_EQ(step(late), Lines{"coordinator: SplitDone split=1 source=0 not-live"});
  EXPECT_EQ(server_.book().locate(1), node(3)) << "handed over";
  step(SplitRecordsAck{1, 1, 1, 0});
  EXPECT_EQ(server_.counters().splits, 1u);
  EXPECT_EQ(step(late), Lines{"coordinator: SplitDone split=1 source=0"});
  EXPECT_EQ(server_.book().locate(1), node(3)) << "live there";
}

TEST_F(ServerTest, a_later_attempt_takes_the_place_of_one_that_was_not_handed_over) {
  server_.create_bucket({0, 0});
  step(SplitOrder{1, {0, 0}, 1, node(3), {}});
  EXPECT_EQ(step(SplitOrder{2, {0, 0}, 1, node(4), {}}),
            Lines{"b1@n4: SplitRecords split=2 stream=1 batch=0 target=(a=1,j=1) bytes=0"});
  EXPECT_EQ(step(SplitOrder{1, {0, 0}, 1, node(3), {}}), Lines{}) << "overtaken";
  hand_over(2);
  EXPECT_EQ(server_.book().locate(1), node(4));
}

TEST_F(ServerTest, after_the_hand_over_it_forwards_to_the_child) {
  server_.create_bucket({0, 0});
  answer(Op::kPut, 0, "1", "x");
  step(SplitOrder{1, {0, 0}, 1, node(3), {}});
  EXPECT_EQ(answer(Op::kRead, 0, "1"), "Ok x") << "until then it serves";
  EXPECT_EQ(hand_over(),
            Lines{"b1@n3: SplitRecords split=1 stream=1 batch=1 last target=(a=1,j=1) bytes=23"});
  EXPECT_EQ(step(request(Op::kRead, 0, "1")),
            Lines{"b1@n3: Read 1 seq=0 to=1 hops=1 from=(a=0,j=1)"});
}

// --------------------------------------------------------------------------------- split streams

TEST_F(ServerTest, a_stream_that_makes_no_sense_is_passed_over) {
  SplitRecords strange = records(0, true, {});
  for (const BucketMark target : std::initializer_list<BucketMark>{
           {0, 0}, {0, 1}, {2, 1}, {1, 2}, {3, 2}, {kBucketsMax, 41}, {~BucketNo{0}, 255}}) {
    strange.target = target;
    EXPECT_EQ(step(strange), Lines{}) << to_string(target);
  }
  strange = records(0, true, {});
  strange.source_node = NodeId::kNone;
  EXPECT_EQ(step(strange), Lines{});
  EXPECT_TRUE(server_.buckets().empty());
  EXPECT_EQ(server_.counters().rejected, 8u);
}

TEST_F(ServerTest, a_bucket_far_beyond_the_map_costs_no_memory) {
  SplitRecords far = records(0, true, {});
  far.source = kBucketsMax / 2 - 1;
  far.target = {kBucketsMax - 1, kLevelMax};
  EXPECT_EQ(step(far).size(), 1u);
  EXPECT_EQ(server_.book().known(), 0u);
  EXPECT_TRUE(server_.find(kBucketsMax - 1)->live());
}

TEST_F(ServerTest, a_stream_whose_beginning_was_lost_is_not_taken) {
  EXPECT_EQ(step(records(1, true, {})),
            Lines{"b0@n1: SplitRecordsAck split=5 stream=1 batch=none"});
  EXPECT_EQ(server_.find(1), nullptr);
}

TEST_F(ServerTest, a_bucket_that_the_map_has_elsewhere_is_not_begun) {
  know_buckets(1);
  server_.book().set(1, node(3));
  EXPECT_EQ(step(records(0, false, {})), Lines{});
  EXPECT_EQ(server_.find(1), nullptr);
}

TEST_F(ServerTest, a_bucket_that_waits_is_dropped_when_the_map_has_it_elsewhere) {
  know_buckets(1);
  step(records(0, false, {}));
  ASSERT_NE(server_.find(1), nullptr);
  step(BookUpdate{{}, book(1, {3})});
  EXPECT_EQ(server_.find(1), nullptr);
  EXPECT_EQ(step(request(Op::kRead, 1, "1")),
            Lines{"reply: Reply seq=0 NoBucket bucket=(a=1,j=0)"});
  EXPECT_EQ(turn(), Lines{});
}

TEST_F(ServerTest, a_live_bucket_is_never_dropped) {
  server_.create_bucket({0, 0});
  answer(Op::kPut, 0, "1", "x");
  step(BookUpdate{{}, book(0, {3})});
  EXPECT_EQ(answer(Op::kRead, 0, "1"), "Ok x");
}

TEST_F(ServerTest, acknowledgements_for_buckets_that_are_not_here_are_passed_over) {
  EXPECT_EQ(step(SplitRecordsAck{1, 1, 0, 3}), Lines{});
  EXPECT_EQ(step(OverflowAck{3, 9, 9}), Lines{});
  EXPECT_EQ(step(ScanMore{7, 1, 3, 0}), Lines{});
}

TEST_F(ServerTest, a_coordinator_that_asks_is_told_what_is_here_and_what_is_known) {
  know_buckets(3);
  server_.book().set_node(entry(3, "h:3"));
  server_.create_bucket({1, 2});
  StandingQuery query;
  query.query = 9;
  query.node = node(2);
  server_.set_place(1, 2);
  step(query);
  const auto said = one_of<Standing>(effects_);
  EXPECT_EQ(said.query, 9u);
  EXPECT_EQ(said.node, node(2));
  EXPECT_EQ(said.server, 1u);
  EXPECT_EQ(said.servers, 2u);
  EXPECT_EQ(said.options, integer_file());
  EXPECT_FALSE(said.more);
  EXPECT_EQ(said.book.at, (std::vector<NodeId>{node(1), node(2), node(3)}));
  EXPECT_EQ(said.book.nodes.size(), 1u);
  ASSERT_EQ(said.buckets.size(), 1u);
  EXPECT_EQ(said.buckets[0].mark, (BucketMark{1, 2}));
  query.first = kBookEntriesMax;
  step(query);
  EXPECT_TRUE(one_of<Standing>(effects_).buckets.empty()) << "of the next page";
}

TEST_F(ServerTest, the_new_coordinators_own_start_may_be_known_before_it_asks) {
  server_.create_bucket({2, 2});
  NodeEntry one = entry(1, "h:1");
  one.version = uint64_t{1'024} << Coordinator::kSaidBits;
  step(SplitOrder{1, {2, 2}, 6, node(1), {0, {}, {one}}});
  StandingQuery query;
  query.query = Standings::number(0xe, 1);
  query.boot = 1'024;
  step(query);
  SplitRecords fresh = records(0, true, {});
  fresh.stream = uint64_t{1'024} << 32 | 1;
  step(fresh);
  ASSERT_NE(server_.find(1), nullptr) << "a stream of the new node 1 was refused";
  EXPECT_TRUE(server_.find(1)->live());
}

TEST(ServerStandingTest, one_that_has_not_joined_says_that_it_has_nothing) {
  Server server;
  server.set_place(1, 2);
  Effects effects;
  StandingQuery query;
  query.node = node(2);
  server.step(kStart, query, &effects);
  const auto said = one_of<Standing>(effects);
  EXPECT_EQ(said.node, node(2));
  EXPECT_EQ(said.options.id, 0u);
  EXPECT_TRUE(said.buckets.empty());
}

TEST_F(ServerTest, the_rest_of_a_stream_of_the_lost_coordinators_node_comes_too_late) {
  NodeEntry one = entry(1, "h:1");
  one.version = 7;
  server_.book().set_node(one);
  step(records(0, false, {}));
  ASSERT_NE(server_.find(1), nullptr);
  StandingQuery query;
  query.query = Standings::number(0xe, 1);
  step(query);
  EXPECT_FALSE(one_of<Standing>(effects_).buckets[0].live);
  SplitRecords late = records(1, true, {});
  late.stream = uint64_t{1} << 32 | 1;
  EXPECT_EQ(step(late), Lines{});
  EXPECT_FALSE(server_.find(1)->live()) << "it was said not to be";
  one.version = uint64_t{1'027} << Coordinator::kSaidBits;
  server_.book().set_node(one);
  step(query);
  late.split = 1'000'000;
  late.batch = 0;
  late.stream = uint64_t{1'027} << 32 | 1;
  step(late);
  EXPECT_TRUE(server_.find(1)->live()) << "of the new one, whose question came twice";
}

}  // namespace
}  // namespace lh::core
