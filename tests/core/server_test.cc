#include "core/server.h"

#include <gtest/gtest.h>

#include "core/change.h"
#include "core/limits.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// Node 2, which knows that buckets 0, 1, 2, ... are at nodes 1, 2, 3, 1, 2, 3, ...
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { server_.configure(node(2), integer_file()); }

  void know_buckets(uint64_t count) {
    for (BucketNo a = 0; a < count; ++a) server_.book().set(a, node(1 + a % 3));
  }

  Lines step(const Message& message) {
    effects_.clear();
    server_.step(now_, message, &effects_);
    return lines(effects_);
  }
  Lines turn() {
    effects_.clear();
    server_.turn(now_, &effects_);
    return lines(effects_);
  }
  // What the target's acknowledgement of batch 0 sets off.
  Lines hand_over(uint64_t split = 1) {
    EXPECT_EQ(step(SplitRecordsAck{split, 1, 0, 0}), Lines{});
    return turn();
  }
  Lines tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    server_.tick(now_, &effects_);
    return lines(effects_);
  }

  // The answer of bucket `to` to a request, which must be its only effect.
  std::string answer(Op op, BucketNo to, std::string_view key, std::string_view value = {}) {
    Request m = request(op, to, key, value);
    m.seq = ++seq_;
    step(m);
    const Reply reply = one_of<Reply>(effects_);
    return to_string(reply.code) + (reply.value.empty() ? "" : " " + std::string(reply.value));
  }

  // Split number 5, of bucket 0 at node 1: bucket 1 comes to be here.
  SplitRecords records(uint32_t batch, bool last, std::string_view changes) const {
    return {5, 1, batch, last, 0, node(1), {1, 1}, 0, changes};
  }
  static std::string puts(std::initializer_list<std::pair<std::string, std::string>> all) {
    std::string run;
    for (const auto& [key, value] : all) append_put(&run, key, value);
    return run;
  }

  Server server_;
  Effects effects_;
  base::Instant now_ = kStart;
  uint64_t seq_ = 0;
};

// ----------------------------------------------------------------------------------- configuration

TEST_F(ServerTest, before_it_is_configured_it_says_that_it_has_no_bucket) {
  Server fresh;
  Effects effects;
  fresh.step(kStart, request(Op::kRead, 0, "1"), &effects);
  EXPECT_EQ(one_of<Reply>(effects).code, Code::kNoBucket);
}

TEST_F(ServerTest, a_stream_that_comes_before_it_is_configured_is_not_taken) {
  Server fresh;
  Effects effects;
  fresh.step(kStart, records(0, true, {}), &effects);
  EXPECT_TRUE(effects.sends().empty());
  EXPECT_TRUE(fresh.buckets().empty());
}

TEST_F(ServerTest, knows_where_its_own_buckets_are) {
  server_.create_bucket({4, 3});
  EXPECT_EQ(server_.book().locate(4), node(2));
  EXPECT_NE(server_.find(4), nullptr);
  EXPECT_EQ(server_.find(5), nullptr);
}

TEST_F(ServerTest, counts_what_its_live_buckets_hold) {
  server_.create_bucket({0, 1});
  answer(Op::kPut, 0, "2", "abc");
  answer(Op::kPut, 0, "4", "de");
  step(records(0, false, puts({{"1", "x"}})));
  const NodeStats stats = server_.stats();
  EXPECT_EQ(stats.buckets, 1u) << "a bucket that waits for its stream is not served yet";
  EXPECT_EQ(stats.records, 2u);
  EXPECT_EQ(stats.bytes, 7u);
}

// -------------------------------------------------------------------------------- keyed requests

