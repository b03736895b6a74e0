#include "core/rebuild.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/coordinator.h"
#include "core/journal.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// A new node 1 that asks nodes 2, 3, ... Each says what the test gave it.
class RebuildTest : public ::testing::Test {
 protected:
  RebuildTest() : rebuild_({"h:1", kEpoch, 0, file()}, now_) {}

  static FileOptions file(uint64_t id = 99) {
    FileOptions options = integer_file();
    options.id = id;
    return options;
  }
  struct Node {
    Standing says;
    bool is_silent = false;
  };
  Node& is(uint32_t id) {
    Standing& m = nodes_[id].says;
    m.node = node(id);
    m.options = file();
    return nodes_[id];
  }
  // Node `id` has these buckets.
  void has(uint32_t id, std::vector<BucketMark> marks) {
    for (const BucketMark mark : marks) is(id).says.buckets.push_back({mark});
  }
  BucketStanding& bucket(uint32_t id, size_t place = 0) { return is(id).says.buckets[place]; }
  // What node `id` knows of buckets 0, 1, 2, ... and of the nodes named there.
  void knows(uint32_t id, std::vector<uint32_t> at, uint64_t version = 1) {
    Standing& m = is(id).says;
    m.book = book(0, at);
    for (const uint32_t other : at) {
      if (other == 0) continue;
      m.book.nodes.push_back(entry(other, "h:" + std::to_string(other)));
      m.book.nodes.back().version = version;
    }
  }

  void claim(uint32_t id, uint64_t incarnation = 0) {
    Register m;
    m.id = node(id);
    m.incarnation = incarnation != 0 ? incarnation : 0xa0 + id;
    address_ = "h:" + std::to_string(id);
    m.address = address_;
    m.from.link = id;
    effects_.clear();
    rebuild_.step(now_, m, &effects_);
    answer();
  }
  // Whoever was asked says what it has.
  void answer() {
    const std::vector<StandingQuery> asked = all_of<StandingQuery>(effects_);
    effects_.clear();
    for (const StandingQuery& query : asked) {
      asked_.push_back(static_cast<uint32_t>(query.to.link));
      Node& node = nodes_[static_cast<uint32_t>(query.to.link)];
      if (node.is_silent) continue;
      node.says.query = query.query;
      rebuild_.step(now_, node.says, &effects_);
    }
  }
  void tick(int64_t ms = 50) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    rebuild_.tick(now_, &effects_);
    answer();
  }
  void pass(base::Duration time) {
    for (base::Duration passed; passed < time; passed = passed + base::ms(50)) tick();
  }
  void all_register() {
    for (auto& [id, node] : nodes_) claim(id);
    pass(Rebuild::kQuiet + base::ms(50));
  }

  // `(2,1) at 2 3 2 1 2, lost 3:2`, or why not.
  std::string outcome() const {
    if (rebuild_.phase() == Rebuild::Phase::kAsking) return "asking";
    if (rebuild_.phase() == Rebuild::Phase::kFailed) return rebuild_.failure();
    std::string text = to_string(rebuild_.state()) + " at";
    const std::unique_ptr<Coordinator> coordinator = recovered();
    for (BucketNo a = 0; a < bucket_count(rebuild_.state()); ++a) {
      text += " " + std::to_string(static_cast<uint32_t>(coordinator->book().locate(a)));
    }
    if (!rebuild_.lost().empty()) text += ", lost";
    for (const BucketMark mark : rebuild_.lost()) {
      text += " " + std::to_string(mark.a) + ":" + std::to_string(mark.j);
    }
    if (coordinator->splits_owed() > 0) {
      text += ", owed " + std::to_string(coordinator->splits_owed());
    }
    return text;
  }
  // The coordinator that comes of it, and goes on.
  std::unique_ptr<Coordinator> recovered() const {
    auto coordinator = std::make_unique<Coordinator>(file(kEpoch), "h:1", kEpoch, 0, now_);
    for (const Rebuild::Record& record : rebuild_.records()) {
      const bool for_coordinator = is_event(record.bytes) || is_identity(record.bytes);
      if (record.stream != kNodeStream || !for_coordinator) continue;
      EXPECT_TRUE(coordinator->recover(record.bytes));
    }
    static const Boot boot{5'000, {}};
    coordinator->resume(now_, "h:1", 0, boot);
    return coordinator;
  }
  Lines orders(Coordinator* coordinator, base::Duration after = base::ms(300)) const {
    Effects effects;
    coordinator->tick(now_ + after, &effects);
    Lines said;
    for (const SplitOrder& order : all_of<SplitOrder>(effects)) {
      said.push_back(to_string(order.source) + " to " + std::to_string(order.target) + "@n" +
                     std::to_string(static_cast<uint32_t>(order.target_node)));
    }
    return said;
  }

  static constexpr uint64_t kEpoch = 0xe;
  static constexpr base::Duration kLong = Rebuild::kPatience + base::seconds(1);
  base::Instant now_ = kStart;
  Rebuild rebuild_;
  std::map<uint32_t, Node> nodes_;
  std::vector<uint32_t> asked_;
  std::string address_;
  Effects effects_;
};

