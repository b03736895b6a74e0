#include "core/bucket.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// Buckets of a file with integer keys and capacity 3, at node 1, and what they send.
class BucketTest : public ::testing::Test {
 protected:
  BucketTest() {
    host_.node = node(1);
    host_.options = integer_file();
    host_.arena = &arena_;
    host_.book = &addresses_;
    addresses_.set(0, node(1));
  }

  std::string execute(Bucket* bucket, Op op, uint64_t c, std::string_view value = {}) {
    const Bucket::Answer answer = bucket->execute(op, c, std::to_string(c), value);
    return to_string(answer.code) + (answer.value.empty() ? "" : " " + std::string(answer.value));
  }
  // At most once: as request `seq` of client 7.
  std::string once(Bucket* bucket, Op op, uint64_t seq, uint64_t c, std::string_view value = {}) {
    const std::string key = std::to_string(c);
    Request m = request(op, 0, key, value);
    m.seq = seq;
    const std::optional<Bucket::Answer> answer = bucket->execute_once(m, c);
    if (!answer) return "no answer";
    return to_string(answer->code) +
           (answer->value.empty() ? "" : " " + std::string(answer->value));
  }
  Lines report(Bucket* bucket) {
    effects_.clear();
    bucket->report_overflow(now_, &effects_);
    return lines(effects_);
  }
  Lines acknowledge(Bucket* bucket, uint64_t collisions, uint64_t done) {
    effects_.clear();
    bucket->on_overflow_ack(now_, {bucket->mark().a, collisions, done}, &effects_);
    return lines(effects_);
  }
  Lines tick(Bucket* bucket, int64_t ms) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    bucket->tick(now_, &effects_);
    return lines(effects_);
  }
  Lines order(Bucket* bucket, uint64_t split, Level source_level, uint64_t target_node) {
    const BucketNo a = bucket->mark().a;
    effects_.clear();
    bucket->on_split_order(
        now_, {split, {a, source_level}, a + (BucketNo{1} << source_level), node(target_node), {}},
        &effects_);
    return lines(effects_);
  }
  Lines turn(Bucket* bucket) {
    effects_.clear();
    bucket->turn(now_, &effects_);
    return lines(effects_);
  }
  Lines ack(Bucket* bucket, uint64_t split, uint32_t batch, uint32_t stream = 1) {
    effects_.clear();
    bucket->on_split_ack(now_, {split, stream, batch, bucket->mark().a}, &effects_);
    return lines(effects_);
  }

  // What the target's acknowledgement of all batches so far, here batch 0, sets off.
  Lines hand_over(Bucket* bucket, uint64_t split) {
    EXPECT_EQ(ack(bucket, split, 0), Lines{});
    return turn(bucket);
  }

  table::Arena arena_;
  AddressBook addresses_;
  Bucket::Host host_;
  Effects effects_;
  base::Instant now_ = kStart;
};

// ------------------------------------------------------------------------------ keyed operations

TEST_F(BucketTest, insert_update_and_put_say_what_they_found) {
  Bucket bucket(host_, BucketMark{0, 0});
  EXPECT_EQ(execute(&bucket, Op::kUpdate, 5, "x"), "NotFound");
  EXPECT_EQ(execute(&bucket, Op::kInsert, 5, "x"), "Ok");
  EXPECT_EQ(execute(&bucket, Op::kInsert, 5, "y"), "Exists");
  EXPECT_EQ(execute(&bucket, Op::kRead, 5), "Ok x");
  EXPECT_EQ(execute(&bucket, Op::kUpdate, 5, "y"), "Ok");
  EXPECT_EQ(execute(&bucket, Op::kPut, 5, "z"), "Ok");
  EXPECT_EQ(execute(&bucket, Op::kPut, 6, ""), "Ok");
  EXPECT_EQ(execute(&bucket, Op::kRead, 5), "Ok z");
  EXPECT_EQ(execute(&bucket, Op::kRead, 6), "Ok");
  EXPECT_EQ(execute(&bucket, Op::kDelete, 5), "Ok");
  EXPECT_EQ(execute(&bucket, Op::kDelete, 5), "NotFound");
  EXPECT_EQ(execute(&bucket, Op::kRead, 5), "NotFound");
  EXPECT_EQ(bucket.records(), 1u);
  EXPECT_EQ(bucket.bytes(), 1u);
}

