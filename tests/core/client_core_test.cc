#include "core/client_core.h"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// Client 7 of a file with integer keys, which knows bucket 0 at node 1.
class ClientCoreTest : public ::testing::Test, private ClientSink {
 protected:
  ClientCoreTest() : client_(7, this) {
    BookPart part = book(0, {1});
    part.nodes = {entry(1, "127.0.0.1:4001")};
    client_.configure(integer_file(), part);
  }

  Lines submit(Op op, const std::string& key, const std::string& value = "", uint64_t tag = 0) {
    return run([&] { client_.submit(now_, {op, 0, key, value}, tag, &effects_); });
  }
  Lines step(const Message& message) {
    return run([&] { client_.step(now_, message, &effects_); });
  }
  Lines tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    return run([this] { client_.tick(now_, &effects_); });
  }
  Lines unreachable(uint64_t number) {
    return run([&] { client_.node_unreachable(now_, node(number), &effects_); });
  }
  Lines call(FileRequest::Kind kind) {
    return run([&] {
      client_.call(now_, FileRequest{kind, ScanMatch::kAll, {}, 0}, 1, &effects_);
    });
  }
  template <typename Step>
  Lines run(Step step) {
    effects_.clear();
    done_.clear();
    step();
    return lines(effects_);
  }

  // What the coordinator says of bucket 0 when its node is down.
  static BookPart down_at(uint32_t number) {
    BookPart part = book(0, {number});
    part.nodes = {entry(number, "127.0.0.1:4001", false)};
    return part;
  }
  static Reply reply(uint64_t seq, BucketMark bucket, Code code = Code::kOk) {
    Reply m;
    m.to.client = 7;
    m.seq = seq;
    m.code = code;
    m.bucket = bucket;
    m.node = node(bucket.a + 1);
    return m;
  }
  static Reply forwarded(uint64_t seq, BucketMark bucket, uint8_t hops, BucketMark iam) {
    Reply m = reply(seq, bucket);
    m.hops = hops;
    m.iam = iam;
    return m;
  }

  void on_done(const Completion& done) override {
    done_ += to_string(done.op) + " " + std::string(done.key) + " " + to_string(done.code);
    if (!done.value.empty()) done_ += " " + std::string(done.value);
    done_ += done.code == Code::kDown ? " b" + std::to_string(done.bucket.a) : "";
    last_ = done;
    last_.key = last_.value = {};
  }
  void on_scan_piece(uint64_t, const ScanReply& piece) override {
    done_ += "piece b" + std::to_string(piece.bucket.a) + " ";
  }
  void on_call_done(uint64_t tag, const FileResult& result) override {
    done_ += "call " + std::to_string(tag) + " outcome " +
             std::to_string(static_cast<int>(result.outcome));
  }

  ClientCore client_;
  Effects effects_;
  base::Instant now_ = kStart;
  std::string done_;  // what the latest step finished
  Completion last_;
};

// ----------------------------------------------------------------------------- requests and
// answers

TEST_F(ClientCoreTest, a_fresh_client_sends_everything_to_bucket_0) {
  EXPECT_EQ(client_.image(), (FileState{0, 0}));
  EXPECT_EQ(submit(Op::kPut, "12", "x"), Lines{"b0@n1: Put 12 x seq=1 to=0"});
  EXPECT_EQ(submit(Op::kRead, "13"), Lines{"b0@n1: Read 13 seq=2 to=0"});
  const Request m = one_of<Request>(effects_);
  EXPECT_EQ(m.from.client, 7u);
  EXPECT_EQ(m.known, 1u);
}

TEST_F(ClientCoreTest, an_answer_ends_the_request) {
  submit(Op::kRead, "12", "", 99);
  Reply m = reply(1, {0, 0});
  m.value = "x";
  step(m);
  EXPECT_EQ(done_, "Read 12 Ok x");
  EXPECT_EQ(last_.tag, 99u);
  EXPECT_EQ(last_.seq, 1u);
  EXPECT_EQ(last_.c, 12u);
  EXPECT_EQ(client_.in_flight(), 0u);
  step(m);
  EXPECT_EQ(done_, "") << "the answer to a repetition";
}