TEST_F(ServerTest, executes_what_belongs_to_the_bucket) {
  server_.create_bucket({0, 0});
  EXPECT_EQ(answer(Op::kInsert, 0, "12", "x"), "Ok");
  EXPECT_EQ(answer(Op::kInsert, 0, "12", "y"), "Exists");
  EXPECT_EQ(answer(Op::kRead, 0, "12"), "Ok x");
  EXPECT_EQ(answer(Op::kUpdate, 0, "12", "z"), "Ok");
  EXPECT_EQ(answer(Op::kUpdate, 0, "13", "z"), "NotFound");
  EXPECT_EQ(answer(Op::kPut, 0, "13", "w"), "Ok");
  EXPECT_EQ(answer(Op::kRead, 0, "12"), "Ok z");
  EXPECT_EQ(answer(Op::kDelete, 0, "12"), "Ok");
  EXPECT_EQ(answer(Op::kDelete, 0, "12"), "NotFound");
  EXPECT_EQ(answer(Op::kRead, 0, "12"), "NotFound");
  EXPECT_EQ(answer(Op::kLocate, 0, "12"), "Ok");
  EXPECT_EQ(server_.counters().requests, 11u);
}

TEST_F(ServerTest, a_direct_answer_carries_no_iam_and_no_map) {
  know_buckets(4);
  server_.create_bucket({1, 2});
  step(request(Op::kRead, 1, "5"));
  const Reply reply = one_of<Reply>(effects_);
  EXPECT_EQ(reply.bucket, (BucketMark{1, 2}));
  EXPECT_EQ(reply.node, node(2));
  EXPECT_EQ(reply.hops, 0);
  EXPECT_TRUE(reply.book.empty());
}

TEST_F(ServerTest, forwards_what_belongs_elsewhere_with_its_own_mark) {
  know_buckets(10);
  server_.create_bucket({1, 4});
  EXPECT_EQ(step(request(Op::kPut, 1, "9", "v")),
            Lines{"b9@n1: Put 9 v seq=0 to=9 hops=1 from=(a=1,j=4)"});
  EXPECT_EQ(server_.counters().forwards, 1u);
  EXPECT_EQ(server_.counters().requests, 0u);
}

TEST_F(ServerTest,
       the_answer_after_a_forward_carries_the_last_forwarder_and_what_the_client_lacks) {
  know_buckets(10);
  server_.create_bucket({1, 4});
  Request m = request(Op::kRead, 1, "1");
  m.hops = 1;
  m.forwarder = {0, 4};
  m.known = 8;
  EXPECT_EQ(step(m), Lines{"reply: Reply seq=0 NotFound bucket=(a=1,j=4) hops=1 iam=(a=0,j=4)"
                           " book=8@n3,9@n1"});
}

TEST_F(ServerTest, what_would_be_forwarded_a_third_time_goes_back) {
  know_buckets(10);
  server_.create_bucket({1, 4});
  Request m = request(Op::kRead, 1, "9");
  m.hops = 2;
  m.forwarder = {0, 1};
  m.known = 10;
  EXPECT_EQ(step(m), Lines{"reply: Reply seq=0 Retry bucket=(a=1,j=4) hops=2 iam=(a=1,j=4)"});
  EXPECT_EQ(server_.counters().retries, 1u);
}

TEST_F(ServerTest, a_key_that_is_no_integer_is_refused_in_an_integer_file) {
  server_.create_bucket({0, 0});
  EXPECT_EQ(answer(Op::kPut, 0, "abc", "v"), "BadKey");
  EXPECT_EQ(answer(Op::kRead, 0, ""), "BadKey");
}

TEST_F(ServerTest, a_bucket_that_is_not_here_is_named_in_the_answer) {
  server_.create_bucket({0, 0});
  EXPECT_EQ(step(request(Op::kRead, 6, "1")),
            Lines{"reply: Reply seq=0 NoBucket bucket=(a=6,j=0)"});
}

TEST_F(ServerTest, a_key_that_no_image_yields_for_the_bucket_costs_nobody_anything) {
  know_buckets(2);
  server_.create_bucket({1, 3});  // in truth it would know buckets up to 5
  EXPECT_EQ(step(request(Op::kRead, 1, "6")),
            Lines{"reply: Reply seq=0 NoBucket bucket=(a=2,j=0)"});
  EXPECT_EQ(server_.counters().rejected, 1u);
}