// ------------------------------------------------------------------------------------ a quiet file

TEST_F(RebuildTest, it_waits_for_the_nodes_and_asks_each_of_them) {
  pass(kLong);
  EXPECT_EQ(outcome(), "asking");
  has(2, {{0, 1}});
  has(3, {{1, 1}});
  knows(2, {2, 3});
  knows(3, {2, 3});
  claim(2);
  tick();
  EXPECT_EQ(outcome(), "asking") << "node 3 is known to node 2";
  EXPECT_EQ(rebuild_.progress().answered, std::vector<NodeId>{node(2)});
  EXPECT_EQ(rebuild_.progress().missing, std::vector<NodeId>{node(3)});
  claim(3);
  tick();
  EXPECT_EQ(outcome(), "asking") << "another one may know more";
  pass(Rebuild::kQuiet);
  EXPECT_EQ(outcome(), "(1,0) at 2 3");
  EXPECT_EQ(asked_, (std::vector<uint32_t>{2, 3}));
}

TEST_F(RebuildTest, a_file_of_one_bucket_that_was_lost_is_one_empty_bucket) {
  is(2);
  knows(2, {1});
  all_register();
  EXPECT_EQ(outcome(), "asking") << "it may know an old map";
  pass(kLong);
  EXPECT_EQ(outcome(), "(0,0) at 1, lost 0:0");
  EXPECT_EQ(recovered()->options(), file()) << "of the file, whose number is not the new node's";
}

TEST_F(RebuildTest, the_levels_of_a_file_between_two_doublings_say_where_it_is) {
  has(2, {{0, 3}, {2, 2}});
  has(3, {{3, 2}, {4, 3}});
  knows(2, {2, 1, 2, 3, 3});
  is(3);
  all_register();
  EXPECT_EQ(outcome(), "(2,1) at 2 1 2 3 3, lost 1:2");
}

TEST_F(RebuildTest, children_exist_that_nobody_names) {
  has(2, {{0, 2}, {1, 1}});
  knows(2, {2, 2});
  all_register();
  EXPECT_EQ(outcome(), "(1,1) at 2 2 1, lost 2:2") << "bucket 0 has split twice";
}

TEST_F(RebuildTest, a_frontier_that_only_the_lost_node_knew_is_gone_with_it) {
  has(2, {{1, 1}});
  knows(2, {1, 2});
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 1 2, lost 0:1") << "whether 0 had split once more nobody can tell";
}

TEST_F(RebuildTest, a_bucket_that_no_map_names_is_found_where_it_is) {
  has(2, {{0, 1}});
  has(3, {{1, 1}});
  knows(2, {2});
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 2 3");
}

TEST_F(RebuildTest, every_size_of_file_comes_out_as_it_was) {
  for (uint64_t count = 1; count <= 40; ++count) {
    rebuild_.~Rebuild();
    new (&rebuild_) Rebuild({"h:1", kEpoch, 0, file()}, now_);
    nodes_.clear();
    const FileState state = state_of_count(count);
    std::vector<uint32_t> at;
    is(2), is(3);
    for (BucketNo a = 0; a < count; ++a) {
      at.push_back(static_cast<uint32_t>(1 + a % 3));
      if (at.back() != 1) has(at.back(), {{a, level_of(state, a)}});
    }
    knows(2, at);
    all_register();
    pass(Rebuild::kPatience);
    EXPECT_EQ(rebuild_.state(), state);
    EXPECT_EQ(rebuild_.lost().size(), (count + 2) / 3);
    for (const BucketMark mark : rebuild_.lost()) EXPECT_EQ(mark.j, level_of(state, mark.a));
  }
}

