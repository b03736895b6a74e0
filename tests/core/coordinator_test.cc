#include "core/coordinator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/limits.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// A coordinator at node 1, which the test's other nodes talk to.
class CoordinatorTest : public ::testing::Test {
 protected:
  explicit CoordinatorTest(uint64_t own_buckets_max = 0)
      : coordinator_(integer_file(), "127.0.0.1:4001", kIncarnation + 1, own_buckets_max, kStart) {}

  Lines step(const Message& message) {
    feed(message);
    return lines(effects_);
  }
  void feed(const Message& message) {
    effects_.clear();
    coordinator_.step(now_, message, &effects_);
  }
  Lines tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    coordinator_.tick(now_, &effects_);
    return lines(effects_);
  }

  // Node number `id` registers; the numbers come out as 2, 3, 4, ... in this order.
  Lines join(uint64_t id, uint64_t buckets_max = 0, const std::string& address = "") {
    return step(registration(id, buckets_max, address));
  }
  Register registration(uint64_t id, uint64_t buckets_max = 0, const std::string& address = "") {
    Register m;
    m.incarnation = kIncarnation + id;
    m.buckets_max = buckets_max;
    address_ = address.empty() ? "127.0.0.1:400" + std::to_string(id) : address;
    m.address = address_;
    return m;
  }
  Lines heartbeat(uint64_t id, uint64_t known = 0) {
    NodeStats stats;
    stats.full = full_.contains(id);
    return step(Heartbeat{node(id), kIncarnation + id, known, stats});
  }
  // All but the nodes in `silent` are heard while time passes. What ticks say is returned.
  Lines pass(int64_t ms, std::initializer_list<uint64_t> silent = {}) {
    Lines said;
    for (; ms > 0; ms -= 50) {
      for (uint64_t id = 2; id <= 9; ++id) {
        if (std::find(silent.begin(), silent.end(), id) == silent.end()) heartbeat(id, 1000);
      }
      for (std::string& line : tick(50)) said.push_back(std::move(line));
    }
    return said;
  }
  Lines overflow(BucketNo bucket, uint64_t collisions) {
    return step(Overflow{bucket, 0, 4, collisions});
  }
  // One more split, done at once.
  void split_once() {
    overflow(0, ++collisions_);
    const SplitOrder order = one_of<SplitOrder>(effects_);
    step(SplitDone{order.split, order.source.a, true});
  }
  Lines query(FileQueryKind kind, uint64_t number = 1) {
    FileQuery m;
    m.from.client = 7;
    m.query = number;
    m.kind = kind;
    return step(m);
  }
  // Where buckets 0, 1, 2, ... are: `1 2 3 2`.
  std::string places() const {
    std::string out;
    for (BucketNo a = 0; a < coordinator_.book().known(); ++a) {
      out += (a == 0 ? "" : " ") +
             std::to_string(static_cast<uint32_t>(coordinator_.book().locate(a)));
    }
    return out;
  }
  static bool contains(const Lines& all, const std::string& line) {
    return std::find(all.begin(), all.end(), line) != all.end();
  }

  static constexpr uint64_t kIncarnation = 0xa0;
  Coordinator coordinator_;
  Effects effects_;
  base::Instant now_ = kStart;
  std::string address_;
  std::set<uint64_t> full_;
  uint64_t collisions_ = 0;
};

// ----------------------------------------------------------------------------------- registration

TEST_F(CoordinatorTest, starts_as_one_bucket_at_its_own_node) {
  EXPECT_EQ(coordinator_.state(), (FileState{0, 0}));
  EXPECT_EQ(places(), "1");
  EXPECT_TRUE(coordinator_.is_up(node(1)));
  EXPECT_FALSE(coordinator_.is_up(node(2)));
}