TEST_F(ServerTest, a_repeated_mutation_gets_the_first_answer) {
  server_.create_bucket({0, 0});
  Request insert = request(Op::kInsert, 0, "12", "x");
  insert.seq = 4;
  step(insert);
  step(insert);
  EXPECT_EQ(one_of<Reply>(effects_).code, Code::kOk);
  EXPECT_EQ(server_.find(0)->records(), 1u);
}

TEST_F(ServerTest, a_duplicate_that_comes_after_its_acknowledgement_gets_no_answer) {
  server_.create_bucket({0, 0});
  Request first = request(Op::kDelete, 0, "12");
  first.seq = 4;
  step(first);
  Request later = request(Op::kPut, 0, "12", "x");
  later.seq = 5;
  later.acked = 5;
  step(later);
  EXPECT_EQ(step(first), Lines{});
  EXPECT_EQ(answer(Op::kRead, 0, "12"), "Ok x");
}

TEST_F(ServerTest, undeliverable_requests_are_answered_that_the_bucket_is_down) {
  know_buckets(3);
  server_.create_bucket({0, 2});
  Request sent = request(Op::kRead, 2, "2");
  sent.seq = 9;
  sent.hops = 1;
  sent.forwarder = {0, 2};
  sent.known = 3;
  server_.undeliverable(now_, sent, &effects_);
  EXPECT_EQ(lines(effects_),
            Lines{"reply: Reply seq=9 Down bucket=(a=2,j=0) hops=1 iam=(a=0,j=2)"});
}

TEST_F(ServerTest, undeliverable_streams_and_reports_are_left_to_be_repeated) {
  server_.undeliverable(now_, records(0, true, {}), &effects_);
  server_.undeliverable(now_, Overflow{0, 0, 4, 1}, &effects_);
  server_.undeliverable(now_, SplitRecordsAck{5, 1, 0, 0}, &effects_);
  EXPECT_TRUE(effects_.sends().empty());
}

// ------------------------------------------------------------------------------- held requests

TEST_F(ServerTest, requests_that_overtake_the_hand_over_wait_and_keep_their_order) {
  know_buckets(1);
  step(records(0, false, puts({{"1", "first"}})));
  EXPECT_EQ(step(request(Op::kRead, 1, "1")), Lines{});
  EXPECT_EQ(step(request(Op::kPut, 1, "1", "second")), Lines{});
  EXPECT_EQ(step(request(Op::kRead, 1, "1")), Lines{});
  EXPECT_EQ(step(records(1, true, {})), (Lines{"b0@n1: SplitRecordsAck split=5 stream=1 batch=1",
                                               "reply: Reply seq=0 Ok first bucket=(a=1,j=1)",
                                               "reply: Reply seq=0 Ok bucket=(a=1,j=1)",
                                               "reply: Reply seq=0 Ok second bucket=(a=1,j=1)"}));
}

// The answers borrow the way to the client and, when it is sent on, the request itself.
TEST_F(ServerTest, what_was_held_lasts_as_long_as_the_effects_that_borrow_from_it) {
  know_buckets(1);
  step(records(0, false, {}));
  {
    const std::string key(40, '1'), listener = "127.0.0.1:40123, a name that owns its bytes";
    std::string even = "123456789012345678";
    Request mine = request(Op::kDelete, 1, "17");
    mine.from.listener = listener;
    step(mine);
    step(request(Op::kPut, 1, even, "a value that is not in the string itself"));
  }
  step(records(1, true, {}));
  EXPECT_EQ(one_of<Reply>(effects_).to.listener, "127.0.0.1:40123, a name that owns its bytes");
  const Request sent = one_of<Request>(effects_);
  EXPECT_EQ(sent.key, "123456789012345678");
  EXPECT_EQ(sent.value, "a value that is not in the string itself");
}

TEST_F(ServerTest, what_cannot_be_held_is_told_to_come_later) {
  step(records(0, false, {}));
  for (size_t k = 0; k < kHeldRequestsMax; ++k) {
    ASSERT_EQ(step(request(Op::kRead, 1, "1")), Lines{});
  }
  EXPECT_EQ(step(request(Op::kRead, 1, "1")), Lines{"reply: Reply seq=0 Busy bucket=(a=1,j=0)"});
  Scan scan;
  scan.to = 1;
  scan.level = 1;
  step(scan);
  EXPECT_EQ(one_of<ScanReply>(effects_).code, Code::kBusy);
  step(records(1, true, {}));
  EXPECT_EQ(count_of<Reply>(effects_), kHeldRequestsMax);
}