// ---------------------------------------------------------------------------------- missing nodes

TEST_F(RebuildTest, who_does_not_come_is_down_in_the_end_and_keeps_its_buckets) {
  has(2, {{0, 1}});
  knows(2, {2, 3});
  claim(2);
  pass(Rebuild::kPatience - base::seconds(1));
  EXPECT_EQ(outcome(), "asking");
  pass(base::seconds(2));
  EXPECT_EQ(outcome(), "(1,0) at 2 3");
  EXPECT_EQ(rebuild_.missing(), std::vector<NodeId>{node(3)});
  EXPECT_FALSE(recovered()->is_up(node(3)));
  EXPECT_TRUE(recovered()->is_up(node(2)));
}

TEST_F(RebuildTest, a_node_without_buckets_cannot_speak_for_one_that_has_some) {
  is(2);
  knows(2, {1, 3});
  claim(2);
  pass(kLong);
  EXPECT_EQ(outcome(), "asking");
  knows(2, {1, 1});
}

TEST_F(RebuildTest, one_that_knows_little_does_not_end_it_before_the_others_are_there) {
  is(2);
  knows(2, {1});
  claim(2);
  pass(base::seconds(4));
  EXPECT_EQ(outcome(), "asking") << "it has never heard of node 3";
  has(3, {{1, 1}});
  knows(3, {1, 3});
  claim(3);
  pass(Rebuild::kQuiet + base::ms(50));
  EXPECT_EQ(outcome(), "(1,0) at 1 3, lost 0:1");
}

TEST_F(RebuildTest, a_node_without_buckets_speaks_for_a_file_that_was_all_lost) {
  is(2);
  knows(2, {1, 1, 0, 0});
  is(2).says.book.nodes.push_back(entry(3, "h:3"));
  claim(2);
  pass(kLong);
  EXPECT_EQ(outcome(), "(1,0) at 1 1, lost 0:1 1:1");
}

TEST_F(RebuildTest, one_that_registered_and_died_is_missing) {
  has(2, {{0, 1}});
  knows(2, {2, 3});
  is(3).is_silent = true;
  all_register();
  pass(kLong);
  EXPECT_EQ(outcome(), "(1,0) at 2 3");
  EXPECT_FALSE(recovered()->is_up(node(3)));
}

// ------------------------------------------------------------------------------------------ splits

TEST_F(RebuildTest, a_split_under_way_is_the_new_coordinators) {
  has(2, {{0, 1}});
  has(3, {{1, 1}});
  knows(2, {2, 3});
  bucket(2).split = bucket(2).split_max = 7;
  bucket(2).target_node = node(3);
  bucket(2).collisions = 3;
  bucket(2).answered = 2;
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 2 3, owed 1");
  const auto coordinator = recovered();
  EXPECT_EQ(orders(coordinator.get()), Lines{"(a=0,j=1) to 2@n3"});
  Effects effects;
  coordinator->step(now_, SplitDone{7, 0, true, 2, node(3)}, &effects);
  EXPECT_EQ(coordinator->state(), (FileState{1, 1}));
  EXPECT_EQ(coordinator->splits_owed(), 0u);
  EXPECT_EQ(one_of<OverflowAck>(effects).done, 3u) << "the report is answered";
}

TEST_F(RebuildTest, one_that_was_handed_over_counts_when_its_target_is_live) {
  has(2, {{0, 2}});
  has(3, {{1, 1}, {2, 2}});
  bucket(3, 1).live = false;
  knows(2, {2, 3, 3});
  bucket(2).split = bucket(2).split_max = 7;
  bucket(2).handed_over = true;
  bucket(2).target_node = node(3);
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 2 3, owed 1");
  const auto coordinator = recovered();
  Effects effects;
  coordinator->step(now_, SplitDone{7, 0, false, 2, node(3)}, &effects);
  EXPECT_EQ(coordinator->state(), (FileState{1, 0}));
  coordinator->step(now_, SplitDone{7, 0, true, 2, node(3)}, &effects);
  EXPECT_EQ(coordinator->state(), (FileState{1, 1}));
}

