#include "sim/file_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace lh::sim {
namespace {

// Two nodes with a server each, put together by hand so that each rule can be broken. The keys are
// integers, so a key's bucket is plain to see.
class FileCheckerTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kOne = 1;
  static constexpr uint32_t kTwo = 2;

  FileCheckerTest() {
    options_.hash = base::HashMode::kInteger;
    one_.configure(NodeId{1}, options_);
    two_.configure(NodeId{2}, options_);
    one_.create_bucket({0, 0});
    two_.book().set(0, NodeId{1});
    coordinator_ = std::make_unique<core::Coordinator>(options_, "p1:1", 7, 0, base::Instant());
    checker_.node_is_up(kOne, {&one_}, coordinator_.get());
    checker_.node_is_up(kTwo, {&two_}, nullptr);
  }
  static World world_of_integers() {
    Options o;
    o.hash = base::HashMode::kInteger;
    return World(o);
  }

  // Bucket 0 raises its level; bucket 1 goes live at node 2 when `done`.
  void split(bool done) {
    set_level(&one_, 0, 1);
    checker_.after_step(one_);
    if (!done) return;
    two_.create_bucket({1, 1});
    checker_.after_step(two_);
  }
  static void set_level(core::Server* server, BucketNo a, Level level) {
    core::BucketState state = server->find(a)->state();
    state.mark.j = level;
    state.split = 1;
    state.target_node = NodeId{2};
    std::string record;
    core::append_state(&record, state);
    ASSERT_TRUE(server->recover(core::stream_of(a), record));
  }
  // Node 1 dies and comes back with what it had before the first split.
  void return_as_it_began(core::Coordinator* coordinator) {
    checker_.node_is_down(kOne);
    old_.configure(NodeId{1}, options_);
    old_.create_bucket({0, 0});
    checker_.node_is_up(kOne, {&old_}, coordinator);
  }
  static void put(core::Server* server, BucketNo a, HashValue c, const std::string& key) {
    server->find(a)->execute({core::Op::kPut, c, key, "v"}, &effects());
  }
  static core::Effects& effects() {
    static thread_local core::Effects all;
    return all;
  }
  // The coordinator learns of one split more.
  void complete() {
    core::CoordinatorState state;
    state.file = {1, 0};
    state.at = {NodeId{1}, NodeId{1}};
    std::string record;
    core::append_event(&record, state);
    ASSERT_TRUE(coordinator_->recover(record));
  }
  bool is_fine() {
    checker_.check_all();
    return !world_.failed();
  }
  std::string failure() {
    checker_.check_all();
    return world_.failure;
  }

  core::FileOptions options_;
  World world_ = world_of_integers();
  core::Server one_;
  core::Server old_;
  core::Server two_;
  std::unique_ptr<core::Coordinator> coordinator_;
  FileChecker checker_{&world_};
};

bool says(const std::string& failure, std::string_view part) {
  return failure.find(part) != std::string::npos;
}

TEST_F(FileCheckerTest, aFileOfOneBucketAndThenOfTwoIsFine) {
  put(&one_, 0, 6, "6");
  EXPECT_TRUE(is_fine());
  split(false);
  EXPECT_EQ(checker_.version(), 2u);
  EXPECT_EQ(checker_.server_of(1), nullptr) << "on its way";
  EXPECT_TRUE(is_fine());
  two_.create_bucket({1, 1});
  checker_.after_step(two_);
  EXPECT_EQ(checker_.server_of(1), &two_);
  EXPECT_TRUE(is_fine()) << failure();
}

TEST_F(FileCheckerTest, aBucketThatIsLiveTwiceIsNoticed) {
  two_.create_bucket({0, 0});
  EXPECT_TRUE(says(failure(), "bucket 0 is live where it should not be"));
}

TEST_F(FileCheckerTest, aBucketBeyondTheFileIsNoticed) {
  two_.create_bucket({1, 1});
  checker_.after_step(two_);
  EXPECT_TRUE(says(failure(), "bucket 1 is live where it should not be"));
}

TEST_F(FileCheckerTest, aLevelThatTheFileDoesNotGiveIsNoticed) {
  split(true);
  set_level(&two_, 1, 2);
  EXPECT_TRUE(says(failure(), "in a file of state"));
}

TEST_F(FileCheckerTest, aSecondHandOverBeforeTheFirstIsOverIsNoticed) {
  split(false);
  set_level(&one_, 0, 2);
  checker_.after_step(one_);
  EXPECT_TRUE(says(world_.failure, "second split"));
}

TEST_F(FileCheckerTest, aRecordOfAnotherBucketIsNoticed) {
  split(true);
  put(&one_, 0, 6, "7");
  EXPECT_TRUE(says(failure(), "has 1 records and finds 0 of them"));
}

TEST_F(FileCheckerTest, anImageMayNotShrinkNorBeAheadOfTheFile) {
  split(true);
  checker_.check_image({0, 0}, {1, 0});
  EXPECT_FALSE(world_.failed());
  checker_.check_image({1, 0}, {1, 1});
  EXPECT_TRUE(says(world_.failure, "is ahead of the file"));
}

TEST_F(FileCheckerTest, anImageThatShrinksIsNoticed) {
  split(true);
  checker_.check_image({1, 0}, {0, 0});
  EXPECT_TRUE(says(world_.failure, "shrank"));
}