TEST_F(ServerTest, held_bytes_are_bounded_too) {
  step(records(0, false, {}));
  const std::string large(kHeldBytesMax / 2 - 1, 'x');
  EXPECT_EQ(step(request(Op::kPut, 1, "1", large)), Lines{});
  EXPECT_EQ(step(request(Op::kPut, 1, "3", large)), Lines{});
  EXPECT_EQ(step(request(Op::kRead, 1, "5")), Lines{"reply: Reply seq=0 Busy bucket=(a=1,j=0)"});
}

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
            Lines{"b1@n3: SplitRecords split=1 stream=1 batch=1 last target=(a=1,j=1) bytes=21"});
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
  EXPECT_EQ(step(records(1, true, {})), Lines{});
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

// -------------------------------------------------------------------------------------- overflow

TEST_F(ServerTest, a_collision_is_reported_to_the_coordinator) {
  server_.create_bucket({0, 0});
  for (const char* key : {"1", "2", "3"}) EXPECT_EQ(answer(Op::kInsert, 0, key), "Ok");
  EXPECT_EQ(step(request(Op::kInsert, 0, "4")),
            (Lines{"reply: Reply seq=0 Ok bucket=(a=0,j=0)",
                   "coordinator: Overflow bucket=0 level=0 records=4 collisions=1"}));
  EXPECT_EQ(step(OverflowAck{0, 1, 0}), Lines{});
  EXPECT_TRUE(server_.find(0)->reports_settled());
}

TEST_F(ServerTest, a_front_executes_what_is_local_without_a_message) {
  server_.create_bucket({0, 0});
  Bucket* bucket = server_.find(0);
  for (HashValue c = 1; c <= 4; ++c) {
    effects_.clear();
    server_.execute(now_, bucket, Op::kInsert, c, std::to_string(c), "x", &effects_);
  }
  EXPECT_EQ(lines(effects_),
            Lines{"coordinator: Overflow bucket=0 level=0 records=4 collisions=1"});
  EXPECT_EQ(server_.counters().requests, 4u);
}

// ------------------------------------------------------------------------------------------ scan

class ServerScanTest : public ServerTest {
 protected:
  Scan scan(BucketNo to, Level level) const {
    Scan m;
    m.client.client = 7;
    m.scan = 1;
    m.kind = ScanKind::kStats;
    m.to = to;
    m.level = level;
    const Interval part = interval_of({to, level});
    m.from = part.first;
    m.last = part.last;
    return m;
  }
  // `1:1 3:2` for scans passed on to buckets 1 and 3, as of levels 1 and 2.
  std::string passed_on(const Scan& m) {
    step(m);
    std::string out;
    for (const Scan& sent : all_of<Scan>(effects_)) {
      const Interval part = interval_of({sent.to, sent.level});
      EXPECT_EQ(sent.from, part.first);
      EXPECT_EQ(sent.last, part.last);
      out += (out.empty() ? "" : " ") + std::to_string(sent.to) + ":" + std::to_string(sent.level);
    }
    return out;
  }
};

TEST_F(ServerScanTest, passes_the_query_on_by_levels) {
  know_buckets(20);
  server_.create_bucket({0, 4});
  server_.create_bucket({1, 3});
  EXPECT_EQ(passed_on(scan(0, 0)), "1:1 2:2 4:3 8:4");
  EXPECT_EQ(passed_on(scan(0, 3)), "8:4");
  EXPECT_EQ(passed_on(scan(0, 4)), "");
  EXPECT_EQ(passed_on(scan(1, 1)), "3:2 5:3");
}