TEST_F(CoordinatorTest, a_node_gets_the_next_number_the_options_and_the_map) {
  EXPECT_EQ(join(2),
            (Lines{"reply: Registered id=n2 book=0@n1", "n1: BookUpdate", "n2: BookUpdate"}));
  const Registered m = one_of<Registered>(effects_);
  EXPECT_EQ(m.options, integer_file());
  ASSERT_EQ(m.book.nodes.size(), 2u);
  EXPECT_EQ(m.book.nodes[0].address, "127.0.0.1:4001");
  EXPECT_EQ(m.book.nodes[1].address, "127.0.0.1:4002");
  join(3);
  EXPECT_EQ(one_of<Registered>(effects_).id, node(3));
}

TEST_F(CoordinatorTest, all_nodes_are_told_of_a_new_one) {
  join(2);
  join(3);
  const std::vector<BookUpdate> told = all_of<BookUpdate>(effects_);
  ASSERT_EQ(told.size(), 3u);
  for (const BookUpdate& m : told) EXPECT_EQ(m.book.nodes.at(0).address, "127.0.0.1:4003");
}

TEST_F(CoordinatorTest, the_same_process_keeps_its_number_at_another_port) {
  join(2);
  join(3);
  join(2, 0, "127.0.0.1:5002");
  EXPECT_EQ(one_of<Registered>(effects_).id, node(2));
  EXPECT_EQ(coordinator_.book().node(node(2))->address, "127.0.0.1:5002");
}

TEST_F(CoordinatorTest, a_node_of_another_file_is_refused) {
  Register m;
  m.id = node(5);
  m.incarnation = 0xbeef;
  m.address = "127.0.0.1:4005";
  EXPECT_EQ(step(m), Lines{"reply: Registered id=n0"});
  EXPECT_EQ(coordinator_.counters().rejected, 1u);
}

TEST_F(CoordinatorTest, registrations_that_make_no_sense_are_passed_over) {
  Register m;
  m.incarnation = 0;
  m.address = "127.0.0.1:4005";
  EXPECT_EQ(step(m), Lines{});
  m.incarnation = 1;
  m.address = "";
  EXPECT_EQ(step(m), Lines{});
  const std::string endless(kAddressBytesMax + 1, 'x');
  m.address = endless;
  EXPECT_EQ(step(m), Lines{});
  EXPECT_EQ(coordinator_.counters().rejected, 3u);
}

TEST_F(CoordinatorTest, the_number_of_nodes_is_bounded) {
  for (uint64_t id = 2; id <= kNodesMax; ++id) {
    feed(registration(id, 0, "a:1"));
    ASSERT_TRUE(coordinator_.is_up(node(id)));
    now_ = now_ + base::ms(900);  // it is down before the next one comes: few have to be told
    coordinator_.tick(now_, &effects_);
  }
  EXPECT_EQ(join(kNodesMax + 1), Lines{"reply: Registered id=n0"});
}

// ------------------------------------------------------------------------------------- heartbeats

TEST_F(CoordinatorTest, a_heartbeat_is_answered_with_what_the_node_lacks) {
  join(2);
  split_once();
  split_once();
  EXPECT_EQ(heartbeat(2, 1), Lines{"n2: BookUpdate book=1@n2,2@n2"});
  EXPECT_EQ(heartbeat(2, 3), Lines{"n2: BookUpdate"});
  EXPECT_EQ(heartbeat(2, ~uint64_t{0}), Lines{"n2: BookUpdate"});
}

TEST_F(CoordinatorTest, heartbeats_of_strangers_are_passed_over) {
  join(2);
  EXPECT_EQ(heartbeat(3), Lines{});
  EXPECT_EQ(step(Heartbeat{node(2), 0xbeef, 0, {}}), Lines{}) << "another process";
  EXPECT_EQ(coordinator_.counters().rejected, 2u);
}