TEST_F(ClientCoreTest, answers_to_other_clients_and_of_other_requests_are_passed_over) {
  submit(Op::kRead, "12");
  Reply m = reply(1, {0, 0});
  m.to.client = 8;
  step(m);
  EXPECT_EQ(done_, "");
  step(reply(2, {0, 0}));
  step(reply(0, {0, 0}));
  step(reply(~uint64_t{0}, {0, 0}));
  EXPECT_EQ(done_, "");
  EXPECT_EQ(client_.in_flight(), 1u);
}

TEST_F(ClientCoreTest, a_key_that_is_no_integer_is_not_even_sent) {
  EXPECT_EQ(submit(Op::kPut, "abc"), Lines{});
  EXPECT_EQ(done_, "Put abc BadKey");
  EXPECT_EQ(submit(Op::kPut, "12"), Lines{"b0@n1: Put 12 seq=2 to=0"});
}

TEST_F(ClientCoreTest, acknowledges_what_was_answered_without_a_gap) {
  for (int k = 0; k < 3; ++k) submit(Op::kPut, "12");
  step(reply(2, {0, 0}));
  submit(Op::kPut, "12");
  EXPECT_EQ(one_of<Request>(effects_).acked, 1u);
  step(reply(1, {0, 0}));
  submit(Op::kPut, "12");
  EXPECT_EQ(one_of<Request>(effects_).acked, 3u);
}

TEST_F(ClientCoreTest, the_window_is_bounded_by_requests) {
  for (uint64_t k = 0; k < kClientWindowMax; ++k) {
    ASSERT_TRUE(client_.has_room());
    submit(Op::kRead, "12");
  }
  EXPECT_FALSE(client_.has_room());
  step(reply(2, {0, 0}));
  EXPECT_FALSE(client_.has_room()) << "the oldest is not answered";
  step(reply(1, {0, 0}));
  EXPECT_TRUE(client_.has_room());
}

TEST_F(ClientCoreTest, the_window_is_bounded_by_bytes) {
  const std::string value(kValueBytesMax, 'x');
  uint64_t sent = 0;
  for (; client_.has_room(); ++sent) submit(Op::kPut, "12", value);
  EXPECT_EQ(sent, kClientBytesMax / kValueBytesMax);
  step(reply(1, {0, 0}));
  EXPECT_TRUE(client_.has_room());
}

// ------------------------------------------------------------------------------------ the image

TEST_F(ClientCoreTest, an_iam_adjusts_the_image) {
  submit(Op::kRead, "9");
  Reply m = forwarded(1, {9, 4}, 2, {1, 4});
  m.book = book(1, {2, 3, 1, 2, 3, 1, 2, 3, 1});
  step(m);
  EXPECT_EQ(client_.image(), (FileState{3, 2}));
  EXPECT_EQ(last_.image, (FileState{3, 2}));
  EXPECT_EQ(last_.hops, 2);
  EXPECT_EQ(last_.iam, (BucketMark{1, 4}));
  EXPECT_EQ(submit(Op::kRead, "9"), Lines{"b9@n10: Read 9 seq=2 to=9"})
      << "the answer says best where bucket 9 is";
}

TEST_F(ClientCoreTest, an_answer_without_a_forward_leaves_the_image_as_it_is) {
  submit(Op::kRead, "9");
  Reply m = reply(1, {0, 5});
  m.iam = {1, 4};
  step(m);
  EXPECT_EQ(client_.image(), (FileState{0, 0}));
}

TEST_F(ClientCoreTest, the_image_never_shrinks) {
  client_.learn_mark({1, 4});
  submit(Op::kRead, "9");
  step(forwarded(1, {9, 4}, 1, {0, 4}));
  EXPECT_EQ(client_.image(), (FileState{3, 2}));
}

TEST_F(ClientCoreTest, an_impossible_mark_leaves_the_image_as_it_is) {
  for (const BucketMark mark : {BucketMark{0, 41}, {0, 255}, {2, 1}, {~BucketNo{0}, 40}}) {
    client_.learn_mark(mark);
    EXPECT_EQ(client_.image(), (FileState{0, 0})) << to_string(mark);
  }
}

TEST_F(ClientCoreTest, wild_numbers_in_an_answer_cost_no_memory) {
  submit(Op::kRead, "9");
  step(reply(1, {kBucketsMax - 1, 40}));
  submit(Op::kRead, "9");
  step(reply(2, {~BucketNo{0}, 255}));
  EXPECT_EQ(client_.book().known(), 1u);
}

