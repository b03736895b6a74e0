#include "core/scan_job.h"

#include <gtest/gtest.h>

#include <string>

#include "core/bucket.h"
#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

TEST(ScanMatchTest, all_value_and_globs) {
  EXPECT_TRUE(scan_matches(ScanMatch::kAll, "ignored", "k", "v"));
  EXPECT_TRUE(scan_matches(ScanMatch::kValueContains, "b", "k", "abc"));
  EXPECT_FALSE(scan_matches(ScanMatch::kValueContains, "k", "k", "abc"));
  EXPECT_TRUE(scan_matches(ScanMatch::kValueContains, "", "k", ""));
  EXPECT_TRUE(scan_matches(ScanMatch::kKeyGlob, "us?r:*", "user:1", ""));
  EXPECT_FALSE(scan_matches(ScanMatch::kKeyGlob, "user", "user:1", "user"));
  EXPECT_TRUE(scan_matches(ScanMatch::kValueGlob, "a*", "k", "abc"));
  EXPECT_FALSE(scan_matches(ScanMatch::kValueGlob, "b*", "k", "abc"));
}

// Bucket 0 of level 1, with the keys 2, 4, ... 2 * count. r of 2, 6, 10, ... is in the upper half.
class ScanJobTest : public ::testing::Test {
 protected:
  ScanJobTest() {
    scan_.client.client = 7;
    scan_.scan = 3;
    for (BucketNo a = 0; a < 2; ++a) addresses_.set(a, node(1));
  }

  void fill(uint64_t count, size_t value_bytes) {
    for (uint64_t c = 2; c <= 2 * count; c += 2) {
      table_.put(c, std::to_string(c), std::string(value_bytes, 'v'));
    }
  }
  ScanJob make() { return {scan_, bucket_.first, bucket_.last, now_}; }
  bool slice(ScanJob* job) {
    effects_.clear();
    const bool more = job->slice(now_, view_, &effects_);
    for (const ScanReply& m : all_of<ScanReply>(effects_)) take(m);
    return more;
  }
  // Sums up the pieces and holds that they do not overlap.
  void take(const ScanReply& m) {
    EXPECT_EQ(m.from, m.chunk == 0 ? next_ : from_);
    from_ = m.from;
    if (!m.partial) next_ = m.last + 1, records_ += m.records;
    ChangeReader reader(m.matches);
    Change change;
    while (reader.next(&change)) ++matches_;
    EXPECT_TRUE(reader.ok());
    last_ = m.last;
    more_ = m.more;
    ++messages_;
    EXPECT_LE(m.matches.size(), largest_allowed_);
  }
  bool resume(ScanJob* job) { return job->resume(now_, {7, 3, 0, last_}); }

  table::Arena arena_;
  table::HashTable table_{{1, table_hash(base::HashMode::kInteger), &arena_}};
  AddressBook addresses_;
  ScanJob::View view_{{0, 1}, node(1), &table_, &addresses_, 0, true};
  Interval bucket_ = interval_of({0, 1});
  Scan scan_;
  Effects effects_;
  base::Instant now_ = kStart;

  ReversedHash next_ = 0;
  ReversedHash from_ = 0;
  ReversedHash last_ = 0;
  bool more_ = false;
  uint64_t records_ = 0;
  uint64_t matches_ = 0;
  int messages_ = 0;
  size_t largest_allowed_ = ~size_t{0};
};

TEST_F(ScanJobTest, a_small_bucket_is_answered_in_one_piece) {
  fill(10, 1);
  ScanJob job = make();
  EXPECT_FALSE(slice(&job));
  EXPECT_TRUE(job.done());
  const ScanReply m = one_of<ScanReply>(effects_);
  EXPECT_EQ((Interval{m.from, m.last}), bucket_);
  EXPECT_EQ(m.records, 10u);
  EXPECT_EQ(matches_, 10u);
  EXPECT_FALSE(m.more);
  EXPECT_TRUE(m.book.empty());
  EXPECT_EQ(m.bucket, (BucketMark{0, 1}));
  EXPECT_EQ(m.node, node(1));
}

