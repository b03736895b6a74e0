#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/bucket.h"
#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"
#include "tests/core/bucket_fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// ---------------------------------------------------------------------------- split, giving side

class BucketSplitTest : public BucketTest {
 protected:
  Bucket source_{host_, BucketMark{0, 0}};
};

TEST_F(BucketSplitTest, streams_hands_over_and_is_done) {
  for (const uint64_t c : {1, 2, 3, 4}) execute(&source_, Op::kPut, c, "x");
  EXPECT_EQ(order(&source_, 1, 0, 2),
            Lines{"b1@n2: SplitRecords split=1 stream=1 batch=0 target=(a=1,j=1) bytes=10"});
  EXPECT_EQ(source_.mark(), (BucketMark{0, 0}));
  EXPECT_EQ(source_.records(), 4u);
  EXPECT_EQ(turn(&source_), Lines{}) << "the target has not said a word";
  EXPECT_FALSE(source_.has_work());
  EXPECT_EQ(hand_over(&source_, 1),
            Lines{"b1@n2: SplitRecords split=1 stream=1 batch=1 last target=(a=1,j=1) bytes=0"});
  EXPECT_EQ(source_.mark(), (BucketMark{0, 1}));
  EXPECT_EQ(source_.records(), 2u);
  EXPECT_EQ(ack(&source_, 1, 1), Lines{"coordinator: SplitDone split=1 source=0"});
  EXPECT_EQ(source_.split(), nullptr);
  EXPECT_EQ(turn(&source_), Lines{});
  EXPECT_FALSE(source_.has_work());
}

TEST_F(BucketSplitTest, serves_what_moves_until_the_hand_over) {
  order(&source_, 1, 0, 2);
  EXPECT_EQ(execute(&source_, Op::kInsert, 1, "x"), "Ok");
  EXPECT_EQ(execute(&source_, Op::kRead, 1), "Ok x");
  EXPECT_EQ(hand_over(&source_, 1).size(), 2u) << "the change, then the last batch";
}

TEST_F(BucketSplitTest, a_repeated_order_changes_nothing) {
  order(&source_, 1, 0, 2);
  EXPECT_EQ(order(&source_, 1, 0, 2), Lines{});
  EXPECT_EQ(hand_over(&source_, 1).size(), 1u);
}

TEST_F(BucketSplitTest, an_order_for_another_level_is_not_for_this_bucket) {
  EXPECT_EQ(order(&source_, 1, 1, 2), Lines{}) << "it has not got that far";
  EXPECT_EQ(source_.split(), nullptr);
}

TEST_F(BucketSplitTest, an_order_for_what_is_done_is_answered) {
  order(&source_, 1, 0, 2);
  hand_over(&source_, 1);
  EXPECT_EQ(order(&source_, 1, 0, 2), Lines{"coordinator: SplitDone split=1 source=0 not-live"});
  EXPECT_EQ(order(&source_, 2, 0, 3), Lines{"coordinator: SplitDone split=1 source=0 not-live"})
      << "another target cannot be had any more";
  ack(&source_, 1, 1);
  EXPECT_EQ(order(&source_, 2, 0, 3), Lines{"coordinator: SplitDone split=1 source=0"});
}

// Otherwise the coordinator would take the next split for handed over, and stick to its target.
TEST_F(BucketSplitTest, an_order_for_what_was_done_before_says_nothing_about_the_next_split) {
  order(&source_, 1, 0, 2);
  hand_over(&source_, 1);
  ack(&source_, 1, 1);
  order(&source_, 2, 1, 3);
  EXPECT_EQ(order(&source_, 1, 0, 2), Lines{"coordinator: SplitDone split=1 source=0"});
}

TEST_F(BucketSplitTest, a_new_attempt_starts_from_nothing) {
  for (const uint64_t c : {1, 2, 3, 4}) execute(&source_, Op::kPut, c, "x");
  order(&source_, 1, 0, 2);
  EXPECT_EQ(order(&source_, 2, 0, 3),
            Lines{"b1@n3: SplitRecords split=2 stream=1 batch=0 target=(a=1,j=1) bytes=10"});
  EXPECT_EQ(ack(&source_, 1, 0), Lines{});
  hand_over(&source_, 2);
  EXPECT_EQ(ack(&source_, 1, 1), Lines{}) << "the first target has no say any more";
  EXPECT_EQ(ack(&source_, 2, 1), Lines{"coordinator: SplitDone split=2 source=0"});
}

