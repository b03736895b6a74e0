#include "core/scan_call.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// Client 7 with the image (1, 1), three buckets, at nodes 1, 2, 3.
class ScanCallTest : public ::testing::Test {
 protected:
  ScanCallTest() {
    path_.client = 7;
    addresses_.learn(book(0, {1, 2, 3}));
  }

  ScanCall& start(ScanCall call) {
    call_.emplace(std::move(call));
    effects_.clear();
    call_->start(context());
    return *call_;
  }
  ScanCall& start() { return start(ScanCall(3, ScanKind::kRecords, ScanMatch::kAll, {})); }

  // `b0:1 b1:2` for scans to buckets 0 and 1, as of levels 1 and 2.
  std::string asked() const {
    std::string out;
    for (const Scan& m : all_of<Scan>(effects_)) {
      out += (out.empty() ? "b" : " b") + std::to_string(m.to) +
             (m.solo ? "" : ":" + std::to_string(m.level));
    }
    return out;
  }
  static ScanReply answer(BucketMark bucket) {
    const Interval all = interval_of(bucket);
    return answer(bucket, all.first, all.last);
  }
  static ScanReply answer(BucketMark bucket, ReversedHash from, ReversedHash last) {
    ScanReply m;
    m.to.client = 7;
    m.scan = 3;
    m.bucket = bucket;
    m.node = node(bucket.a % 3 + 1);
    m.from = from;
    m.last = last;
    return m;
  }
  bool take(ScanReply m) {
    effects_.clear();
    return call_->on_reply(context(), &m);
  }
  std::string tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    call_->tick(context());
    return asked();
  }
  std::optional<BucketNo> unreachable(uint64_t number) {
    return call_->node_unreachable(context(), node(number));
  }

  CallContext context() { return {now_, path_, image_, addresses_, &effects_}; }

  ReplyPath path_;
  FileState image_{1, 1};
  AddressBook addresses_;
  std::optional<ScanCall> call_;
  Effects effects_;
  base::Instant now_ = kStart;
};

TEST_F(ScanCallTest, asks_every_bucket_of_the_image_with_the_level_it_has_there) {
  start();
  EXPECT_EQ(asked(), "b0:2 b1:1 b2:2");
  for (const Scan& m : all_of<Scan>(effects_)) {
    EXPECT_EQ((Interval{m.from, m.last}), interval_of({m.to, m.level}));
    EXPECT_EQ(m.client.client, 7u);
    EXPECT_EQ(m.scan, 3u);
  }
}

TEST_F(ScanCallTest, asks_only_buckets_that_it_can_reach_by_itself) {
  image_ = {3, 2};
  start();
  EXPECT_EQ(asked(), "b0:2 b1:1 b2:2") << "the map ends at bucket 2";
}

TEST_F(ScanCallTest, asks_only_so_many_buckets_ahead_of_the_answers) {
  constexpr uint64_t kBuckets = 1000;
  addresses_.learn({0, std::vector<NodeId>(kBuckets, node(1)), {}});
  image_ = state_of_count(kBuckets);
  start();
  size_t count = all_of<Scan>(effects_).size();
  EXPECT_EQ(count, 256u);
  BucketNo last = 0;
  for (BucketNo a = 0; a < kBuckets; ++a) {
    ASSERT_TRUE(take(answer({a, level_of(image_, a)})));
    for (const Scan& m : all_of<Scan>(effects_)) {
      ++count;
      last = m.to;
    }
    ASSERT_LE(count, a + 1 + 256);
  }
  EXPECT_TRUE(call_->done());
  EXPECT_EQ(count, kBuckets) << "each is asked once";
  EXPECT_EQ(last, kBuckets - 1);
}

TEST_F(ScanCallTest, when_answers_are_lost_the_next_round_goes_on_with_what_is_missing) {
  constexpr uint64_t kBuckets = 512;
  addresses_.learn({0, std::vector<NodeId>(kBuckets, node(1)), {}});
  image_ = state_of_count(kBuckets);
  start();
  for (BucketNo a = 1; a < 256; ++a) ASSERT_TRUE(take(answer({a, 9})));
  for (BucketNo a = 256; a < kBuckets; ++a) ASSERT_TRUE(take(answer({a, 9})));
  EXPECT_EQ(tick(300), "b0:9");
  EXPECT_TRUE(take(answer({0, 9})));
  EXPECT_TRUE(call_->done());
}

TEST_F(ScanCallTest, passes_the_pattern_on) {
  start(ScanCall(3, ScanKind::kRecords, ScanMatch::kKeyGlob, "a*"));
  EXPECT_EQ(all_of<Scan>(effects_)[0].pattern, "a*");
  EXPECT_EQ(all_of<Scan>(effects_)[0].match, ScanMatch::kKeyGlob);
}