TEST_F(RebuildTest, a_target_that_is_live_already_waits_for_its_source_to_say_so) {
  has(2, {{0, 2}});
  has(3, {{1, 1}, {2, 2}});
  knows(2, {2, 3, 3});
  bucket(2).split = bucket(2).split_max = 7;
  bucket(2).handed_over = true;
  bucket(2).target_node = node(3);
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 2 3, owed 1");
}

TEST_F(RebuildTest, a_split_to_the_lost_node_gets_another_target_until_it_was_handed_over) {
  has(2, {{0, 1}, {1, 1}});
  knows(2, {2, 2});
  bucket(2).split = bucket(2).split_max = 7;
  bucket(2).target_node = node(1);
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 2 2, owed 1");
  EXPECT_EQ(orders(recovered().get()), Lines{"(a=0,j=1) to 2@n1"}) << "with a new number";
  bucket(2).handed_over = true;
}

TEST_F(RebuildTest, records_that_were_handed_over_to_the_lost_node_are_sent_to_the_new_one) {
  has(2, {{0, 2}, {1, 1}});
  knows(2, {2, 2, 1});
  bucket(2).split = bucket(2).split_max = 7;
  bucket(2).handed_over = true;
  bucket(2).target_node = node(1);
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 2 2, owed 1") << "bucket 2 is not lost: its source has it";
}

TEST_F(RebuildTest, a_split_whose_source_was_lost_begins_anew) {
  has(2, {{1, 1}, {2, 2}});
  bucket(2, 1).live = false;
  bucket(2, 1).split_max = 40;
  knows(2, {1, 2});
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 1 2, lost 0:1, owed 1");
  EXPECT_EQ(orders(recovered().get()), Lines{"(a=0,j=1) to 2@n2"});
}