TEST_F(BucketSplitTest, acknowledgements_without_a_split_mean_nothing) {
  EXPECT_EQ(ack(&source_, 1, 0), Lines{});
}

TEST_F(BucketSplitTest, the_moved_half_is_freed_after_the_acknowledgement) {
  for (uint64_t c = 0; c < 1000; ++c) execute(&source_, Op::kPut, c, std::string(200, 'x'));
  order(&source_, 1, 0, 2);
  int turns = 0;
  for (uint32_t acked = 0; source_.mark().j == 0; ++turns) {
    ack(&source_, 1, acked++);
    turn(&source_);
    ASSERT_LT(turns, 100);
  }
  EXPECT_FALSE(source_.has_work()) << "it waits for the target";
  ack(&source_, 1, 100);
  EXPECT_TRUE(source_.has_work());
  for (turns = 0; source_.has_work(); ++turns) {
    turn(&source_);
    ASSERT_LT(turns, 100);
  }
  EXPECT_EQ(source_.records(), 500u);
}

TEST_F(BucketSplitTest, inserts_that_wait_to_be_reported_are_shared_with_the_records) {
  for (uint64_t c = 0; c < 24; ++c) execute(&source_, Op::kPut, c, "x");
  report(&source_);
  order(&source_, 1, 0, 2);
  hand_over(&source_, 1);
  EXPECT_EQ(one_of<SplitRecords>(effects_).overdue, 10u) << "half of the 20 that are left";
}

// ------------------------------------------------------------------------ split, receiving side

class BucketTargetTest : public BucketTest {
 protected:
  BucketTargetTest() : target_(host_, batch(0, false)) {}

  static SplitRecords batch(uint32_t number, bool last, std::string_view changes = {},
                            uint64_t split = 5, uint32_t stream = 1) {
    return {split, stream, number, last, 0, node(2), {1, 1}, 0, changes};
  }
  // `acked 3`, ` live` when it came to life with this message.
  std::string receive(const SplitRecords& m) {
    effects_.clear();
    const bool came_alive = target_.on_split_records(m, &effects_);
    EXPECT_LE(effects_.sends().size(), 1u);
    std::string out;
    for (const SplitRecordsAck& sent : all_of<SplitRecordsAck>(effects_)) {
      EXPECT_EQ(sent.split, m.split);
      out = "acked " + std::to_string(sent.batch);
    }
    return out + (came_alive ? " live" : "");
  }
  static std::string put(uint64_t c, std::string_view value) {
    std::string run;
    append_put(&run, {std::to_string(c), value});
    return run;
  }

  Bucket target_;
};

TEST_F(BucketTargetTest, goes_live_with_the_last_batch) {
  EXPECT_FALSE(target_.live());
  EXPECT_EQ(receive(batch(0, false, put(1, "x"))), "acked 0");
  EXPECT_FALSE(target_.live());
  EXPECT_EQ(receive(batch(1, true, put(3, "y"))), "acked 1 live");
  EXPECT_TRUE(target_.live());
  EXPECT_EQ(target_.mark(), (BucketMark{1, 1}));
  EXPECT_EQ(execute(&target_, Op::kRead, 1), "Ok x");
  EXPECT_EQ(execute(&target_, Op::kRead, 3), "Ok y");
}

TEST_F(BucketTargetTest, applies_changes_in_order) {
  std::string run = put(1, "old") + put(1, "new") + put(3, "gone");
  append_erase(&run, "3");
  append_erase(&run, "5");
  receive(batch(0, true, run));
  EXPECT_EQ(execute(&target_, Op::kRead, 1), "Ok new");
  EXPECT_EQ(target_.records(), 1u);
}

TEST_F(BucketTargetTest, a_batch_that_comes_twice_is_acknowledged_and_applied_once) {
  receive(batch(0, false, put(1, "x")));
  std::string erase;
  append_erase(&erase, "1");
  receive(batch(1, false, erase));
  EXPECT_EQ(receive(batch(0, false, put(1, "x"))), "acked 0");
  EXPECT_EQ(target_.records(), 0u);
}

TEST_F(BucketTargetTest, a_batch_behind_a_gap_is_not_taken) {
  receive(batch(0, false));
  EXPECT_EQ(receive(batch(2, true)), "");
  EXPECT_FALSE(target_.live());
  EXPECT_EQ(receive(batch(1, false)), "acked 1");
}

