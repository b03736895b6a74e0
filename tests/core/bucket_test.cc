#include "core/bucket.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"
#include "tests/core/bucket_fixture.h"

namespace lh::core {
namespace {

using namespace testing;

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
  EXPECT_EQ(bucket.execute_once(m, 5, &effects_)->code, Code::kOk);
  EXPECT_EQ(bucket.execute_once(m, 5, &effects_)->code, Code::kExists);
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