TEST_F(ScanJobTest, an_empty_bucket_answers_too) {
  ScanJob job = make();
  slice(&job);
  EXPECT_EQ(one_of<ScanReply>(effects_).records, 0u);
  EXPECT_TRUE(job.done());
}

TEST_F(ScanJobTest, keeps_what_the_message_lent) {
  fill(10, 1);
  std::string pattern = "1*", listener = "127.0.0.1:4711";
  scan_.match = ScanMatch::kKeyGlob;
  scan_.pattern = pattern;
  scan_.client.listener = listener;
  ScanJob job = make();
  pattern = listener = std::string(100, '!');
  slice(&job);
  EXPECT_EQ(matches_, 5u) << "10 12 14 16 18";
  EXPECT_EQ(one_of<ScanReply>(effects_).to.listener, "127.0.0.1:4711");
}

TEST_F(ScanJobTest, keys_come_without_their_values) {
  fill(10, 1'000);
  scan_.kind = ScanKind::kKeys;
  largest_allowed_ = 200;
  ScanJob job = make();
  EXPECT_FALSE(slice(&job));
  EXPECT_TRUE(job.done());
  EXPECT_EQ(matches_, 10u);
}

TEST_F(ScanJobTest, a_scan_of_a_few_records_ends_behind_them) {
  fill(1'000, 10);
  scan_.kind = ScanKind::kKeys;
  scan_.solo = true;
  uint64_t pieces = 0;
  for (; next_ < bucket_.last; ++pieces) {
    scan_.records_max = 10;
    scan_.from = next_;
    const uint64_t before = matches_;
    ScanJob job(scan_, next_, bucket_.last, now_);
    while (slice(&job)) {
    }
    EXPECT_TRUE(job.done());
    EXPECT_FALSE(more_);
    EXPECT_LE(matches_ - before, 64u);
    if (last_ < bucket_.last) {
      EXPECT_GE(matches_ - before, 10u);
    }
  }
  EXPECT_EQ(matches_, 1'000u) << "each once";
  EXPECT_GT(pieces, 15u);
}

TEST_F(ScanJobTest, a_scan_of_many_records_ends_with_its_first_piece) {
  fill(20'000, 10);
  scan_.solo = true;
  scan_.records_max = 1'000'000;
  ScanJob job = make();
  while (slice(&job)) {
  }
  EXPECT_TRUE(job.done());
  EXPECT_FALSE(more_);
  EXPECT_LT(last_, bucket_.last);
}

TEST_F(ScanJobTest, a_long_result_comes_in_pieces_that_wait) {
  fill(1000, 1000);
  ScanJob job = make();
  size_t pieces = 0;
  while (!job.done()) {
    while (slice(&job)) {
    }
    ++pieces;
    if (!more_) break;
    EXPECT_FALSE(job.can_go_on(true));
    EXPECT_FALSE(slice(&job)) << "it waits";
    EXPECT_TRUE(effects_.sends().empty()) << "and says nothing";
    ASSERT_TRUE(resume(&job));
  }
  // A piece ends with the first slice that fills a batch.
  EXPECT_GE(pieces * (kScanBatchBytes + kSliceBytes), 1000u * 1000u);
  EXPECT_GT(pieces, 1u);
  EXPECT_EQ(records_, 1000u);
  EXPECT_EQ(matches_, 1000u);
  EXPECT_EQ(last_, bucket_.last);
}

TEST_F(ScanJobTest, a_piece_that_waits_tells_where_its_bucket_is) {
  fill(1000, 1000);
  ScanJob job = make();
  while (slice(&job)) {
  }
  const ScanReply m = one_of<ScanReply>(effects_);
  EXPECT_TRUE(m.more);
  EXPECT_EQ(m.book.first, 0u);
  EXPECT_EQ(m.book.at, std::vector<NodeId>{node(1)});
}

TEST_F(ScanJobTest, large_records_do_not_make_messages_larger_than_a_frame) {
  fill(8, kValueBytesMax / 2);
  largest_allowed_ = kScanBatchBytes + kValueBytesMax + kKeyBytesMax + 100;
  ScanJob job = make();
  for (int k = 0; k < 100 && !job.done(); ++k) {
    while (slice(&job)) {
    }
    if (more_) resume(&job);
  }
  EXPECT_EQ(matches_, 8u);
  EXPECT_GT(messages_, 1);
}

TEST_F(ScanJobTest, the_word_to_go_on_must_be_for_this_piece) {
  fill(1000, 1000);
  ScanJob job = make();
  while (slice(&job)) {
  }
  EXPECT_FALSE(job.resume(now_, {8, 3, 0, last_})) << "another client";
  EXPECT_FALSE(job.resume(now_, {7, 4, 0, last_})) << "another scan";
  EXPECT_FALSE(job.resume(now_, {7, 3, 0, last_ - 1})) << "another place";
  EXPECT_TRUE(job.resume(now_, {7, 3, 0, last_}));
  EXPECT_FALSE(job.resume(now_, {7, 3, 0, last_})) << "it is at work already";
}

TEST_F(ScanJobTest, without_matches_it_walks_on_without_a_word) {
  fill(1000, 1000);
  scan_.match = ScanMatch::kKeyGlob;
  scan_.pattern = "nothing";
  ScanJob job = make();
  int slices = 1;
  while (slice(&job)) ++slices;
  EXPECT_GT(slices, 10);
  EXPECT_EQ(messages_, 1);
  EXPECT_TRUE(job.done());
}

// ------------------------------------------------------------------------------------- counting

TEST_F(ScanJobTest, a_whole_bucket_is_counted_without_a_walk) {
  fill(10'000, 100);
  scan_.kind = ScanKind::kStats;
  ScanJob job = make();
  EXPECT_FALSE(slice(&job));
  const ScanReply m = one_of<ScanReply>(effects_);
  EXPECT_EQ(m.records, 10'000u);
  EXPECT_EQ(m.bytes, table_.payload_bytes());
  EXPECT_EQ(m.matches, "");
}

TEST_F(ScanJobTest, a_part_of_a_bucket_is_counted_by_walking) {
  fill(10'000, 100);
  scan_.kind = ScanKind::kStats;
  bucket_.last = interval_of({0, 2}).last;
  ScanJob job = make();
  while (slice(&job)) {
  }
  EXPECT_EQ(records_, 5000u);
  EXPECT_EQ(messages_, 1) << "counts need no pieces";
}

TEST_F(ScanJobTest, settle_waits_until_the_reports_are_taken_in) {
  fill(10, 1);
  scan_.kind = ScanKind::kSettle;
  view_.reports_settled = false;
  view_.overdue = 4;
  ScanJob job = make();
  EXPECT_FALSE(job.can_go_on(false));
  EXPECT_FALSE(slice(&job));
  EXPECT_EQ(messages_, 0);
  view_.reports_settled = true;
  EXPECT_TRUE(job.can_go_on(true));
  slice(&job);
  EXPECT_EQ(one_of<ScanReply>(effects_).records, 10u);
  EXPECT_EQ(one_of<ScanReply>(effects_).overdue, 4u);
}

// --------------------------------------------------------------------- a split during the scan

TEST_F(ScanJobTest, before_it_has_begun_a_cut_leaves_the_upper_half_to_the_child) {
  ScanJob job = make();
  const ReversedHash mid = interval_of({2, 2}).first;
  const std::optional<Scan> rest = job.cut(mid);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ((Interval{rest->from, rest->last}), interval_of({2, 2}));
  EXPECT_EQ(rest->scan, 3u);
  slice(&job);
  EXPECT_EQ(last_, mid - 1);
  EXPECT_TRUE(job.done());
}

TEST_F(ScanJobTest, what_was_walked_beyond_the_middle_is_answered_here) {
  fill(1000, 1000);
  ScanJob job = make();
  const ReversedHash mid = interval_of({2, 2}).first;
  uint64_t answered = 0;
  while (last_ < mid) {
    while (slice(&job)) {
    }
    answered = records_;
    resume(&job);
  }
  ASSERT_TRUE(more_);
  slice(&job);  // half a piece, perhaps
  const std::optional<Scan> rest = job.cut(mid);
  ASSERT_TRUE(rest.has_value());
  EXPECT_GE(rest->from, last_ + 1);
  while (!job.done() && slice(&job)) {
  }
  EXPECT_TRUE(job.done());
  EXPECT_EQ(next_, rest->from) << "the pieces of both meet without a gap";
  EXPECT_GE(records_, answered);
}

TEST_F(ScanJobTest, a_job_that_waits_with_everything_walked_up_to_the_middle_ends_at_a_cut) {
  fill(1000, 1000);
  ScanJob job = make();
  const ReversedHash mid = interval_of({2, 2}).first;
  while (last_ < mid) {
    if (more_) resume(&job);
    while (slice(&job)) {
    }
  }
  const std::optional<Scan> rest = job.cut(mid);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->from, last_ + 1);
  EXPECT_TRUE(job.done());
  EXPECT_FALSE(resume(&job)) << "the word to go on finds nothing";
}

TEST_F(ScanJobTest, a_scan_of_the_lower_half_is_not_cut) {
  bucket_.last = interval_of({0, 2}).last;
  ScanJob job = make();
  EXPECT_EQ(job.cut(interval_of({2, 2}).first), std::nullopt);
}

TEST_F(ScanJobTest, what_is_done_is_not_cut) {
  ScanJob job = make();
  slice(&job);
  EXPECT_EQ(job.cut(interval_of({2, 2}).first), std::nullopt);
}

TEST_F(ScanJobTest, two_cuts_leave_each_part_to_one_bucket) {
  fill(1000, 1000);
  ScanJob job = make();
  const std::optional<Scan> first = job.cut(interval_of({2, 2}).first);
  const std::optional<Scan> second = job.cut(interval_of({4, 3}).first);
  ASSERT_TRUE(first && second);
  EXPECT_EQ((Interval{first->from, first->last}), interval_of({2, 2}));
  EXPECT_EQ((Interval{second->from, second->last}), interval_of({4, 3}));
}

// --------------------------------------------------------------------------- asked again, given up

TEST_F(ScanJobTest, what_it_is_still_working_on_needs_no_second_job) {
  fill(1000, 1000);
  ScanJob job = make();
  EXPECT_TRUE(job.has_in_hand(scan_, bucket_.first, bucket_.last));
  EXPECT_TRUE(job.has_in_hand(scan_, bucket_.first + 5, bucket_.last - 5));
  Scan other = scan_;
  other.scan = 4;
  EXPECT_FALSE(job.has_in_hand(other, bucket_.first, bucket_.last));
  other = scan_;
  other.client.client = 8;
  EXPECT_FALSE(job.has_in_hand(other, bucket_.first, bucket_.last));
  EXPECT_FALSE(job.has_in_hand(scan_, bucket_.last + 1, bucket_.last + 2));
  EXPECT_FALSE(job.done());
}

TEST_F(ScanJobTest, a_job_that_waits_ends_when_the_client_asks_again) {
  fill(1000, 1000);
  ScanJob job = make();
  while (slice(&job)) {
  }
  EXPECT_FALSE(job.has_in_hand(scan_, bucket_.first, bucket_.last)) << "a piece was lost";
  EXPECT_TRUE(job.done());
}

TEST_F(ScanJobTest, a_client_that_never_asks_for_more_is_given_up) {
  fill(1000, 1000);
  ScanJob job = make();
  EXPECT_FALSE(job.abandoned(now_ + base::seconds(100))) << "it is not waiting for anybody";
  while (slice(&job)) {
  }
  EXPECT_FALSE(job.abandoned(now_ + base::seconds(30)));
  EXPECT_TRUE(job.abandoned(now_ + base::seconds(31)));
}

}  // namespace
}  // namespace lh::core