TEST_F(ScanCallTest, ends_when_the_answers_cover_everything) {
  start();
  EXPECT_TRUE(take(answer({2, 2})));
  EXPECT_TRUE(take(answer({0, 2})));
  EXPECT_TRUE(take(answer({1, 2})));
  EXPECT_FALSE(call_->done());
  EXPECT_TRUE(take(answer({3, 2}))) << "a bucket that the client did not know";
  EXPECT_TRUE(call_->done());
  EXPECT_EQ(call_->buckets_answered(), 4u);
}

TEST_F(ScanCallTest, late_repetitions_are_no_news) {
  start();
  EXPECT_TRUE(take(answer({0, 1})));
  EXPECT_FALSE(take(answer({0, 1})));
  EXPECT_FALSE(take(answer({0, 2}))) << "a part of it";
  EXPECT_FALSE(take(answer({0, 0}))) << "more than is missing";
  EXPECT_FALSE(call_->done());
}

TEST_F(ScanCallTest, answers_to_other_scans_and_impossible_ones_are_no_news) {
  start();
  ScanReply other = answer({0, 1});
  other.scan = 4;
  EXPECT_FALSE(take(other));
  EXPECT_FALSE(take(answer({0, 1}, 10, 5)));
  EXPECT_TRUE(take(answer({0, 1}, 0, 0)));
  EXPECT_FALSE(call_->done());
}

TEST_F(ScanCallTest, after_a_piece_it_asks_for_more) {
  start();
  ScanReply piece = answer({0, 2}, 0, 1000);
  piece.more = true;
  EXPECT_TRUE(take(piece));
  const ScanMore more = one_of<ScanMore>(effects_);
  EXPECT_EQ(more.client, 7u);
  EXPECT_EQ(more.scan, 3u);
  EXPECT_EQ(more.to, 0u);
  EXPECT_EQ(more.after, 1000u);
}

// -------------------------------------------------------------------------------------- chunks

class ScanChunkTest : public ScanCallTest {
 protected:
  static ScanReply chunk(uint32_t number, bool partial, std::string_view matches) {
    ScanReply m = answer({0, 1});
    m.chunk = number;
    m.partial = partial;
    m.matches = matches;
    return m;
  }
};

TEST_F(ScanChunkTest, count_for_nothing_until_the_final_one_is_there) {
  start();
  EXPECT_FALSE(take(chunk(0, true, "ab")));
  EXPECT_FALSE(take(chunk(1, true, "cd")));
  ScanReply last = chunk(2, false, "e");
  EXPECT_TRUE(call_->on_reply(context(), &last));
  EXPECT_EQ(last.matches, "abcde");
}

TEST_F(ScanChunkTest, a_piece_with_a_gap_is_dropped) {
  start();
  EXPECT_FALSE(take(chunk(0, true, "ab")));
  EXPECT_FALSE(take(chunk(2, false, "e")));
  EXPECT_FALSE(take(chunk(1, true, "cd")));
  EXPECT_TRUE(take(answer({0, 1}))) << "asked for again, it may come whole";
}

TEST_F(ScanChunkTest, a_piece_that_starts_again_starts_from_nothing) {
  start();
  take(chunk(0, true, "ab"));
  take(chunk(0, true, "AB"));
  ScanReply last = chunk(1, false, "C");
  EXPECT_TRUE(call_->on_reply(context(), &last));
  EXPECT_EQ(last.matches, "ABC");
}

// ------------------------------------------------------------------------------- asking again

TEST_F(ScanCallTest, asks_again_for_what_is_missing_and_nothing_else) {
  start();
  take(answer({0, 2}));
  take(answer({1, 1}));
  EXPECT_EQ(tick(299), "");
  EXPECT_EQ(tick(1), "b2:2");
  const Scan again = one_of<Scan>(effects_);
  EXPECT_EQ((Interval{again.from, again.last}), interval_of({2, 2}));
}

// Asked for one by one, the buckets of a large file would take minutes.
TEST_F(ScanCallTest, when_everything_was_lost_it_asks_for_everything_at_once) {
  start();
  EXPECT_EQ(tick(300), "b0:2 b1:1 b2:2");
}