TEST_F(BucketTest, a_mutation_of_a_client_is_executed_once) {
  Bucket bucket(host_, BucketMark{0, 0});
  EXPECT_EQ(once(&bucket, Op::kInsert, 1, 5, "x"), "Ok");
  EXPECT_EQ(once(&bucket, Op::kInsert, 1, 5, "x"), "Ok");
  EXPECT_EQ(once(&bucket, Op::kDelete, 2, 5), "Ok");
  EXPECT_EQ(once(&bucket, Op::kDelete, 2, 5), "Ok");
  EXPECT_EQ(once(&bucket, Op::kInsert, 1, 5, "x"), "Ok") << "still not executed again";
  EXPECT_EQ(bucket.records(), 0u);
}

TEST_F(BucketTest, reads_are_executed_each_time) {
  Bucket bucket(host_, BucketMark{0, 0});
  EXPECT_EQ(once(&bucket, Op::kRead, 1, 5), "NotFound");
  once(&bucket, Op::kPut, 2, 5, "x");
  EXPECT_EQ(once(&bucket, Op::kRead, 1, 5), "Ok x");
}

TEST_F(BucketTest, nobody_in_particular_is_not_remembered) {
  Bucket bucket(host_, BucketMark{0, 0});
  Request m = request(Op::kInsert, 0, "5", "x");
  m.from.client = 0;
  m.seq = 1;
  EXPECT_EQ(bucket.execute_once(m, 5)->code, Code::kOk);
  EXPECT_EQ(bucket.execute_once(m, 5)->code, Code::kExists);
}

TEST_F(BucketTest, increments_add_to_numbers_only) {
  Bucket bucket(host_, BucketMark{0, 0});
  EXPECT_EQ(execute(&bucket, Op::kIncrement, 5, "7"), "Ok 7") << "nothing there counts as 0";
  EXPECT_EQ(execute(&bucket, Op::kIncrement, 5, "-10"), "Ok -3");
  EXPECT_EQ(execute(&bucket, Op::kRead, 5), "Ok -3");
  for (const char* delta : {"", "+1", "1.0", " 1", "01", "9223372036854775808", "x"}) {
    EXPECT_EQ(execute(&bucket, Op::kIncrement, 5, delta), "NotInteger") << delta;
  }
  execute(&bucket, Op::kPut, 6, "9223372036854775807");
  EXPECT_EQ(execute(&bucket, Op::kIncrement, 6, "1"), "Overflow");
  EXPECT_EQ(execute(&bucket, Op::kIncrement, 6, "0"), "Ok 9223372036854775807");
  execute(&bucket, Op::kPut, 6, "-9223372036854775808");
  EXPECT_EQ(execute(&bucket, Op::kIncrement, 6, "-1"), "Overflow");
  execute(&bucket, Op::kPut, 6, "12 ");
  EXPECT_EQ(execute(&bucket, Op::kIncrement, 6, "1"), "NotInteger");
  EXPECT_EQ(execute(&bucket, Op::kRead, 6), "Ok 12 ") << "a refusal changes nothing";
  EXPECT_EQ(bucket.records(), 2u);
}

TEST_F(BucketTest, appends_make_values_longer_up_to_the_limit) {
  Bucket bucket(host_, BucketMark{0, 0});
  EXPECT_EQ(execute(&bucket, Op::kLength, 5), "NotFound");
  EXPECT_EQ(execute(&bucket, Op::kAppend, 5, "ab"), "Ok 2");
  EXPECT_EQ(execute(&bucket, Op::kAppend, 5, ""), "Ok 2");
  EXPECT_EQ(execute(&bucket, Op::kAppend, 5, "cde"), "Ok 5");
  EXPECT_EQ(execute(&bucket, Op::kRead, 5), "Ok abcde");
  EXPECT_EQ(execute(&bucket, Op::kLength, 5), "Ok 5");
  EXPECT_EQ(execute(&bucket, Op::kAppend, 5, std::string(kValueBytesMax - 5, 'x')), "Ok 8388608");
  EXPECT_EQ(execute(&bucket, Op::kAppend, 5, "x"), "TooLong");
  EXPECT_EQ(execute(&bucket, Op::kLength, 5), "Ok 8388608");
}