TEST_F(ServerScanTest, answers_for_its_own_interval) {
  know_buckets(20);
  server_.create_bucket({1, 3});
  step(scan(1, 1));
  const ScanReply reply = one_of<ScanReply>(effects_);
  EXPECT_EQ(reply.bucket, (BucketMark{1, 3}));
  EXPECT_EQ((Interval{reply.from, reply.last}), interval_of({1, 3}));
  EXPECT_FALSE(reply.more);
}

TEST_F(ServerScanTest, passes_on_only_where_something_is_wanted) {
  know_buckets(20);
  server_.create_bucket({0, 4});
  Scan m = scan(0, 0);
  m.from = interval_of({4, 3}).first;
  m.last = interval_of({4, 3}).last;
  step(m);
  EXPECT_EQ(one_of<Scan>(effects_).to, 4u);
  EXPECT_EQ(count_of<ScanReply>(effects_), 0u);
}

TEST_F(ServerScanTest, a_solo_scan_is_for_one_bucket_only) {
  know_buckets(20);
  server_.create_bucket({0, 4});
  Scan m = scan(0, 0);
  m.solo = true;
  EXPECT_EQ(passed_on(m), "");
  const ScanReply reply = one_of<ScanReply>(effects_);
  EXPECT_EQ((Interval{reply.from, reply.last}), interval_of({0, 4}));
}

TEST_F(ServerScanTest, a_solo_scan_that_starts_elsewhere_is_forwarded_like_a_key) {
  know_buckets(20);
  server_.create_bucket({1, 4});
  Scan m = scan(1, 4);
  m.solo = true;
  m.from = reverse64(9);
  m.last = ~ReversedHash{0};
  EXPECT_EQ(step(m), Lines{"b9@n1: Scan scan=1 to=9 level=4 solo [9000000000000000,"
                           "ffffffffffffffff]"});
}

TEST_F(ServerScanTest, a_solo_scan_towards_an_unknown_bucket_is_answered) {
  know_buckets(2);
  server_.create_bucket({1, 4});
  Scan m = scan(1, 4);
  m.solo = true;
  m.from = reverse64(9);
  step(m);
  EXPECT_EQ(one_of<ScanReply>(effects_).code, Code::kNoBucket);
}

TEST_F(ServerScanTest, for_a_bucket_that_is_not_here_says_so) {
  step(scan(3, 2));
  const ScanReply reply = one_of<ScanReply>(effects_);
  EXPECT_EQ(reply.code, Code::kNoBucket);
  EXPECT_EQ(reply.bucket, (BucketMark{3, 2}));
}

TEST_F(ServerScanTest, a_level_that_the_bucket_never_had_is_taken_for_that_of_its_birth) {
  know_buckets(20);
  server_.create_bucket({5, 4});
  Scan m = scan(5, 3);
  m.level = 0;
  EXPECT_EQ(passed_on(m), "13:4");
  m.level = 255;
  EXPECT_EQ(passed_on(m), "");
}

TEST_F(ServerScanTest, a_hole_in_the_map_is_reported_and_the_rest_answered) {
  know_buckets(3);
  server_.create_bucket({0, 3});
  step(scan(0, 0));
  EXPECT_EQ(count_of<Scan>(effects_), 2u);
  std::map<Code, BucketNo> answers;
  for (const ScanReply& reply : all_of<ScanReply>(effects_)) answers[reply.code] = reply.bucket.a;
  EXPECT_EQ(answers, (std::map<Code, BucketNo>{{Code::kOk, 0}, {Code::kNoBucket, 4}}));
}

TEST_F(ServerScanTest, an_undeliverable_scan_is_answered_that_the_bucket_is_down) {
  server_.undeliverable(now_, scan(3, 2), &effects_);
  const ScanReply reply = one_of<ScanReply>(effects_);
  EXPECT_EQ(reply.code, Code::kDown);
  EXPECT_EQ(reply.bucket.a, 3u);
  EXPECT_EQ((Interval{reply.from, reply.last}), interval_of({3, 2}));
}

TEST_F(ServerScanTest, waits_for_a_bucket_that_is_not_live_yet) {
  know_buckets(1);
  step(records(0, false, puts({{"1", "x"}})));
  EXPECT_EQ(step(scan(1, 1)), Lines{});
  step(records(1, true, {}));
  EXPECT_EQ(one_of<ScanReply>(effects_).records, 1u);
}