TEST_F(FileCheckerTest, aBookThatNamesTheWrongNodeIsNoticed) {
  core::AddressBook book;
  book.set(0, NodeId{1});
  checker_.check_book(book, "a test");
  EXPECT_FALSE(world_.failed());
  book.set(0, NodeId{2});
  checker_.check_book(book, "a test");
  EXPECT_TRUE(says(world_.failure, "the book of a test has bucket 0 at node 2"));
}

TEST_F(FileCheckerTest, aBookThatIsAheadOfTheFileIsNoticed) {
  core::AddressBook book;
  book.set(0, NodeId{1});
  book.set(1, NodeId{2});
  checker_.check_book(book, "a test");
  EXPECT_TRUE(world_.failed());
}

TEST_F(FileCheckerTest, theCoordinatorMayBeOneSplitBehindAndNeverAhead) {
  split(true);
  EXPECT_TRUE(is_fine());
}

TEST_F(FileCheckerTest, aCoordinatorAheadOfTheFileIsNoticed) {
  complete();
  EXPECT_TRUE(says(failure(), "the coordinator believes in"));
}

TEST_F(FileCheckerTest, aBucketThatDoesNotComeBackIsNoticed) {
  split(true);
  checker_.node_is_down(kOne);
  EXPECT_EQ(checker_.server_of(0), nullptr);
  EXPECT_EQ(checker_.deaths(), 1u);
  core::Server empty;
  checker_.node_is_up(kOne, {&empty}, nullptr);
  EXPECT_TRUE(says(world_.failure, "bucket 0 did not come back"));
}

TEST_F(FileCheckerTest, aBucketThatForgetsASplitWhoseTargetIsLiveIsNoticed) {
  split(true);
  return_as_it_began(nullptr);
  EXPECT_TRUE(says(world_.failure, "bucket 0 came back with another level"));
}

TEST_F(FileCheckerTest, aHandOverThatNobodyKnowsOfMayBeUndone) {
  split(false);
  return_as_it_began(coordinator_.get());
  EXPECT_TRUE(is_fine()) << failure();
  EXPECT_EQ(checker_.version(), 1u);
  EXPECT_EQ(world_.counters[Count::kHandOversUndone], 1u);
}

TEST_F(FileCheckerTest, aTargetThatWasLiveAndHadNotSaidSoMayComeBackAsOneThatReceives) {
  split(true);
  checker_.node_is_down(kTwo);
  core::Server receiving;
  receiving.configure(NodeId{2}, options_);
  checker_.node_is_up(kTwo, {&receiving}, nullptr);
  EXPECT_TRUE(is_fine()) << failure();
  EXPECT_EQ(checker_.server_of(1), nullptr);
}

TEST_F(FileCheckerTest, aSettledFileIsFine) {
  checker_.check_settled();
  EXPECT_EQ(world_.failure, "");
}

TEST_F(FileCheckerTest, aCoordinatorThatIsBehindAtTheEndIsNoticed) {
  split(true);
  checker_.check_settled();
  EXPECT_TRUE(says(world_.failure, "at the end the coordinator believes in"));
}

TEST_F(FileCheckerTest, aBucketOnItsWayAtTheEndIsNoticed) {
  split(false);
  checker_.check_settled();
  EXPECT_TRUE(says(world_.failure, "not live at the end"));
}

TEST_F(FileCheckerTest, aBucketThatWasBegunAndForgottenIsNoticed) {
  core::SplitRecords opening;
  opening.split = 1;
  opening.stream = 1;
  opening.source_node = NodeId{1};
  opening.target = {1, 1};
  two_.step(base::Instant(), opening, &effects());
  effects().clear();
  EXPECT_TRUE(is_fine()) << failure();
  checker_.check_settled();
  EXPECT_TRUE(says(world_.failure, "bucket 1 was begun and never dropped"));
}

TEST_F(FileCheckerTest, aServerThatDoesNotKnowTheWholeFileAtTheEndIsNoticed) {
  core::Server ignorant;
  ignorant.configure(NodeId{3}, options_);
  checker_.node_is_up(3, {&ignorant}, nullptr);
  checker_.check_settled();
  EXPECT_TRUE(says(world_.failure, "a server knows 0 buckets of 1"));
}

TEST_F(FileCheckerTest, aNodeHasThePartsOfItsBuckets) {
  const auto has = [this](uint32_t node, BucketNo a, Level level) {
    const std::vector<Interval> parts = checker_.parts_of(node);
    return std::any_of(parts.begin(), parts.end(), [&](const Interval& part) {
      return part.contains(interval_of({a, level}).first);
    });
  };
  EXPECT_TRUE(has(kOne, 0, 0));
  EXPECT_TRUE(checker_.parts_of(kTwo).empty());
  split(false);
  EXPECT_TRUE(has(kOne, 0, 1));
  EXPECT_TRUE(has(kOne, 1, 1)) << "while it is on its way";
  EXPECT_TRUE(checker_.parts_of(kTwo).empty());
  two_.create_bucket({1, 1});
  checker_.after_step(two_);
  EXPECT_FALSE(has(kOne, 1, 1));
  EXPECT_TRUE(has(kTwo, 1, 1));
  checker_.node_is_down(kTwo);
  EXPECT_TRUE(has(kTwo, 1, 1)) << "also when it is down";
}

}  // namespace
}  // namespace lh::sim