TEST_F(ScanCallTest, gaps_within_a_bucket_and_across_buckets_are_asked_for_each) {
  start();
  take(answer({0, 2}, 100, 200));
  take(answer({0, 2}, 301, 400));
  take(answer({2, 2}));
  tick(300);
  std::string gaps;
  for (const Scan& m : all_of<Scan>(effects_)) {
    const Interval part = interval_of({m.to, m.level});
    gaps += std::to_string(m.to) + "[" + std::to_string(m.from - part.first) + "," +
            (m.last == part.last ? "end" : std::to_string(m.last - part.first)) + "] ";
  }
  EXPECT_EQ(gaps, "0[0,99] 0[201,300] 0[401,end] 1[0,end] ");
}

TEST_F(ScanCallTest, its_patience_doubles_up_to_two_seconds) {
  start();
  int64_t waited = 0;
  std::vector<int64_t> intervals;
  for (int64_t ms = 1; ms <= 12'000; ++ms) {
    ++waited;
    if (tick(1) == "") continue;
    intervals.push_back(waited);
    waited = 0;
  }
  EXPECT_EQ(intervals, (std::vector<int64_t>{300, 600, 1200, 2000, 2000, 2000, 2000}));
}

TEST_F(ScanCallTest, an_answer_restores_its_patience) {
  start();
  tick(300);
  tick(600);
  take(answer({0, 2}));
  EXPECT_EQ(tick(299), "");
  EXPECT_EQ(tick(1), "b1:1 b2:2");
}