TEST_F(CoordinatorTest, a_silent_node_is_down_until_it_is_heard_again) {
  join(2);
  join(3);
  EXPECT_EQ(pass(800, {3}), Lines{});
  EXPECT_TRUE(coordinator_.is_up(node(3)));
  EXPECT_EQ(pass(50, {3}), (Lines{"n1: BookUpdate down=n3", "n2: BookUpdate down=n3"}));
  EXPECT_FALSE(coordinator_.is_up(node(3)));
  EXPECT_EQ(pass(1000, {3}), Lines{}) << "said once";
  heartbeat(3, 1);
  EXPECT_TRUE(coordinator_.is_up(node(3)));
  EXPECT_EQ(count_of<BookUpdate>(effects_), 4u) << "all three are told, and it gets its answer";
}

TEST_F(CoordinatorTest, a_node_that_cannot_be_reached_where_it_says_it_is_gets_no_bucket) {
  join(2);
  join(3);
  effects_.clear();
  coordinator_.node_unreachable(now_, node(2), &effects_);
  EXPECT_FALSE(coordinator_.is_up(node(2)));
  EXPECT_EQ(count_of<BookUpdate>(effects_), 2u) << "the others are told";
  overflow(0, 1);
  EXPECT_EQ(one_of<SplitOrder>(effects_).target_node, node(3));
  pass(700);
  EXPECT_FALSE(coordinator_.is_up(node(2))) << "though it is heard all the time";
  join(2);
  EXPECT_FALSE(coordinator_.is_up(node(2))) << "it says the same as before";
  pass(200);
  EXPECT_TRUE(coordinator_.is_up(node(2))) << "no message came back for a while";
  coordinator_.node_unreachable(now_, node(2), &effects_);
  join(2, 0, "127.0.0.1:5002");
  EXPECT_TRUE(coordinator_.is_up(node(2))) << "it is elsewhere now";
}

TEST_F(CoordinatorTest, a_node_whose_connection_broke_is_told_again_where_all_are) {
  join(2);
  join(3);
  heartbeat(3, 1);
  EXPECT_TRUE(one_of<BookUpdate>(effects_).book.nodes.empty());
  coordinator_.link_lost(node(3));
  heartbeat(3, 1);
  EXPECT_EQ(one_of<BookUpdate>(effects_).book.nodes.size(), 3u);
  heartbeat(3, 1);
  EXPECT_TRUE(one_of<BookUpdate>(effects_).book.nodes.empty()) << "once";
}

TEST_F(CoordinatorTest, a_node_that_returns_hears_what_was_said_without_it) {
  join(2);
  join(3);
  pass(1000, {3});
  join(2, 0, "127.0.0.1:5002");
  heartbeat(3, 1);
  const std::vector<BookUpdate> told = all_of<BookUpdate>(effects_);
  ASSERT_FALSE(told.empty());
  ASSERT_EQ(told.back().book.nodes.size(), 3u);
  EXPECT_EQ(told.back().book.nodes[1].address, "127.0.0.1:5002");
}