// Between the pieces of a long scan other requests have their chance.
TEST_F(ServerScanTest, a_scan_goes_on_in_turns) {
  server_.create_bucket({0, 0});
  const std::string value(1000, 'x');
  for (int k = 0; k < 200; ++k) answer(Op::kPut, 0, std::to_string(k), value);
  Scan m = scan(0, 0);
  m.match = ScanMatch::kKeyGlob;
  m.kind = ScanKind::kRecords;
  m.pattern = "199";
  EXPECT_EQ(step(m), Lines{});
  EXPECT_TRUE(effects_.turn_wanted());
  int turns = 0;
  while (effects_.turn_wanted() && turns < 100) ++turns, turn();
  EXPECT_GE(turns, 3);
  EXPECT_LT(turns, 10);
}

// --------------------------------------------------------------------------- turns and the clock

// One bucket waits for its target, the other has a long scan: the first must not cost the second
// its turns.
TEST_F(ServerScanTest, turns_go_on_while_any_bucket_has_something_to_do) {
  know_buckets(2);
  server_.create_bucket({0, 1});
  server_.create_bucket({1, 1});
  step(SplitOrder{1, {0, 1}, 2, node(3), {}});
  hand_over();
  const std::string value(1000, 'x');
  for (int k = 1; k < 400; k += 2) answer(Op::kPut, 1, std::to_string(k), value);
  Scan m = scan(1, 1);
  m.last -= 1;  // so that it has to walk
  EXPECT_EQ(step(m), Lines{});
  Lines said;
  for (int turns = 0; effects_.turn_wanted() && turns < 100; ++turns) {
    for (const std::string& line : turn()) said.push_back(line);
  }
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("ScanReply scan=1 Ok bucket=(a=1,j=1) records=200"), std::string::npos)
      << said[0];
}

TEST_F(ServerTest, asks_for_no_turns_when_all_it_could_do_is_wait) {
  server_.create_bucket({0, 0});
  step(SplitOrder{1, {0, 0}, 1, node(3), {}});
  turn();
  EXPECT_FALSE(effects_.turn_wanted()) << "until the target says something";
  hand_over();
  EXPECT_FALSE(effects_.turn_wanted());
  tick(50);
  EXPECT_FALSE(effects_.turn_wanted());
}

TEST_F(ServerTest, without_buckets_turns_and_ticks_do_nothing) {
  EXPECT_EQ(turn(), Lines{});
  EXPECT_EQ(tick(50), Lines{});
}

TEST_F(ServerTest, what_was_not_acknowledged_is_repeated) {
  server_.create_bucket({0, 0});
  step(SplitOrder{1, {0, 0}, 1, node(3), {}});
  EXPECT_EQ(tick(290), Lines{});
  EXPECT_EQ(tick(10),
            Lines{"b1@n3: SplitRecords split=1 stream=1 batch=0 target=(a=1,j=1) bytes=0"});
}

// --------------------------------------------------------------------------------- the map

TEST_F(ServerTest, tells_anybody_who_asks_what_it_knows) {
  know_buckets(4);
  EXPECT_EQ(step(BookQuery{{}, 2}), Lines{"reply: BookUpdate book=2@n3,3@n1"});
  EXPECT_EQ(step(BookQuery{{}, 9}), Lines{"reply: BookUpdate"});
  EXPECT_EQ(step(BookQuery{{}, ~BucketNo{0}}), Lines{"reply: BookUpdate"});
}

TEST_F(ServerTest, messages_for_others_are_counted_and_passed_over) {
  const Message strange[] = {Reply{},      Overflow{},  SplitDone{}, ScanReply{}, Register{},
                             Registered{}, Heartbeat{}, FileQuery{}, FileReply{}, Hello{},
                             Welcome{},    Ping{},      Pong{},      Error{}};
  for (const Message& m : strange) EXPECT_EQ(step(m), Lines{});
  EXPECT_EQ(server_.counters().rejected, std::size(strange));
}

}  // namespace
}  // namespace lh::core