TEST_F(RebuildTest, a_source_that_hands_over_while_it_is_asked_is_understood_later) {
  has(2, {{0, 1}, {1, 1}});
  knows(2, {2, 2});
  all_register();
  const auto coordinator = recovered();
  Effects effects;
  coordinator->step(now_, Overflow{0, 1, 9, 1}, &effects);
  const uint64_t ordered = one_of<SplitOrder>(effects).split;
  EXPECT_GT(ordered, 1'000u) << "far above all that was";
  effects.clear();
  coordinator->step(now_, SplitDone{8, 0, true, 2, node(2)}, &effects);
  EXPECT_EQ(coordinator->state(), (FileState{1, 1})) << "it had an order of another life";
  EXPECT_EQ(coordinator->book().locate(2), node(2));
}

// ----------------------------------------------------------------------------------------- numbers

TEST_F(RebuildTest, reports_that_were_answered_are_owed_no_more) {
  has(2, {{0, 1}, {1, 1}});
  knows(2, {2, 2});
  bucket(2, 0).collisions = bucket(2, 0).answered = 5;
  bucket(2, 1).collisions = 4;
  bucket(2, 1).answered = 3;
  all_register();
  EXPECT_EQ(outcome(), "(1,0) at 2 2");
  const auto coordinator = recovered();
  Effects effects;
  coordinator->step(now_, Overflow{0, 1, 9, 5}, &effects);
  EXPECT_EQ(coordinator->splits_owed(), 0u);
  coordinator->step(now_, Overflow{1, 1, 9, 4}, &effects);
  EXPECT_EQ(coordinator->splits_owed(), 1u) << "the one that was not";
}

TEST_F(RebuildTest, what_it_will_say_is_later_than_all_that_was_said) {
  has(2, {{0, 0}});
  knows(2, {2, 1}, uint64_t{17} << 32 | 5);
  has(2, {{1, 1}});
  bucket(2).mark = {0, 1};
  all_register();
  uint32_t boot = 0;
  for (const Rebuild::Record& record : rebuild_.records()) {
    std::string_view rest = record.bytes;
    if (record.stream != kNodeStream || take_kind(&rest) != RecordKind::kBoot) continue;
    EXPECT_TRUE(read_boot(rest, &boot));
  }
  EXPECT_GT(boot, 17u);
}

// -------------------------------------------------------------------------------- what cannot be

TEST_F(RebuildTest, nodes_of_two_files_are_refused) {
  has(2, {{0, 1}});
  has(3, {{1, 1}});
  is(3).says.options.id = 98;
  all_register();
  EXPECT_EQ(outcome(), "nodes 2 and 3 are of different files");
}

TEST_F(RebuildTest, a_file_with_other_options_is_refused_in_words_that_help) {
  has(2, {{0, 0}});
  is(2).says.options.capacity = 50;
  all_register();
  EXPECT_EQ(outcome(), "the nodes are of a file with --capacity=50 --hash=integer");
  EXPECT_EQ(rebuild_.kind_of_failure(), Rebuild::Failure::kOptions);
}

TEST_F(RebuildTest, levels_that_fit_no_file_are_asked_for_again_and_then_refused) {
  has(2, {{0, 1}, {1, 3}});
  all_register();
  EXPECT_EQ(outcome(), "asking");
  pass(kLong);
  EXPECT_EQ(outcome(), "what the nodes have is no file: bucket (a=0,j=1) in a file of 6 buckets");
  EXPECT_EQ(rebuild_.kind_of_failure(), Rebuild::Failure::kContradiction);
  EXPECT_GT(asked_.size(), 10u);
}

TEST_F(RebuildTest, a_split_that_goes_on_meanwhile_is_seen_at_the_second_look) {
  has(2, {{0, 2}, {1, 1}});
  is(3);
  knows(2, {2, 2, 3});
  all_register();
  EXPECT_EQ(outcome(), "asking") << "node 3 had not yet heard that bucket 2 is whole";
  has(3, {{2, 2}});
  pass(base::seconds(1));
  EXPECT_EQ(outcome(), "(1,1) at 2 2 3");
}

TEST_F(RebuildTest, a_bucket_in_two_places_is_refused) {
  has(2, {{0, 0}});
  has(3, {{0, 0}});
  all_register();
  pass(kLong);
  EXPECT_EQ(outcome(), "what the nodes have is no file: bucket 0 is with nodes 2 and 3");
}

TEST_F(RebuildTest, two_nodes_that_claim_to_be_the_same_are_refused) {
  has(2, {{0, 0}});
  knows(2, {2, 3});
  claim(2);
  claim(2, 0xbad);
  EXPECT_EQ(outcome(), "two nodes claim to be node 2: h:2 and h:2");
}

// ---------------------------------------------------------------------------------- lost messages

TEST_F(RebuildTest, what_is_not_answered_is_asked_again) {
  has(2, {{0, 0}});
  is(2).is_silent = true;
  all_register();
  pass(base::seconds(1));
  EXPECT_GE(asked_.size(), 4u);
  EXPECT_EQ(outcome(), "asking");
  is(2).is_silent = false;
  pass(Rebuild::kQuiet + base::seconds(1));
  EXPECT_EQ(outcome(), "(0,0) at 2");
}

TEST_F(RebuildTest, what_comes_twice_or_makes_no_sense_changes_nothing) {
  has(2, {{0, 1}});
  knows(2, {2, 3});
  claim(2);
  rebuild_.step(now_, nodes_[2].says, &effects_);
  claim(2);
  claim(1);
  rebuild_.step(now_, is(3).says, &effects_);
  rebuild_.step(now_, Heartbeat{node(2), 0xa2, 0, {}}, &effects_);
  tick();
  EXPECT_EQ(outcome(), "asking");
  has(3, {{1, 1}});
  claim(3);
  pass(Rebuild::kQuiet);
  EXPECT_EQ(outcome(), "(1,0) at 2 3");
}

TEST_F(RebuildTest, every_registration_is_answered_by_the_new_coordinator) {
  has(2, {{0, 0}});
  Register fresh;
  fresh.incarnation = 0xf;
  fresh.address = "h:9";
  rebuild_.step(now_, fresh, &effects_);
  all_register();
  ASSERT_EQ(outcome(), "(0,0) at 2");
  const auto coordinator = recovered();
  std::vector<uint32_t> numbers;
  for (const Register& m : rebuild_.registrations()) {
    EXPECT_EQ(m.from.entry, node(1));
    Effects effects;
    coordinator->step(now_, m, &effects);
    numbers.push_back(static_cast<uint32_t>(one_of<Registered>(effects).id));
  }
  EXPECT_EQ(numbers, (std::vector<uint32_t>{2, 3})) << "and one that is new gets a number";
}

}  // namespace
}  // namespace lh::core
