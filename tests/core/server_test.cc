#include "core/server.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "tests/core/server_fixture.h"

namespace lh::core {
namespace {

using namespace testing;

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

TEST_F(ServerTest, looks_ahead_for_what_its_live_buckets_will_execute) {
  server_.create_bucket({0, 1});
  step(records(0, false, {}));
  const auto hashed = [this](BucketNo to, std::string_view key) {
    Request m = request(Op::kRead, to, key);
    table::LookAhead ahead;
    server_.look_ahead(&m, &ahead);
    ahead.run();
    return m.c;
  };
  EXPECT_EQ(hashed(0, "12"), HashValue{12});
  EXPECT_EQ(hashed(0, "13"), HashValue{13}) << "to be forwarded";
  EXPECT_EQ(hashed(0, "x"), std::nullopt) << "no key of this file";
  EXPECT_EQ(hashed(1, "13"), std::nullopt) << "waits for its stream";
  EXPECT_EQ(hashed(2, "12"), std::nullopt) << "not here";
}

TEST_F(ServerTest, does_not_hash_again_what_was_looked_ahead_for) {
  server_.create_bucket({0, 0});
  answer(Op::kPut, 0, "12", "x");
  Request m = request(Op::kRead, 0, "12");
  m.c = 13;  // were it hashed again the record would be found
  step(m);
  EXPECT_EQ(one_of<Reply>(effects_).code, Code::kNotFound);
}

TEST_F(ServerTest, a_full_one_refuses_what_may_need_more_memory) {
  server_.create_bucket({0, 1});
  answer(Op::kPut, 0, "2", "5");
  answer(Op::kPut, 0, "4", "x");
  server_.set_full(true);
  for (const Op op : {Op::kInsert, Op::kUpdate, Op::kPut, Op::kIncrement, Op::kAppend}) {
    EXPECT_EQ(answer(op, 0, "2", "1"), "Full");
    EXPECT_EQ(answer(op, 0, "6", "1"), "Full");
  }
  EXPECT_EQ(answer(Op::kRead, 0, "2"), "Ok 5") << "nothing of it was done";
  EXPECT_EQ(answer(Op::kLength, 0, "2"), "Ok 1");
  EXPECT_EQ(answer(Op::kLocate, 0, "2"), "Ok");
  EXPECT_EQ(answer(Op::kDelete, 0, "4"), "Ok");
  server_.set_full(false);
  EXPECT_EQ(answer(Op::kIncrement, 0, "2", "1"), "Ok 6");
}

TEST_F(ServerTest, one_with_a_full_disk_refuses_what_it_would_have_to_log) {
  server_.create_bucket({0, 1});
  answer(Op::kPut, 0, "2", "5");
  server_.set_disk_full(true);
  for (const Op op :
       {Op::kInsert, Op::kUpdate, Op::kPut, Op::kIncrement, Op::kAppend, Op::kDelete}) {
    EXPECT_EQ(answer(op, 0, "2", "1"), "NoSpace");
    EXPECT_EQ(answer(op, 0, "6", "1"), "NoSpace");
  }
  EXPECT_EQ(answer(Op::kRead, 0, "2"), "Ok 5") << "nothing of it was done";
  server_.set_disk_full(false);
  EXPECT_EQ(answer(Op::kDelete, 0, "2"), "Ok");
}

TEST_F(ServerTest, a_full_one_takes_the_records_of_a_split_all_the_same) {
  server_.set_full(true);
  step(records(0, false, puts({{"1", "x"}})));
  step(records(1, true, puts({{"3", "y"}})));
  EXPECT_EQ(answer(Op::kRead, 1, "1"), "Ok x");
  EXPECT_EQ(answer(Op::kRead, 1, "3"), "Ok y");
  EXPECT_EQ(answer(Op::kPut, 1, "5", "z"), "Full");
}

TEST_F(ServerTest, counts_the_memory_of_tables_and_remembered_answers) {
  server_.create_bucket({0, 0});
  const uint64_t tables = server_.table_bytes();
  const uint64_t remembered = server_.remembered_bytes();
  answer(Op::kPut, 0, "2", std::string(100'000, 'v'));
  EXPECT_GE(server_.table_bytes(), tables + 100'000);
  EXPECT_GT(server_.remembered_bytes(), remembered);
  answer(Op::kDelete, 0, "2");
  EXPECT_LT(server_.table_bytes(), tables + 10'000);
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

TEST_F(ServerTest, a_bucket_that_is_elsewhere_is_named_in_the_answer) {
  server_.create_bucket({0, 0});
  server_.book().set(6, node(3));
  EXPECT_EQ(step(request(Op::kRead, 6, "1")),
            Lines{"reply: Reply seq=0 NoBucket bucket=(a=6,j=0)"});
}

TEST_F(ServerTest, a_bucket_that_nobody_has_is_the_business_of_the_one_it_would_come_from) {
  EXPECT_EQ(step(request(Op::kRead, 6, "6")),
            Lines{"reply: Reply seq=0 NoBucket bucket=(a=6,j=0)"});
  know_buckets(3);
  EXPECT_EQ(step(request(Op::kRead, 6, "6")),
            Lines{"b2@n3: Read 6 seq=0 to=2 hops=1 from=(a=0,j=0)"});
  Scan scan;
  scan.to = 6;
  scan.level = 3;
  step(scan);
  EXPECT_EQ(one_of<Scan>(effects_).to, 2u);
  scan.solo = true;
  step(scan);
  EXPECT_EQ(one_of<ScanReply>(effects_).code, Code::kNoBucket) << "it is asked for by its number";
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
    server_.execute(now_, bucket, {Op::kInsert, c, std::to_string(c), "x"}, &effects_);
  }
  EXPECT_EQ(lines(effects_),
            Lines{"coordinator: Overflow bucket=0 level=0 records=4 collisions=1"});
  EXPECT_EQ(server_.counters().requests, 4u);
}

// --------------------------------------------------------------------------- turns and the clock

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