TEST_F(CoordinatorTest, its_own_node_is_as_alive_as_itself) {
  pass(10'000);
  EXPECT_TRUE(coordinator_.is_up(node(1)));
}

// --------------------------------------------------------------------------------------- growth

TEST_F(CoordinatorTest, every_collision_is_one_split_of_bucket_n) {
  join(2);
  EXPECT_EQ(overflow(0, 1), (Lines{"b0@n1: OverflowAck bucket=0 collisions=1 done=0",
                                   "b0@n1: SplitOrder split=1 source=(a=0,j=0) target=1@n2"
                                   " book=0@n1"}));
  EXPECT_EQ(step(SplitDone{1, 0, true}),
            (Lines{"n1: BookUpdate book=1@n2", "n2: BookUpdate book=1@n2",
                   "b0@n1: OverflowAck bucket=0 collisions=1 done=1"}));
  EXPECT_EQ(coordinator_.state(), (FileState{1, 0}));
  EXPECT_EQ(coordinator_.counters().splits, 1u);
}

TEST_F(CoordinatorTest, the_split_pointer_goes_round) {
  join(2);
  std::string sources;
  for (int k = 0; k < 7; ++k) {
    overflow(0, ++collisions_);
    const SplitOrder order = one_of<SplitOrder>(effects_);
    sources += to_string(order.source) + ">" + std::to_string(order.target) + " ";
    step(SplitDone{order.split, order.source.a, true});
  }
  EXPECT_EQ(sources,
            "(a=0,j=0)>1 (a=0,j=1)>2 (a=1,j=1)>3 (a=0,j=2)>4 (a=1,j=2)>5 (a=2,j=2)>6 (a=3,j=2)>7 ");
  EXPECT_EQ(coordinator_.state(), (FileState{3, 0}));
}

TEST_F(CoordinatorTest, repeated_and_late_reports_count_once) {
  join(2);
  overflow(0, 2);
  EXPECT_EQ(coordinator_.splits_owed(), 2u);
  EXPECT_EQ(overflow(0, 2), Lines{"b0@n1: OverflowAck bucket=0 collisions=2 done=0"});
  EXPECT_EQ(overflow(0, 1), Lines{"b0@n1: OverflowAck bucket=0 collisions=2 done=0"});
  EXPECT_EQ(coordinator_.counters().collisions, 2u);
}

TEST_F(CoordinatorTest, one_split_is_under_way_at_a_time) {
  join(2);
  overflow(0, 3);
  EXPECT_EQ(count_of<SplitOrder>(effects_), 1u);
  step(SplitDone{1, 0, true});
  EXPECT_EQ(one_of<SplitOrder>(effects_).split, 2u);
  EXPECT_EQ(count_of<OverflowAck>(effects_), 0u) << "done when all three are";
  step(SplitDone{2, 0, true});
  step(SplitDone{3, 1, true});
  EXPECT_EQ(one_of<OverflowAck>(effects_).done, 3u);
  EXPECT_EQ(coordinator_.splits_owed(), 0u);
}

TEST_F(CoordinatorTest, reports_are_paid_in_the_order_in_which_they_came) {
  join(2);
  split_once();
  overflow(1, 1);
  overflow(0, ++collisions_);
  step(SplitDone{2, 0, true});
  EXPECT_EQ(one_of<OverflowAck>(effects_).bucket, 1u);
  step(SplitDone{3, 1, true});
  EXPECT_EQ(one_of<OverflowAck>(effects_).bucket, 0u);
}

TEST_F(CoordinatorTest, a_bucket_may_report_before_its_split_is_known_to_be_done) {
  join(2);
  overflow(0, 1);
  EXPECT_EQ(overflow(1, 1), Lines{"b1@n2: OverflowAck bucket=1 collisions=1 done=0"});
  EXPECT_EQ(coordinator_.splits_owed(), 2u);
}

TEST_F(CoordinatorTest, reports_of_buckets_that_do_not_exist_are_passed_over) {
  join(2);
  EXPECT_EQ(overflow(1, 1), Lines{}) << "the next one, but no split is under way";
  EXPECT_EQ(overflow(2, 1), Lines{});
  EXPECT_EQ(overflow(~BucketNo{0}, 1), Lines{});
  overflow(0, 1);
  EXPECT_EQ(overflow(2, 1), Lines{});
  EXPECT_EQ(coordinator_.counters().rejected, 4u);
  EXPECT_EQ(coordinator_.splits_owed(), 1u);
}

TEST_F(CoordinatorTest, an_order_is_repeated_until_it_is_done) {
  join(2);
  overflow(0, 1);
  EXPECT_EQ(pass(200), Lines{});
  EXPECT_EQ(pass(50), Lines{"b0@n1: SplitOrder split=1 source=(a=0,j=0) target=1@n2 book=0@n1"});
  EXPECT_EQ(pass(200), Lines{});
  step(SplitDone{1, 0, true});
  EXPECT_EQ(pass(1000), Lines{});
}

TEST_F(CoordinatorTest, an_order_tells_the_source_what_its_node_lacks) {
  join(2);
  join(3);
  for (int k = 0; k < 3; ++k) split_once();
  heartbeat(2, 2);
  overflow(0, ++collisions_);
  EXPECT_EQ(one_of<SplitOrder>(effects_).source.a, 0u);
  step(SplitDone{4, 0, true});
  overflow(0, ++collisions_);  // of bucket 1, at node 2
  const SplitOrder order = one_of<SplitOrder>(effects_);
  EXPECT_EQ(order.source.a, 1u);
  EXPECT_EQ(order.book.first, 2u);
  EXPECT_EQ(order.book.at.size(), 3u);
  EXPECT_EQ(order.book.nodes.back().id, order.target_node) << "and where the target's node is";
}

TEST_F(CoordinatorTest, words_about_other_splits_mean_nothing) {
  join(2);
  EXPECT_EQ(step(SplitDone{1, 0, true}), Lines{}) << "none is under way";
  overflow(0, 1);
  EXPECT_EQ(step(SplitDone{2, 0, true}), Lines{}) << "no such attempt";
  EXPECT_EQ(step(SplitDone{1, 1, true}), Lines{}) << "not that source";
  EXPECT_EQ(coordinator_.state(), (FileState{0, 0}));
}

// ------------------------------------------------------------------------------------- placement

TEST_F(CoordinatorTest, the_next_bucket_goes_to_the_node_with_the_fewest) {
  for (const uint64_t id : {2, 3, 4}) join(id);
  for (int k = 0; k < 9; ++k) split_once();
  EXPECT_EQ(places(), "1 2 3 4 2 3 4 1 2 3")
      << "ties by order of registration, the coordinator's own node last";
}

TEST_F(CoordinatorTest, a_node_takes_as_many_as_it_said) {
  join(2, 1);
  join(3, 2);
  for (int k = 0; k < 5; ++k) split_once();
  EXPECT_EQ(places(), "1 2 3 3 1 1");
}

TEST_F(CoordinatorTest, a_node_that_is_full_gets_one_when_all_are) {
  for (const uint64_t id : {2, 3}) join(id);
  for (const std::set<uint64_t>& full_nodes : {std::set<uint64_t>{2}, {2, 3}, {}}) {
    full_ = full_nodes;
    for (const uint64_t id : {2, 3}) heartbeat(id);
    split_once();
  }
  EXPECT_EQ(places(), "1 3 1 2");
}

TEST_F(CoordinatorTest, alone_it_takes_them_all) {
  for (int k = 0; k < 3; ++k) split_once();
  EXPECT_EQ(places(), "1 1 1 1");
}

TEST_F(CoordinatorTest, a_node_that_is_down_gets_none) {
  for (const uint64_t id : {2, 3}) join(id);
  pass(1000, {2});
  for (int k = 0; k < 3; ++k) split_once();
  EXPECT_EQ(places(), "1 3 3 1");
}

class FullCoordinatorTest : public CoordinatorTest {
 protected:
  FullCoordinatorTest() : CoordinatorTest(1) {}
};

TEST_F(FullCoordinatorTest, without_room_a_split_is_owed_until_a_node_comes) {
  EXPECT_EQ(overflow(0, 1), Lines{"b0@n1: OverflowAck bucket=0 collisions=1 done=0"});
  EXPECT_EQ(coordinator_.splits_owed(), 1u);
  join(2, 1);
  EXPECT_EQ(one_of<SplitOrder>(effects_).target_node, node(2));
  step(SplitDone{1, 0, true});
  EXPECT_EQ(places(), "1 2");
}

// ---------------------------------------------------------------- a target that cannot be reached

class CoordinatorTargetTest : public CoordinatorTest {
 protected:
  CoordinatorTargetTest() {
    join(2);
    join(3);
    overflow(0, ++collisions_);  // split 1, to node 2
  }
};

TEST_F(CoordinatorTargetTest, goes_down_before_the_hand_over_and_another_takes_its_place) {
  pass(850, {2});
  EXPECT_FALSE(coordinator_.is_up(node(2)));
  const SplitOrder order = one_of<SplitOrder>(effects_);
  EXPECT_EQ(order.split, 2u);
  EXPECT_EQ(order.target_node, node(3));
  step(SplitDone{2, 0, true});
  EXPECT_EQ(places(), "1 3");
}

TEST_F(CoordinatorTargetTest, had_been_handed_over_to_already_and_is_waited_for) {
  pass(850, {2});
  step(SplitDone{1, 0, false});
  EXPECT_EQ(coordinator_.state(), (FileState{0, 0}));
  EXPECT_TRUE(contains(pass(300, {2}),
                       "b0@n1: SplitOrder split=1 source=(a=0,j=0) target=1@n2 book=0@n1 down=n2"))
      << "the attempt that counts is asked for again";
  step(SplitDone{1, 0, true});
  EXPECT_EQ(places(), "1 2");
}

TEST_F(CoordinatorTargetTest, was_live_before_it_went_down) {
  pass(850, {2});
  step(SplitDone{1, 0, true});
  EXPECT_EQ(places(), "1 2");
}

TEST_F(CoordinatorTargetTest, that_was_given_up_counts_no_bucket) {
  pass(850, {2});
  step(SplitDone{2, 0, true});
  heartbeat(2, 1);
  split_once();
  EXPECT_EQ(places(), "1 3 2") << "node 2 has none, node 3 has one";
}

TEST_F(CoordinatorTargetTest, finds_no_other_node_with_room_and_may_come_back) {
  Coordinator alone(integer_file(), "127.0.0.1:4001", 1, 1, now_);
  Effects effects;
  Register m;
  m.incarnation = 2;
  m.address = "127.0.0.1:4002";
  alone.step(now_, m, &effects);
  alone.step(now_, Overflow{0, 0, 4, 1}, &effects);
  effects.clear();
  alone.tick(now_ + base::ms(900), &effects);
  EXPECT_EQ(count_of<SplitOrder>(effects), 0u);
  alone.step(now_ + base::ms(950), Heartbeat{node(2), 2, 1, {}}, &effects);
  effects.clear();
  alone.tick(now_ + base::ms(1000), &effects);
  EXPECT_EQ(one_of<SplitOrder>(effects).split, 1u) << "the same attempt";
}

// --------------------------------------------------------------------------------------- queries

TEST_F(CoordinatorTest, describes_the_file) {
  join(2);
  split_once();
  EXPECT_EQ(query(FileQueryKind::kFile), Lines{"reply: FileReply query=1 state=(1,0) owed=0"});
  EXPECT_EQ(one_of<FileReply>(effects_).options, integer_file());
}

TEST_F(CoordinatorTest, lists_the_nodes_in_order_of_registration) {
  join(2);
  join(3);
  step(Heartbeat{node(2), kIncarnation + 2, 1, {0, 30, 400}});
  for (int k = 0; k < 3; ++k) split_once();
  pass(900, {3});
  query(FileQueryKind::kNodes);
  const FileReply m = one_of<FileReply>(effects_);
  ASSERT_EQ(m.nodes.size(), 3u);
  EXPECT_EQ(m.nodes[0].address, "127.0.0.1:4001");
  EXPECT_EQ(m.nodes[1].stats.buckets, 2u) << "as placed, not as said";
  EXPECT_TRUE(m.nodes[1].up);
  EXPECT_FALSE(m.nodes[2].up);
}

TEST_F(CoordinatorTest, says_where_buckets_are) {
  join(2);
  split_once();
  split_once();
  EXPECT_EQ(step(BookQuery{{}, 0}), Lines{"reply: BookUpdate book=0@n1,1@n2,2@n2"});
  EXPECT_EQ(step(BookQuery{{}, 2}), Lines{"reply: BookUpdate book=2@n2"});
  EXPECT_EQ(step(BookQuery{{}, ~BucketNo{0}}), Lines{"reply: BookUpdate"});
}

TEST_F(CoordinatorTest, settle_is_answered_at_once_when_nothing_is_owed) {
  EXPECT_EQ(query(FileQueryKind::kSettle), Lines{"reply: FileReply query=1 state=(0,0) owed=0"});
}

TEST_F(CoordinatorTest, settle_waits_for_the_last_split) {
  join(2);
  overflow(0, 2);
  EXPECT_EQ(query(FileQueryKind::kSettle), Lines{});
  EXPECT_EQ(query(FileQueryKind::kSettle), Lines{}) << "asked again, answered once";
  step(SplitDone{1, 0, true});
  EXPECT_EQ(count_of<FileReply>(effects_), 0u);
  step(SplitDone{2, 0, true});
  const FileReply m = one_of<FileReply>(effects_);
  EXPECT_EQ(m.state, (FileState{1, 1}));
  EXPECT_EQ(m.error, "");
}

TEST_F(CoordinatorTest, the_way_back_is_kept_for_who_waits) {
  join(2);
  overflow(0, 1);
  {
    const std::string listener = "a listener whose name owns its bytes";
    FileQuery m;
    m.kind = FileQueryKind::kSettle;
    m.from.listener = listener;
    step(m);
  }
  step(SplitDone{1, 0, true});
  EXPECT_EQ(one_of<FileReply>(effects_).to.listener, "a listener whose name owns its bytes");
}

TEST_F(FullCoordinatorTest, settle_says_when_no_node_has_room) {
  overflow(0, 1);
  EXPECT_EQ(query(FileQueryKind::kSettle), Lines{"reply: FileReply query=1 state=(0,0) owed=1"
                                                 " error=\"no node has room: 1 split owed\""});
  overflow(0, 3);
  query(FileQueryKind::kSettle);
  EXPECT_EQ(one_of<FileReply>(effects_).error, "no node has room: 3 splits owed");
}

TEST_F(CoordinatorTargetTest, settle_says_which_bucket_everything_waits_for) {
  pass(850, {2});
  step(SplitDone{1, 0, false});
  query(FileQueryKind::kSettle);
  EXPECT_EQ(one_of<FileReply>(effects_).error, "bucket 1 is down: 1 split owed");
}

TEST_F(CoordinatorTest, settle_says_when_the_bucket_to_be_split_is_down) {
  join(2);
  split_once();
  split_once();
  pass(1000, {2});
  overflow(0, ++collisions_);
  query(FileQueryKind::kSettle);
  EXPECT_EQ(one_of<FileReply>(effects_).error, "bucket 1 is down: 1 split owed");
}

TEST_F(CoordinatorTest, who_waits_is_told_when_things_turn_out_badly) {
  join(2);
  split_once();
  split_once();
  overflow(0, ++collisions_);
  EXPECT_EQ(query(FileQueryKind::kSettle), Lines{});
  pass(850, {2});
  EXPECT_EQ(one_of<FileReply>(effects_).error, "bucket 1 is down: 1 split owed");
}

TEST_F(CoordinatorTest, askers_are_bounded) {
  join(2);
  overflow(0, 1);
  for (uint64_t k = 0; k < kSettlersMax + 5; ++k) query(FileQueryKind::kSettle, k);
  step(SplitDone{1, 0, true});
  EXPECT_EQ(count_of<FileReply>(effects_), kSettlersMax);
  EXPECT_EQ(all_of<FileReply>(effects_).front().query, 5u) << "the first ones are given up";
}

TEST_F(CoordinatorTest, messages_for_others_are_counted_and_passed_over) {
  const Message strange[] = {Request{},   Reply{},      SplitOrder{}, SplitRecords{}, Scan{},
                             ScanReply{}, Registered{}, BookUpdate{}, FileReply{},    Error{}};
  for (const Message& m : strange) EXPECT_EQ(step(m), Lines{});
  EXPECT_EQ(coordinator_.counters().rejected, std::size(strange));
}

}  // namespace
}  // namespace lh::core