TEST_F(BucketTest, what_an_increment_or_append_answered_is_said_again) {
  Bucket bucket(host_, BucketMark{0, 0});
  EXPECT_EQ(once(&bucket, Op::kIncrement, 1, 5, "2"), "Ok 2");
  EXPECT_EQ(once(&bucket, Op::kAppend, 2, 5, "00"), "Ok 3");
  EXPECT_EQ(once(&bucket, Op::kIncrement, 3, 5, "1"), "Ok 201");
  EXPECT_EQ(once(&bucket, Op::kIncrement, 1, 5, "2"), "Ok 2");
  EXPECT_EQ(once(&bucket, Op::kAppend, 2, 5, "00"), "Ok 3");
  EXPECT_EQ(execute(&bucket, Op::kRead, 5), "Ok 201");
}

// ---------------------------------------------------------------------------------------- clear

class BucketClearTest : public BucketTest {
 protected:
  // Scan `number` of client 7, about all that the bucket has.
  uint64_t clear(Bucket* bucket, uint64_t number) {
    Scan scan;
    scan.client.client = 7;
    scan.scan = number;
    scan.kind = ScanKind::kClear;
    const Interval mine = interval_of(bucket->mark());
    effects_.clear();
    EXPECT_TRUE(bucket->start_scan(now_, scan, mine.first, mine.last, &effects_));
    const ScanReply answer = one_of<ScanReply>(effects_);
    EXPECT_EQ(answer.code, Code::kOk);
    EXPECT_EQ(answer.from, mine.first);
    EXPECT_EQ(answer.last, mine.last);
    EXPECT_FALSE(answer.more);
    return answer.records;
  }
  void fill(Bucket* bucket, uint64_t records) {
    for (uint64_t c = 0; c < records; ++c) execute(bucket, Op::kPut, c, std::string(200, 'x'));
  }
};