TEST_F(BucketTargetTest, a_later_stream_starts_from_nothing) {
  receive(batch(0, false, put(1, "x")));
  EXPECT_EQ(receive(batch(1, true, {}, 5, 2)), "") << "its beginning was lost";
  EXPECT_EQ(receive(batch(0, false, put(3, "y"), 5, 2)), "acked 0");
  EXPECT_EQ(receive(batch(1, true, {}, 5, 1)), "") << "the stream before";
  receive(batch(1, true, {}, 5, 2));
  EXPECT_EQ(target_.records(), 1u);
}

TEST_F(BucketTargetTest, a_later_attempt_starts_from_nothing) {
  std::string run = put(1, "x");
  append_answer(&run, 7, 1, Code::kOk, {});
  receive(batch(0, false, run));
  EXPECT_EQ(receive(batch(0, true, put(3, "y"), 6)), "acked 0 live");
  EXPECT_EQ(target_.records(), 1u);
  EXPECT_EQ(once(&target_, Op::kInsert, 1, 3, "z"), "Exists") << "answers were forgotten, too";
}

TEST_F(BucketTargetTest, an_earlier_attempt_is_over) {
  receive(batch(0, false, {}, 6));
  EXPECT_EQ(receive(batch(1, true, {}, 5)), "");
  EXPECT_FALSE(target_.live());
}

TEST_F(BucketTargetTest, once_live_it_acknowledges_its_own_stream_only) {
  receive(batch(0, false));
  receive(batch(1, true));
  execute(&target_, Op::kPut, 1, "later");
  EXPECT_EQ(receive(batch(1, true, put(1, "x"))), "acked 1");
  EXPECT_EQ(receive(batch(0, false, put(1, "x"), 6)), "");
  EXPECT_EQ(execute(&target_, Op::kRead, 1), "Ok later");
}

TEST_F(BucketTargetTest, remembers_what_the_source_answered) {
  std::string run;
  append_client(&run, 7, 3, 9);
  append_answer(&run, 7, 4, Code::kExists, {});
  receive(batch(0, true, run));
  EXPECT_EQ(once(&target_, Op::kInsert, 4, 1, "x"), "Exists");
  EXPECT_EQ(once(&target_, Op::kInsert, 2, 1, "x"), "no answer");
  EXPECT_EQ(once(&target_, Op::kInsert, 5, 1, "x"), "Ok");
  Scan scan;
  scan.client.client = 7;
  scan.scan = 9;
  scan.kind = ScanKind::kClear;
  const Interval mine = interval_of(target_.mark());
  target_.start_scan(now_, scan, mine.first, mine.last, &effects_);
  EXPECT_EQ(target_.records(), 1u) << "the source has cleared itself before it split";
}

TEST_F(BucketTargetTest, takes_its_share_of_unreported_inserts) {
  std::string run;
  for (const uint64_t c : {1, 3, 5, 7, 9}) run += put(c, "x");
  SplitRecords last = batch(0, true, run);
  last.overdue = 2;
  receive(last);
  EXPECT_EQ(tick(&target_, 50),
            Lines{"coordinator: Overflow bucket=1 level=1 records=5 collisions=1"});
}

TEST_F(BucketTargetTest, malformed_runs_are_not_acknowledged) {
  EXPECT_EQ(receive(batch(0, true, "\xff")), "");
  EXPECT_EQ(receive(batch(0, true, put(1, "x") + "\x01\x05")), "");
  EXPECT_EQ(receive(batch(0, true, put(2, "of another bucket"))), "");
  std::string run;
  append_put(&run, {"no integer", "x"});
  EXPECT_EQ(receive(batch(0, true, run)), "");
  append_erase(&run, "4");
  EXPECT_EQ(receive(batch(0, true, run)), "");
  EXPECT_FALSE(target_.live());
}

TEST_F(BucketTargetTest, orders_find_nothing_to_split_before_it_is_live) {
  EXPECT_EQ(order(&target_, 9, 1, 3), Lines{});
  EXPECT_EQ(target_.split(), nullptr);
}

TEST_F(BucketTargetTest, holds_requests_in_order) {
  for (const char* key : {"1", "3"}) {
    EXPECT_TRUE(target_.hold(OwnedMessage(request(Op::kRead, 1, key))));
  }
  receive(batch(0, true));
  const std::deque<OwnedMessage> held = target_.take_held();
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(std::get<Request>(held[0].message()).key, "1");
  EXPECT_EQ(std::get<Request>(held[1].message()).key, "3");
  EXPECT_TRUE(target_.take_held().empty());
}

}  // namespace
}  // namespace lh::core
