#include "core/coordinator_event.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/prng.h"
#include "core/coordinator.h"
#include "core/journal.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

std::string record_of(const CoordinatorEvent& event) {
  std::string record;
  append_event(&record, event);
  return record;
}

TEST(CoordinatorEventTest, every_kind_comes_back_or_is_refused_when_it_is_cut) {
  CoordinatorState state;
  state.file = {1, 1};
  state.split_number = 300;
  state.owed = 2;
  state.at = {node(1), node(2), node(1)};
  state.reports = {{5, 4}, {1, 0}};
  state.debts = {{0, 5, 1}, {1, 1, 1}};
  const std::vector<CoordinatorEvent> all = {NodeRegistered{node(2), 77, 8, "host:1"},
                                             CollisionsTakenIn{3, 400},
                                             SplitBegun{},
                                             SplitAttempted{12, node(2)},
                                             SplitHandedOver{12},
                                             SplitCompleted{},
                                             state};
  for (const CoordinatorEvent& event : all) {
    const std::string record = record_of(event);
    EXPECT_TRUE(is_event(record));
    CoordinatorEvent read;
    ASSERT_TRUE(read_event(record, &read)) << event.index();
    EXPECT_EQ(read.index(), event.index());
    EXPECT_EQ(record_of(read), record);
    for (size_t size = 0; size < record.size(); ++size) {
      EXPECT_FALSE(read_event(record.substr(0, size), &read)) << event.index() << " " << size;
    }
    EXPECT_FALSE(read_event(record + "x", &read));
  }
  CoordinatorEvent read;
  EXPECT_FALSE(read_event("\x7f", &read));
  EXPECT_FALSE(is_event("\x01"));
}

// A coordinator, and after each step one that is made of its journal.
class CoordinatorJournalTest : public ::testing::Test {
 protected:
  CoordinatorJournalTest() { effects_.keep_journal(true); }

  Coordinator make() const { return Coordinator(integer_file(), "host:1", 0xa1, 0, kStart); }

  void step(const Message& message) {
    coordinator_.step(now_, message, &effects_);
    look();
  }
  void look() {
    effects_.write_journal([this](uint64_t stream, std::string_view record) {
      EXPECT_EQ(stream, kNodeStream);
      journal_.emplace_back(record);
      return journal_.size();
    });
    for (const Outgoing& sent : effects_.sends()) {
      if (const auto* order = std::get_if<SplitOrder>(&sent.message)) order_ = *order;
    }
    effects_.clear();
    Coordinator again = make();
    for (const std::string& record : journal_) ASSERT_TRUE(again.recover(record));
    EXPECT_EQ(again.snapshot(), coordinator_.snapshot());
    // And from a snapshot.
    Coordinator copy = make();
    for (const std::string& record : coordinator_.snapshot()) ASSERT_TRUE(copy.recover(record));
    EXPECT_EQ(copy.snapshot(), coordinator_.snapshot());
    EXPECT_EQ(copy.state(), coordinator_.state());
    EXPECT_EQ(copy.splits_owed(), coordinator_.splits_owed());
  }
  void join(uint64_t id, const std::string& address) {
    Register m;
    m.incarnation = 0xa0 + id;
    m.address = address;
    step(m);
  }
  void pass(int64_t ms) {
    now_ = now_ + base::ms(ms);
    coordinator_.tick(now_, &effects_);
    look();
  }

  Effects effects_;
  base::Instant now_ = kStart;
  Coordinator coordinator_ = make();
  std::vector<std::string> journal_;
  SplitOrder order_;
};

TEST_F(CoordinatorJournalTest, the_journal_is_the_coordinator) {
  join(2, "host:2");
  join(3, "host:3");
  join(2, "host:22");
  base::Prng prng(1);
  std::vector<uint64_t> collisions(64);
  for (int k = 0; k < 400; ++k) {
    const BucketNo bucket = prng.below(bucket_count(coordinator_.state()));
    switch (prng.below(4)) {
      case 0:
        step(Overflow{bucket, 0, 4, collisions[bucket] += prng.between(1, 3)});
        break;
      case 1:
        step(SplitDone{order_.split, order_.source.a, prng.chance(1, 2)});
        break;
      case 2:
        step(Heartbeat{node(2 + prng.below(2)), 0xa2 + prng.below(2), 0, {}});
        break;
      default:
        pass(static_cast<int64_t>(prng.between(1, 600)));
    }
    if (bucket_count(coordinator_.state()) >= 60) break;
  }
  EXPECT_GT(coordinator_.counters().splits, 20u);
}

TEST_F(CoordinatorJournalTest, a_resumed_coordinator_orders_the_split_that_was_under_way) {
  join(2, "host:2");
  step(Overflow{0, 0, 4, 1});
  const uint64_t split = order_.split;
  Coordinator again = make();
  for (const std::string& record : journal_) ASSERT_TRUE(again.recover(record));
  Effects effects;
  const Boot second{2, {}};
  again.resume(now_, "host:9", 0, second);
  again.tick(now_ + base::ms(500), &effects);
  EXPECT_EQ(one_of<SplitOrder>(effects).split, split);
  EXPECT_EQ(again.book().node(Coordinator::kSelf)->address, "host:9");
}

TEST_F(CoordinatorJournalTest, what_a_resumed_coordinator_says_counts_more_than_what_was_said) {
  join(2, "host:2");
  for (const char* address : {"host:3", "host:4", "host:5"}) join(2, address);
  uint64_t said = coordinator_.book().node(node(2))->version;
  for (uint32_t boot = 2; boot < 5; ++boot) {
    Coordinator again = make();
    for (const std::string& record : journal_) ASSERT_TRUE(again.recover(record));
    const Boot returned{boot, {7 * boot}};
    again.resume(now_, "host:1", 0, returned);
    Effects effects;
    again.step(now_, Heartbeat{node(2), 0xa2, 0, {}}, &effects);
    EXPECT_GT(one_of<BookUpdate>(effects).book.nodes.back().version, said);
    const auto nothing = [](uint64_t, std::string_view) { return uint64_t{0}; };
    EXPECT_EQ(effects.write_journal(nothing), 7 * boot) << "it waits for the boot to be recorded";
    said = again.book().node(node(2))->version;
  }
}

TEST_F(CoordinatorJournalTest, events_that_cannot_follow_are_refused) {
  for (const CoordinatorEvent& event : std::vector<CoordinatorEvent>{
           NodeRegistered{node(5'000), 5, 0, "a:1"}, NodeRegistered{NodeId::kNone, 5, 0, "a:1"},
           NodeRegistered{node(1), 5, 0, "a:1"}, CollisionsTakenIn{9, 1}, SplitBegun{},
           SplitAttempted{1, node(1)}, SplitHandedOver{1}, SplitCompleted{}}) {
    Coordinator fresh = make();
    EXPECT_FALSE(fresh.recover(record_of(event))) << event.index();
  }
}

}  // namespace
}  // namespace lh::core