TEST_F(BucketClearTest, everything_goes_at_once_and_is_freed_in_slices) {
  Bucket bucket(host_, BucketMark{0, 0});
  fill(&bucket, 2'000);
  EXPECT_EQ(clear(&bucket, 1), 2'000u);
  EXPECT_EQ(bucket.records(), 0u);
  execute(&bucket, Op::kPut, 5, "new");
  int turns = 0;
  for (; bucket.has_work(); ++turns) turn(&bucket);
  EXPECT_GT(turns, 3);
  EXPECT_EQ(execute(&bucket, Op::kRead, 5), "Ok new");
}

TEST_F(BucketClearTest, a_repeated_or_late_scan_erases_nothing_that_was_written_since) {
  Bucket bucket(host_, BucketMark{0, 0});
  fill(&bucket, 3);
  EXPECT_EQ(clear(&bucket, 2), 3u);
  fill(&bucket, 2);
  EXPECT_EQ(clear(&bucket, 2), 0u);
  EXPECT_EQ(clear(&bucket, 1), 0u);
  EXPECT_EQ(bucket.records(), 2u);
  EXPECT_EQ(clear(&bucket, 3), 2u);
}

TEST_F(BucketClearTest, a_split_under_way_starts_again_with_what_came_after) {
  Bucket source(host_, BucketMark{0, 0});
  fill(&source, 4);
  order(&source, 1, 0, 2);
  EXPECT_EQ(clear(&source, 1), 4u);
  execute(&source, Op::kPut, 7, "x");
  EXPECT_EQ(turn(&source),
            Lines{"b1@n2: SplitRecords split=1 stream=2 batch=0 target=(a=1,j=1) bytes=5"});
  EXPECT_EQ(ack(&source, 1, 0, 2), Lines{});
  EXPECT_EQ(turn(&source),
            Lines{"b1@n2: SplitRecords split=1 stream=2 batch=1 last target=(a=1,j=1) bytes=11"})
      << "with the memory of the scan";
  EXPECT_EQ(source.records(), 0u);
}

TEST_F(BucketClearTest, what_is_handed_over_already_is_the_new_buckets_business) {
  Bucket source(host_, BucketMark{0, 0});
  fill(&source, 4);
  order(&source, 1, 0, 2);
  hand_over(&source, 1);
  EXPECT_EQ(clear(&source, 1), 2u);
  EXPECT_EQ(ack(&source, 1, 1), Lines{"coordinator: SplitDone split=1 source=0"});
}

// ----------------------------------------------------------------------------------- collisions

class BucketGrowthTest : public BucketTest {
 protected:
  Bucket bucket_{host_, BucketMark{0, 0}};

  void insert(std::initializer_list<uint64_t> keys) {
    for (const uint64_t c : keys) execute(&bucket_, Op::kPut, c, "x");
  }
};

TEST_F(BucketGrowthTest, up_to_its_capacity_there_is_nothing_to_report) {
  insert({1, 2, 3});
  EXPECT_EQ(report(&bucket_), Lines{});
  EXPECT_TRUE(bucket_.reports_settled());
}

TEST_F(BucketGrowthTest, an_insert_beyond_it_is_a_collision) {
  insert({1, 2, 3, 4});
  EXPECT_EQ(report(&bucket_),
            Lines{"coordinator: Overflow bucket=0 level=0 records=4 collisions=1"});
  EXPECT_FALSE(bucket_.reports_settled());
  EXPECT_EQ(acknowledge(&bucket_, 1, 0), Lines{});
  EXPECT_TRUE(bucket_.reports_settled());
}

TEST_F(BucketGrowthTest, other_changes_are_none) {
  insert({1, 2, 3, 4});
  report(&bucket_);
  acknowledge(&bucket_, 1, 1);
  execute(&bucket_, Op::kPut, 4, "again");
  execute(&bucket_, Op::kUpdate, 4, "again");
  execute(&bucket_, Op::kInsert, 4, "again");
  execute(&bucket_, Op::kDelete, 9);
  EXPECT_EQ(report(&bucket_), Lines{});
}

TEST_F(BucketGrowthTest, one_collision_is_reported_at_a_time) {
  insert({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(report(&bucket_),
            Lines{"coordinator: Overflow bucket=0 level=0 records=6 collisions=1"});
  EXPECT_EQ(report(&bucket_), Lines{});
  EXPECT_EQ(acknowledge(&bucket_, 1, 0), Lines{}) << "taken in, but the split is still to come";
  EXPECT_EQ(acknowledge(&bucket_, 1, 1),
            Lines{"coordinator: Overflow bucket=0 level=0 records=6 collisions=2"});
  EXPECT_EQ(acknowledge(&bucket_, 2, 2),
            Lines{"coordinator: Overflow bucket=0 level=0 records=6 collisions=3"});
  EXPECT_EQ(acknowledge(&bucket_, 3, 3), Lines{}) << "three inserts were beyond the capacity";
}

TEST_F(BucketGrowthTest, what_was_relieved_meanwhile_is_no_collision) {
  insert({1, 2, 3, 4, 5, 6});
  report(&bucket_);
  for (const uint64_t c : {1, 2, 3}) execute(&bucket_, Op::kDelete, c);
  EXPECT_EQ(acknowledge(&bucket_, 1, 1), Lines{});
  insert({7});
  EXPECT_EQ(report(&bucket_),
            Lines{"coordinator: Overflow bucket=0 level=0 records=4 collisions=2"});
}

TEST_F(BucketGrowthTest, a_report_is_repeated_until_its_split_is_done) {
  insert({1, 2, 3, 4});
  report(&bucket_);
  const Lines repeated{"coordinator: Overflow bucket=0 level=0 records=4 collisions=1"};
  EXPECT_EQ(tick(&bucket_, 249), Lines{});
  EXPECT_EQ(tick(&bucket_, 1), repeated);
  acknowledge(&bucket_, 1, 0);
  EXPECT_EQ(tick(&bucket_, 250), repeated) << "the word that it is done may get lost";
  acknowledge(&bucket_, 1, 1);
  EXPECT_EQ(tick(&bucket_, 250), Lines{});
}

TEST_F(BucketGrowthTest, what_nobody_said_yet_is_reported_at_the_next_tick) {
  insert({1, 2, 3, 4});
  EXPECT_EQ(tick(&bucket_, 1),
            Lines{"coordinator: Overflow bucket=0 level=0 records=4 collisions=1"});
}

TEST_F(BucketGrowthTest, acknowledgements_of_what_was_never_said_mean_nothing) {
  insert({1, 2, 3, 4, 5});
  report(&bucket_);
  EXPECT_EQ(acknowledge(&bucket_, 2, 0), Lines{});
  EXPECT_EQ(acknowledge(&bucket_, ~uint64_t{0}, ~uint64_t{0}), Lines{});
  EXPECT_EQ(acknowledge(&bucket_, 0, 1), Lines{});
  EXPECT_FALSE(bucket_.reports_settled());
}

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
    append_put(&run, std::to_string(c), value);
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
  append_put(&run, "no integer", "x");
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

// ---------------------------------------------------------------------------------------- scans

class BucketScanTest : public BucketTest {
 protected:
  bool start(uint64_t number) {
    Scan scan;
    scan.client.client = 7;
    scan.scan = number;
    effects_.clear();
    const bool started = bucket_.start_scan(now_, scan, 0, ~ReversedHash{0}, &effects_);
    listen();
    return started;
  }
  void fill(uint64_t count) {
    for (uint64_t c = 0; c < count; ++c) execute(&bucket_, Op::kPut, c, std::string(1000, 'x'));
  }
  void go_on(uint64_t number, ReversedHash after) {
    effects_.clear();
    bucket_.on_scan_more(now_, {7, number, 0, after}, &effects_);
    listen();
  }
  // Until nothing is left to do but wait.
  void work() {
    for (int turns = 0; bucket_.has_work(); ++turns) {
      ASSERT_LT(turns, 1000);
      turn(&bucket_);
      listen();
    }
  }
  void listen() {
    for (ScanReply m : all_of<ScanReply>(effects_)) {
      m.matches = {};
      pieces_.push_back(m);
    }
  }

  std::vector<ScanReply> pieces_;
  Bucket bucket_{host_, BucketMark{0, 0}};
};

TEST_F(BucketScanTest, several_scans_go_on_side_by_side) {
  fill(500);
  for (const uint64_t number : {1, 2, 3}) EXPECT_TRUE(start(number));
  std::map<uint64_t, ReversedHash> places;
  for (int round = 0; round < 100; ++round) {
    work();
    for (const ScanReply& m : std::exchange(pieces_, {})) {
      places[m.scan] = m.last;
      if (m.more) go_on(m.scan, m.last);
    }
  }
  EXPECT_EQ(places.size(), 3u);
  for (const auto& [number, last] : places) EXPECT_EQ(last, ~ReversedHash{0}) << number;
}

TEST_F(BucketScanTest, scans_under_way_are_bounded_and_ended_ones_do_not_count) {
  for (size_t k = 0; k < 3 * kScansPerBucketMax; ++k) ASSERT_TRUE(start(k)) << "small ones end";
  fill(500);
  for (size_t k = 0; k < kScansPerBucketMax; ++k) ASSERT_TRUE(start(1000 + k));
  EXPECT_FALSE(start(5000));
  work();
  EXPECT_FALSE(start(5000)) << "all wait for their clients";
  for (int k = 0; k < 2; ++k) tick(&bucket_, 31'000);
  EXPECT_TRUE(start(5000)) << "which never came back";
}

TEST_F(BucketScanTest, asked_again_while_it_is_at_it_there_is_one_scan) {
  fill(500);
  Scan scan;
  scan.client.client = 7;
  scan.scan = 1;
  scan.match = ScanMatch::kKeyGlob;
  scan.pattern = "499";
  for (size_t k = 0; k < 2 * kScansPerBucketMax; ++k) {
    ASSERT_TRUE(bucket_.start_scan(now_, scan, 0, ~ReversedHash{0}, &effects_));
  }
  work();
  ASSERT_EQ(pieces_.size(), 1u);
  EXPECT_EQ(pieces_[0].records, 1u);
}

TEST_F(BucketScanTest, a_split_leaves_the_rest_to_the_child_behind_the_last_batch) {
  fill(500);
  start(1);
  order(&bucket_, 1, 0, 2);
  for (uint32_t acked = 0; bucket_.mark().j == 0; ++acked) {
    turn(&bucket_);
    if (bucket_.mark().j == 0) ack(&bucket_, 1, acked);
    ASSERT_LT(acked, 100u);
  }
  ASSERT_GE(effects_.sends().size(), 2u);
  const Outgoing& rest = effects_.sends().back();
  EXPECT_EQ(to_string(rest.to), "b1@n2");
  const Scan scan = one_of<Scan>(effects_);
  EXPECT_EQ(scan.to, 1u);
  EXPECT_EQ(scan.level, 1u);
  EXPECT_EQ(scan.last, ~ReversedHash{0});
  const SplitRecords* before = std::get_if<SplitRecords>(&effects_.sends().rbegin()[1].message);
  ASSERT_NE(before, nullptr);
  EXPECT_TRUE(before->last);
}

}  // namespace
}  // namespace lh::core