TEST_F(ClientCoreTest, without_the_nodes_address_the_nearest_ancestor_will_do) {
  client_.learn_mark({1, 4});
  EXPECT_EQ(client_.image(), (FileState{3, 2}));
  EXPECT_EQ(submit(Op::kRead, "9"), Lines{"b0@n1: Read 9 seq=1 to=0"});
  step(BookUpdate{{}, book(1, {5})});
  EXPECT_EQ(submit(Op::kRead, "9"), Lines{"b1@n5: Read 9 seq=2 to=1"});
}

TEST_F(ClientCoreTest, counts_messages_as_the_papers_do) {
  submit(Op::kInsert, "9");
  step(forwarded(1, {9, 4}, 2, {1, 4}));
  submit(Op::kRead, "8");
  step(reply(2, {0, 4}));
  const ClientCore::Counters& counters = client_.counters();
  EXPECT_EQ(counters.ops, 2u);
  EXPECT_EQ(counters.requests, 2u);
  EXPECT_EQ(counters.forwards, 2u);
  EXPECT_EQ(counters.replies, 2u);
  EXPECT_EQ(counters.iams, 1u);
  EXPECT_EQ(counters.messages(), 6u);
}

// ---------------------------------------------------------------------------------- asking again

TEST_F(ClientCoreTest, repeats_a_request_that_is_not_answered_with_growing_patience) {
  submit(Op::kInsert, "12", "x");
  const Lines again{"b0@n1: Insert 12 x seq=1 to=0"};
  EXPECT_EQ(tick(299), Lines{});
  EXPECT_EQ(tick(1), again);
  EXPECT_EQ(tick(599), Lines{});
  EXPECT_EQ(tick(1), again);
  EXPECT_EQ(tick(1200), again);
  EXPECT_EQ(client_.counters().retries, 3u);
}

TEST_F(ClientCoreTest, repeats_it_by_a_better_image) {
  submit(Op::kRead, "1");
  client_.learn_mark({0, 1});
  step(BookUpdate{{}, book(1, {2})});
  EXPECT_EQ(tick(300), Lines{"b1@n2: Read 1 seq=1 to=1"});
}

