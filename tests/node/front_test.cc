#include "node/front.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lh::node {
namespace {

using core::Code;
using core::Op;

constexpr base::Instant kNow = base::Instant::from_ns(1'000'000'000);
constexpr NodeId kSelf{1};
constexpr NodeId kOther{2};

class Waiter final : public FrontWaiter {
 public:
  void on_done(uint64_t ticket, const core::Completion& done) override {
    tickets.push_back(ticket);
    codes.push_back(done.code);
  }
  void on_scan_piece(uint64_t ticket, const core::ScanReply&) override {
    tickets.push_back(ticket);
    ++pieces;
  }
  void on_call_done(uint64_t ticket, const core::FileResult& result) override {
    tickets.push_back(ticket);
    outcomes.push_back(result.outcome);
  }
  std::vector<uint64_t> tickets;
  std::vector<Code> codes;
  std::vector<core::FileResult::Outcome> outcomes;
  int pieces = 0;
};

// A file of integer keys, of which this worker's server has some buckets, another node the rest.
class FrontTest : public ::testing::Test {
 protected:
  FrontTest() {
    core::FileOptions options;
    options.hash = base::HashMode::kInteger;
    core::BookPart book{0, {kSelf}, {{kSelf, true, "127.0.0.1:1"}, {kOther, true, "127.0.0.1:2"}}};
    server_.configure(kSelf, options);
    front_.configure(kSelf, 99);
    front_.client().configure(options, book);
  }
  std::optional<Code> execute(Op op, HashValue c, std::string_view value = {}) {
    core::Bucket* bucket = front_.find(c);
    if (bucket == nullptr) return std::nullopt;
    mark_ = bucket->mark();
    return server_.execute(kNow, bucket, {op, c, std::to_string(c), value}, &effects_).code;
  }
  uint64_t submit(Op op, std::string_view key) {
    return front_.submit(kNow, {op, 0, key, "v"}, &waiter_, &effects_);
  }
  // The last request that was sent.
  core::Request sent() {
    EXPECT_FALSE(effects_.sends().empty());
    return std::get<core::Request>(effects_.sends().back().message);
  }
  void answer(const core::Request& request, Code code) {
    core::Reply reply;
    reply.to = request.from;
    reply.seq = request.seq;
    reply.code = code;
    reply.bucket = {request.to, 0};
    reply.node = kSelf;
    front_.client().step(kNow, reply, &effects_);
  }

  core::Server server_;
  Front front_{77, &server_};
  core::Effects effects_;
  Waiter waiter_;
  BucketMark mark_;
};

TEST_F(FrontTest, WhatItsOwnServerHasIsExecutedAtOnce) {
  server_.create_bucket({0, 0});
  EXPECT_EQ(Code::kNotFound, execute(Op::kRead, 5));
  EXPECT_EQ(Code::kOk, execute(Op::kInsert, 5, "five"));
  EXPECT_EQ(Code::kExists, execute(Op::kInsert, 5, "six"));
  EXPECT_EQ(Code::kOk, execute(Op::kRead, 5));
  EXPECT_EQ((BucketMark{0, 0}), mark_);
  EXPECT_TRUE(effects_.sends().empty()) << "without a message";
  EXPECT_EQ(4u, server_.counters().requests);
}

TEST_F(FrontTest, LearnsFromTheBucketsOnItsWay) {
  server_.create_bucket({0, 2});
  server_.create_bucket({2, 2});
  EXPECT_EQ((FileState{0, 0}), front_.client().image());
  EXPECT_EQ(Code::kOk, execute(Op::kPut, 6, "six")) << "bucket 0 sends it on to bucket 2";
  EXPECT_EQ((BucketMark{2, 2}), mark_);
  EXPECT_GT(bucket_count(front_.client().image()), 1u);
  EXPECT_EQ(1u, server_.find(2)->records());
}

TEST_F(FrontTest, WhatItsOwnServerDoesNotHaveIsNotExecuted) {
  EXPECT_FALSE(execute(Op::kPut, 4)) << "no bucket at all";
  server_.create_bucket({0, 1});
  EXPECT_TRUE(execute(Op::kPut, 4));
  EXPECT_FALSE(execute(Op::kPut, 5)) << "it is of bucket 1";
  EXPECT_EQ((FileState{1, 0}), front_.client().image()) << "but now that is known";
}

TEST_F(FrontTest, ABucketThatIsStillReceivingIsNotAsked) {
  core::SplitRecords opening;
  opening.split = 1;
  opening.stream = 1;
  opening.source = 0;
  opening.source_node = kOther;
  opening.target = {1, 1};
  server_.create_bucket({0, 1});
  server_.step(kNow, opening, &effects_);
  ASSERT_NE(nullptr, server_.find(1));
  EXPECT_FALSE(execute(Op::kRead, 1));
}

TEST_F(FrontTest, ARequestCarriesTheWayBack) {
  submit(Op::kPut, "8");
  const core::Request request = sent();
  EXPECT_EQ(77u, request.from.client);
  EXPECT_EQ(kSelf, request.from.entry);
  EXPECT_EQ(99u, request.from.link);
  EXPECT_EQ("", request.from.listener);
  EXPECT_EQ("8", request.key);
}

TEST_F(FrontTest, EachAnswerFindsWhoAskedAndOnce) {
  Waiter other;
  const uint64_t mine = submit(Op::kPut, "8");
  const core::Request first = sent();
  const uint64_t theirs = front_.submit(kNow, {Op::kRead, 0, "9"}, &other, &effects_);
  const core::Request second = sent();
  EXPECT_NE(mine, theirs);
  answer(second, Code::kNotFound);
  EXPECT_TRUE(waiter_.tickets.empty());
  EXPECT_EQ(std::vector<uint64_t>{theirs}, other.tickets);
  EXPECT_EQ(std::vector<Code>{Code::kNotFound}, other.codes);
  answer(first, Code::kOk);
  answer(first, Code::kOk);
  EXPECT_EQ(std::vector<uint64_t>{mine}, waiter_.tickets);
}

TEST_F(FrontTest, WhoeverForgetsATicketHearsNothing) {
  const uint64_t ticket = submit(Op::kPut, "8");
  const core::Request request = sent();
  core::FileRequest count;
  const uint64_t call = front_.call(kNow, count, &waiter_, &effects_);
  EXPECT_LT(ticket, call) << "tickets grow";
  front_.forget(ticket);
  front_.forget(call);
  front_.forget(12'345);
  answer(request, Code::kOk);
  core::ScanReply piece;
  piece.to.client = 77;
  piece.scan = 1;
  piece.bucket = {0, 0};
  piece.node = kSelf;
  piece.last = ~ReversedHash{0};
  front_.client().step(kNow, piece, &effects_);
  EXPECT_TRUE(waiter_.tickets.empty());
  EXPECT_EQ(0, waiter_.pieces);
}

TEST_F(FrontTest, ACallIsHandedOutPieceByPiece) {
  core::FileRequest scan;
  scan.kind = core::FileRequest::Kind::kScan;
  const uint64_t ticket = front_.call(kNow, scan, &waiter_, &effects_);
  EXPECT_TRUE(waiter_.tickets.empty()) << "never from within the call";
  core::ScanReply piece;
  piece.to.client = 77;
  piece.scan = std::get<core::Scan>(effects_.sends().back().message).scan;
  piece.bucket = {0, 0};
  piece.node = kSelf;
  piece.last = 1'000;
  piece.more = true;
  front_.client().step(kNow, piece, &effects_);
  EXPECT_EQ(1, waiter_.pieces);
  EXPECT_TRUE(waiter_.outcomes.empty());
  piece.from = 1'001;
  piece.last = ~ReversedHash{0};
  piece.more = false;
  front_.client().step(kNow, piece, &effects_);
  EXPECT_EQ(2, waiter_.pieces);
  ASSERT_EQ(1u, waiter_.outcomes.size());
  EXPECT_EQ(core::FileResult::Outcome::kOk, waiter_.outcomes[0]);
  EXPECT_EQ((std::vector<uint64_t>{ticket, ticket, ticket}), waiter_.tickets);
}

TEST_F(FrontTest, NoQuestionIsAnsweredFromWithinTheCall) {
  using Kind = core::FileRequest::Kind;
  for (const Kind kind : {Kind::kScan, Kind::kCount, Kind::kFile, Kind::kBuckets, Kind::kBucket,
                          Kind::kNodes, Kind::kSettle}) {
    core::FileRequest question;
    question.kind = kind;
    question.bucket = kBucketsMax - 1;
    front_.call(kNow, question, &waiter_, &effects_);
  }
  EXPECT_TRUE(waiter_.tickets.empty());
}

}  // namespace
}  // namespace lh::node