TEST_F(ScanCallTest, when_all_is_there_it_asks_for_nothing) {
  start();
  for (const BucketMark bucket : {BucketMark{0, 2}, {1, 1}, {2, 2}}) take(answer(bucket));
  EXPECT_TRUE(call_->done());
  EXPECT_EQ(tick(10'000), "");
}

// --------------------------------------------------------------------------------------- failure

TEST_F(ScanCallTest, a_bucket_that_is_down_ends_it) {
  start();
  ScanReply down = answer({2, 2});
  down.code = Code::kDown;
  EXPECT_FALSE(take(down));
  EXPECT_TRUE(call_->failed());
  EXPECT_EQ(call_->failed_bucket(), 2u);
  EXPECT_FALSE(take(answer({0, 2}))) << "nothing counts any more";
  EXPECT_EQ(tick(10'000), "");
}

TEST_F(ScanCallTest, a_bucket_that_is_not_there_yet_is_asked_again_for_a_while) {
  start();
  ScanReply missing = answer({2, 2});
  missing.code = Code::kNoBucket;
  take(missing);
  EXPECT_FALSE(call_->failed());
  EXPECT_EQ(tick(300), "b0:2 b1:1 b2:2");
  tick(401);
  take(missing);
  EXPECT_TRUE(call_->failed());
  EXPECT_EQ(call_->failed_bucket(), 2u);
}

TEST_F(ScanCallTest, a_node_that_cannot_be_reached_is_tried_again_soon) {
  start();
  unreachable(3);
  EXPECT_EQ(tick(49), "");
  EXPECT_EQ(tick(1), "b0:2 b1:1 b2:2");
  EXPECT_FALSE(call_->failed());
}

TEST_F(ScanCallTest, a_node_that_stays_away_ends_it_within_a_second) {
  start();
  int64_t ms = 0;
  for (; ms < 2000 && !call_->failed(); ms += 10) {
    if (tick(10) != "") unreachable(3);
    if (ms == 0) unreachable(3);
  }
  EXPECT_TRUE(call_->failed());
  EXPECT_EQ(call_->failed_bucket(), 2u);
  EXPECT_GE(ms, 700);
  EXPECT_LE(ms, 1000);
}

TEST_F(ScanCallTest, a_node_that_the_coordinator_knows_to_be_down_is_not_waited_for) {
  start();
  call_->node_down(context(), node(3), now_);
  EXPECT_FALSE(call_->failed()) << "it may be back: nobody has tried";
  const base::Instant before = now_;
  tick(1);
  EXPECT_EQ(unreachable(3), 2u);
  call_->node_down(context(), node(3), before);
  EXPECT_FALSE(call_->failed()) << "asked before it could not be reached";
  call_->node_down(context(), node(2), now_);
  EXPECT_TRUE(call_->failed()) << "any node that has what is missing";
  EXPECT_EQ(call_->failed_bucket(), 1u);
}

TEST_F(ScanCallTest, nodes_that_never_answer_are_given_up) {
  start();
  take(answer({0, 2}));
  int64_t ms = 0;
  for (; ms < 60'000 && !call_->failed(); ms += 100) tick(100);
  EXPECT_EQ(call_->failed_bucket(), 1u);
  EXPECT_GE(ms, 20'000);
  EXPECT_LT(ms, 23'000);
}

TEST_F(ScanCallTest, a_scan_that_waits_for_settled_buckets_waits_on) {
  start(ScanCall(3, ScanKind::kSettle, ScanMatch::kAll, {}));
  for (int k = 0; k < 600; ++k) tick(100);
  EXPECT_FALSE(call_->failed());
}

TEST_F(ScanCallTest, a_node_that_it_needs_no_more_may_go) {
  start();
  take(answer({2, 2}));
  tick(5000);
  unreachable(3);
  EXPECT_FALSE(call_->failed());
}

// ------------------------------------------------------------------------------------- one bucket

class OneBucketTest : public ScanCallTest {
 protected:
  void start_for(BucketNo a) { start(ScanCall(3, a)); }
};

TEST_F(OneBucketTest, asks_that_bucket_alone) {
  start_for(2);
  EXPECT_EQ(asked(), "b2");
  EXPECT_EQ(one_of<Scan>(effects_).from, reverse64(2));
}

TEST_F(OneBucketTest, ends_with_its_last_piece) {
  start_for(2);
  const Interval all = interval_of({2, 3});
  ScanReply piece = answer({2, 3}, all.first, all.first + 99);
  piece.more = true;
  EXPECT_TRUE(take(piece));
  EXPECT_FALSE(call_->done());
  EXPECT_TRUE(take(answer({2, 3}, all.first + 100, all.last)));
  EXPECT_TRUE(call_->done());
  EXPECT_FALSE(call_->no_such_bucket());
}

TEST_F(OneBucketTest, another_bucket_that_answers_means_that_there_is_none) {
  start_for(6);
  EXPECT_EQ(asked(), "b2");
  const Interval all = interval_of({2, 2});
  EXPECT_FALSE(take(answer({2, 2}, reverse64(6), all.last)));
  EXPECT_TRUE(call_->done());
  EXPECT_TRUE(call_->no_such_bucket());
}

// ------------------------------------------------------------------------------------ from a point

class SomeTest : public ScanCallTest {
 protected:
  void start_from(ReversedHash from) {
    start(ScanCall(3, ScanKind::kKeys, ScanMatch::kAll, {}, from, 10));
  }
};

TEST_F(SomeTest, the_bucket_there_is_asked) {
  const Interval two = interval_of({2, 2});
  start_from(two.first + 5);
  EXPECT_EQ(asked(), "b2");
  EXPECT_EQ(one_of<Scan>(effects_).from, two.first + 5);
  EXPECT_EQ(one_of<Scan>(effects_).records_max, 10u);
}

TEST_F(SomeTest, the_first_piece_is_all) {
  start_from(5);
  EXPECT_FALSE(take(answer({2, 2}, interval_of({2, 2}).first, interval_of({2, 2}).last)))
      << "a child's, of what was cut off";
  EXPECT_FALSE(call_->done());
  ScanReply piece = answer({0, 2}, 5, 99);
  piece.more = true;
  EXPECT_TRUE(take(piece));
  EXPECT_TRUE(call_->done());
  EXPECT_EQ(call_->done_up_to(), 99u);
  EXPECT_TRUE(all_of<ScanMore>(effects_).empty()) << "nobody is asked for more";
  EXPECT_FALSE(take(answer({0, 2}, 100, 200)));
}

TEST_F(SomeTest, what_is_lost_is_asked_for_again) {
  start_from(5);
  EXPECT_EQ(tick(300), "b0");
  EXPECT_EQ(one_of<Scan>(effects_).from, 5u);
}

// ------------------------------------------------------------------------------ one bucket, again

// The bucket splits while it is listed, and the new bucket is faster.
TEST_F(OneBucketTest, what_its_child_says_ends_only_what_it_no_longer_has) {
  start_for(0);
  const ReversedHash mid = interval_of({2, 2}).first;
  EXPECT_FALSE(take(answer({2, 2}, mid, interval_of({2, 2}).last)));
  EXPECT_FALSE(call_->done());
  ScanReply piece = answer({0, 2}, 0, 99);
  piece.more = true;
  EXPECT_TRUE(take(piece));
  EXPECT_TRUE(take(answer({0, 2}, 100, mid - 1)));
  EXPECT_TRUE(call_->done());
  EXPECT_FALSE(call_->no_such_bucket());
}

TEST_F(OneBucketTest, a_lost_piece_is_asked_for_even_when_the_last_one_is_there) {
  start_for(0);
  const Interval all = interval_of({0, 2});
  EXPECT_TRUE(take(answer({0, 2}, 100, all.last)));
  EXPECT_FALSE(call_->done());
  tick(300);
  const Scan again = one_of<Scan>(effects_);
  EXPECT_EQ((Interval{again.from, again.last}), (Interval{0, 99}));
}

}  // namespace
}  // namespace lh::core