TEST_F(ClientCoreTest, gives_up_after_twenty_seconds) {
  submit(Op::kInsert, "12", "x");
  int64_t ms = 0;
  for (; done_.empty() && ms < 60'000; ms += 50) tick(50);
  EXPECT_EQ(done_, "Insert 12 Down b0");
  EXPECT_GE(ms, 20'000);
  EXPECT_LE(ms, 26'000);
}

TEST_F(ClientCoreTest, what_was_forwarded_too_often_is_sent_again_at_once) {
  submit(Op::kRead, "9");
  Reply m = forwarded(1, {1, 4}, 2, {1, 4});
  m.code = Code::kRetry;
  m.book = book(1, {2, 3, 1, 2, 3, 1, 2, 3, 1});
  EXPECT_EQ(step(m), Lines{"b9@n1: Read 9 seq=1 to=9"});
  EXPECT_EQ(done_, "");
  step(reply(1, {9, 4}));
  EXPECT_EQ(done_, "Read 9 Ok");
}

TEST_F(ClientCoreTest, a_busy_bucket_is_asked_again_soon_and_not_for_ever) {
  submit(Op::kRead, "9");
  EXPECT_EQ(step(reply(1, {0, 0}, Code::kBusy)), Lines{});
  EXPECT_EQ(tick(49), Lines{});
  EXPECT_EQ(tick(1).size(), 1u);
  tick(660);
  step(reply(1, {0, 0}, Code::kBusy));
  EXPECT_EQ(done_, "Read 9 Down b0");
}

TEST_F(ClientCoreTest, a_refusal_of_one_copy_is_no_answer_while_there_may_be_another) {
  submit(Op::kPut, "9", "v");
  step(reply(1, {0, 0}, Code::kNoSpace));
  EXPECT_EQ(done_, "Put 9 NoSpace");
  submit(Op::kPut, "9", "v");
  EXPECT_EQ(tick(600).size(), 1u) << "the second copy";
  EXPECT_EQ(step(reply(2, {0, 0}, Code::kNoSpace)), Lines{});
  EXPECT_EQ(done_, "");
  EXPECT_EQ(tick(50).size(), 1u);
  tick(50);
  step(reply(2, {0, 0}, Code::kNoSpace));
  EXPECT_EQ(done_, "Put 9 Down b0") << "which says that it may have been done";
}

TEST_F(ClientCoreTest, a_node_without_the_bucket_makes_it_ask_for_the_map) {
  submit(Op::kRead, "9");
  EXPECT_EQ(step(reply(1, {0, 0}, Code::kNoBucket)), Lines{"coordinator: BookQuery first=0"});
  step(BookUpdate{{}, book(0, {4})});
  EXPECT_EQ(tick(50), Lines{"b0@n4: Read 9 seq=1 to=0"});
}

TEST_F(ClientCoreTest, asks_for_the_map_from_the_bucket_that_it_needs) {
  client_.learn_mark({0, 1});
  step(BookUpdate{{}, book(1, {2})});
  submit(Op::kRead, "9");
  EXPECT_EQ(step(reply(1, {1, 0}, Code::kNoBucket)), Lines{"coordinator: BookQuery first=1"});
}

TEST_F(ClientCoreTest, asks_for_the_map_ten_times_a_second_at_most) {
  for (int k = 0; k < 5; ++k) submit(Op::kRead, "9");
  EXPECT_EQ(unreachable(1), Lines{"coordinator: BookQuery first=0"});
  now_ = now_ + base::ms(99);
  EXPECT_EQ(unreachable(1), Lines{});
  now_ = now_ + base::ms(1);
  EXPECT_EQ(unreachable(1), Lines{"coordinator: BookQuery first=0"});
}

TEST_F(ClientCoreTest, says_within_a_second_that_a_bucket_is_down) {
  submit(Op::kRead, "9");
  int64_t ms = 0;
  for (; done_.empty() && ms < 2000; ms += 50) {
    tick(50);
    if (done_.empty()) unreachable(1);
  }
  EXPECT_EQ(done_, "Read 9 Down b0");
  EXPECT_GE(ms, 650);
  EXPECT_LT(ms, 1000);
}

TEST_F(ClientCoreTest, what_the_coordinator_knows_to_be_down_is_not_waited_for) {
  const BookUpdate down = {{}, down_at(1)};
  submit(Op::kRead, "9");
  step(down);
  EXPECT_EQ(done_, "") << "nobody has tried: it may be back";
  EXPECT_EQ(unreachable(1), Lines{"coordinator: BookQuery first=0"});
  now_ = now_ + base::ms(1);
  submit(Op::kRead, "10");
  EXPECT_EQ(unreachable(1), Lines{}) << "asked a moment ago";
  step(down);
  EXPECT_EQ(done_, "Read 9 Down b0") << "key 10 asks itself";
  now_ = now_ + base::ms(100);
  EXPECT_EQ(unreachable(1), Lines{"coordinator: BookQuery first=0"});
  step(down);
  EXPECT_EQ(done_, "Read 10 Down b0");
}

TEST_F(ClientCoreTest, what_the_book_has_elsewhere_is_not_given_up_with_a_node) {
  step(BookUpdate{{}, book(1, {2})});
  submit(Op::kRead, "9");
  unreachable(1);
  BookPart part = down_at(1);
  part.at = {node(1), node(2)};
  step(BookUpdate{{}, part});
  EXPECT_EQ(done_, "") << "key 9 is in bucket 1 when there are two";
  EXPECT_EQ(tick(50), Lines{"b1@n2: Read 9 seq=1 to=1"});
}

TEST_F(ClientCoreTest, a_scan_does_not_wait_for_what_the_coordinator_knows_to_be_down) {
  call(FileRequest::Kind::kCount);
  EXPECT_EQ(unreachable(1), Lines{"coordinator: BookQuery first=0"});
  step(BookUpdate{{}, down_at(1)});
  EXPECT_EQ(done_, "call 1 outcome 1");
}

TEST_F(ClientCoreTest, a_node_that_concerns_no_request_may_go) {
  submit(Op::kRead, "9");
  EXPECT_EQ(unreachable(2), Lines{});
  EXPECT_EQ(tick(50), Lines{});
}

TEST_F(ClientCoreTest, a_server_that_knows_a_bucket_to_be_down_is_believed_the_second_time) {
  submit(Op::kRead, "9");
  Reply m = forwarded(1, {9, 0}, 1, {1, 4});
  m.code = Code::kDown;
  EXPECT_EQ(step(m), Lines{"coordinator: BookQuery first=1"});
  EXPECT_EQ(done_, "");
  EXPECT_EQ(client_.image(), (FileState{3, 2})) << "the IAM is as good as any";
  EXPECT_EQ(client_.book().locate(9), NodeId::kNone) << "but the place is not";
  EXPECT_EQ(tick(50), Lines{"b0@n1: Read 9 seq=1 to=0"});
  step(m);
  EXPECT_EQ(done_, "Read 9 Down b9");
}

// 9 of a file of ten buckets leads through 0 and 1 by the image of a new client.
TEST_F(ClientCoreTest, a_dead_bucket_on_the_way_does_not_hide_a_key) {
  submit(Op::kRead, "9");
  Reply m = forwarded(1, {1, 0}, 1, {0, 4});
  m.code = Code::kDown;
  step(m);
  step(BookUpdate{{}, book(1, {2, 3, 4, 5, 6, 7, 8, 9, 10})});
  EXPECT_EQ(tick(50), Lines{"b9@n10: Read 9 seq=1 to=9"});
  EXPECT_EQ(client_.image(), (FileState{3, 2}));
}

TEST_F(ClientCoreTest, nor_does_a_dead_bucket_that_it_was_sent_to) {
  submit(Op::kRead, "9");
  EXPECT_EQ(unreachable(1), Lines{"coordinator: BookQuery first=0"});
  step(BookUpdate{{}, book(0, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})});
  EXPECT_EQ(tick(50), Lines{"b9@n10: Read 9 seq=1 to=9"});
}

TEST_F(ClientCoreTest, a_book_alone_does_not_change_the_image) {
  step(BookUpdate{{}, book(0, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})});
  EXPECT_EQ(submit(Op::kRead, "9"), Lines{"b0@n1: Read 9 seq=1 to=0"});
  EXPECT_EQ(client_.image(), (FileState{0, 0}));
}

// -------------------------------------------------------------------------------- the whole file

TEST_F(ClientCoreTest, calls_are_numbered_and_end_with_their_tag) {
  call(FileRequest::Kind::kCount);
  ScanReply m;
  m.to.client = 7;
  m.scan = 1;
  m.last = ~ReversedHash{0};
  step(m);
  EXPECT_EQ(done_, "piece b0 call 1 outcome 0");
  call(FileRequest::Kind::kCount);
  EXPECT_EQ(one_of<Scan>(effects_).scan, 2u);
  step(m);
  EXPECT_EQ(done_, "") << "of the scan before";
}

TEST_F(ClientCoreTest, several_calls_go_on_at_a_time) {
  call(FileRequest::Kind::kCount);
  call(FileRequest::Kind::kFile);
  run([this] { client_.coordinator_unreachable(now_, &effects_); });
  EXPECT_EQ(done_, "call 1 outcome 2");
  ScanReply m;
  m.to.client = 7;
  m.scan = 1;
  m.last = ~ReversedHash{0};
  step(m);
  EXPECT_EQ(done_, "piece b0 call 1 outcome 0");
}

TEST_F(ClientCoreTest, a_scan_of_a_node_that_stays_away_ends_within_a_second) {
  call(FileRequest::Kind::kCount);
  unreachable(1);
  int64_t ms = 0;
  for (; done_.empty() && ms < 2000; ms += 50) {
    if (!tick(50).empty()) unreachable(1);
  }
  EXPECT_EQ(done_, "call 1 outcome 1");
  EXPECT_LE(ms, 1000);
}

TEST_F(ClientCoreTest, pieces_for_other_clients_are_passed_over) {
  call(FileRequest::Kind::kCount);
  ScanReply m;
  m.to.client = 8;
  m.scan = 1;
  m.last = ~ReversedHash{0};
  step(m);
  FileReply file;
  file.to.client = 8;
  step(file);
  EXPECT_EQ(done_, "");
}

TEST_F(ClientCoreTest, messages_for_others_are_passed_over) {
  const Message strange[] = {Request{},    Overflow{},  SplitOrder{}, SplitRecords{}, Scan{},
                             Registered{}, Heartbeat{}, Hello{},      Ping{},         Error{}};
  for (const Message& m : strange) EXPECT_EQ(step(m), Lines{});
}

}  // namespace
}  // namespace lh::core
