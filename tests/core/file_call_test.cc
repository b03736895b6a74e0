#include "core/file_call.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "lh/address.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;
using Kind = FileRequest::Kind;
using Outcome = FileResult::Outcome;

// A client with the image (1, 0): buckets 0 and 1, at nodes 1 and 2.
class FileCallTest : public ::testing::Test {
 protected:
  FileCallTest() {
    path_.client = 7;
    addresses_.learn(book(0, {1, 2}));
  }

  Lines start(FileRequest request) {
    call_.emplace(5, std::move(request));
    return run([this](const CallContext& context) { call_->start(context); });
  }
  Lines start(Kind kind) { return start(FileRequest{kind, ScanMatch::kAll, {}, 0}); }
  Lines tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    return run([this](const CallContext& context) { call_->tick(context); });
  }
  // Bucket `a` of level 1 has 10 records of 3 bytes each.
  Lines answer(BucketNo a, uint64_t overdue = 0) {
    ScanReply m;
    m.to.client = 7;
    m.scan = scan_;
    m.bucket = {a, 1};
    m.node = node(a + 1);
    m.from = interval_of({a, 1}).first;
    m.last = interval_of({a, 1}).last;
    m.records = 10;
    m.bytes = 30;
    m.overdue = overdue;
    return run([&](const CallContext& context) { news_ = call_->on_scan_reply(context, &m); });
  }
  Lines answer_both() {
    answer(0);
    return answer(1);
  }
  Lines coordinator_says(const std::string& error = "") {
    FileReply m;
    m.query = query_;
    m.state = {1, 0};
    m.error = error;
    return run([&](const CallContext& context) { call_->on_file_reply(context, m); });
  }
  const FileResult& result() const {
    EXPECT_TRUE(call_->done());
    return call_->result();
  }

  template <typename Step>
  Lines run(Step step) {
    effects_.clear();
    step(CallContext{now_, path_, image_, addresses_, &effects_});
    for (const Scan& m : all_of<Scan>(effects_)) scan_ = m.scan, kind_ = m.kind;
    for (const FileQuery& m : all_of<FileQuery>(effects_)) query_ = m.query;
    return lines(effects_);
  }

  static constexpr char kToBucket0[] =
      "b0@n1: Scan scan=5 to=0 level=1 [0000000000000000,7fffffffffffffff]";
  static constexpr char kToBucket1[] =
      "b1@n2: Scan scan=5 to=1 level=1 [8000000000000000,ffffffffffffffff]";
  static constexpr char kToSettle[] = "coordinator: FileQuery query=5 kind=2";

  ReplyPath path_;
  FileState image_{1, 0};
  AddressBook addresses_;
  std::optional<FileCall> call_;
  Effects effects_;
  base::Instant now_ = kStart;
  uint64_t scan_ = 0;
  uint64_t query_ = 0;
  ScanKind kind_ = ScanKind::kRecords;
  bool news_ = false;
};

TEST_F(FileCallTest, scan_and_count_and_buckets_are_scans) {
  for (const Kind kind : {Kind::kScan, Kind::kCount, Kind::kBuckets}) {
    EXPECT_EQ(start(kind), (Lines{kToBucket0, kToBucket1}));
    EXPECT_EQ(kind_, kind == Kind::kScan ? ScanKind::kRecords : ScanKind::kStats);
    EXPECT_EQ(answer(0), Lines{});
    EXPECT_TRUE(news_);
    answer(0);
    EXPECT_FALSE(news_);
    EXPECT_FALSE(call_->done());
    EXPECT_EQ(answer(1), Lines{});
    EXPECT_EQ(result().outcome, Outcome::kOk);
    EXPECT_EQ(result().records, 20u);
    EXPECT_EQ(result().buckets.size(), 2u);
    EXPECT_EQ(result().buckets.at(1).records, 10u);
    EXPECT_EQ(result().buckets.at(1).bytes, 30u);
    EXPECT_EQ(result().buckets.at(1).node, node(2));
    EXPECT_EQ(result().buckets.at(1).mark, (BucketMark{1, 1}));
  }
}

TEST_F(FileCallTest, one_bucket_is_a_scan_of_its_interval) {
  start(FileRequest{Kind::kBucket, ScanMatch::kAll, {}, 1});
  EXPECT_EQ(one_of<Scan>(effects_).to, 1u);
  answer(1);
  EXPECT_EQ(result().outcome, Outcome::kOk);
  EXPECT_EQ(result().records, 10u);
}

TEST_F(FileCallTest, some_ends_with_a_piece_and_says_how_far_it_got) {
  FileRequest some{Kind::kSome, ScanMatch::kAll, {}, 0};
  some.from = interval_of({1, 1}).first;
  some.records_max = 3;
  start(some);
  EXPECT_EQ(one_of<Scan>(effects_).to, 1u);
  EXPECT_EQ(one_of<Scan>(effects_).kind, ScanKind::kKeys);
  answer(1);
  EXPECT_EQ(result().outcome, Outcome::kOk);
  EXPECT_EQ(result().done_up_to, ~ReversedHash{0});
}

TEST_F(FileCallTest, a_bucket_that_does_not_exist_is_none) {
  start(FileRequest{Kind::kBucket, ScanMatch::kAll, {}, 2});
  answer(0);
  EXPECT_EQ(result().outcome, Outcome::kNoSuchBucket);
}

TEST_F(FileCallTest, file_and_nodes_ask_the_coordinator_then_count) {
  for (const Kind kind : {Kind::kFile, Kind::kNodes}) {
    const std::string number = kind == Kind::kFile ? "0" : "1";
    EXPECT_EQ(start(kind), Lines{"coordinator: FileQuery query=5 kind=" + number});
    EXPECT_EQ(coordinator_says(), (Lines{kToBucket0, kToBucket1}));
    EXPECT_EQ(coordinator_says(), Lines{}) << "said twice";
    answer_both();
    EXPECT_EQ(result().outcome, Outcome::kOk);
    EXPECT_EQ(result().records, 20u);
    EXPECT_EQ(result().file.state, (FileState{1, 0}));
  }
}

TEST_F(FileCallTest, asks_the_coordinator_again_after_half_a_second) {
  start(Kind::kFile);
  EXPECT_EQ(tick(499), Lines{});
  EXPECT_EQ(tick(1), Lines{"coordinator: FileQuery query=5 kind=0"});
  coordinator_says();
  EXPECT_EQ(tick(200), Lines{});
}

TEST_F(FileCallTest, without_a_coordinator_there_is_no_answer) {
  for (const Kind kind : {Kind::kFile, Kind::kNodes, Kind::kSettle}) {
    start(kind);
    call_->coordinator_unreachable();
    EXPECT_EQ(result().outcome, Outcome::kNoCoordinator);
  }
}

TEST_F(FileCallTest, scans_need_no_coordinator) {
  start(Kind::kCount);
  call_->coordinator_unreachable();
  answer_both();
  EXPECT_EQ(result().outcome, Outcome::kOk);
}

TEST_F(FileCallTest, a_coordinator_that_went_away_after_its_answer_is_not_missed) {
  start(Kind::kFile);
  coordinator_says();
  call_->coordinator_unreachable();
  answer_both();
  EXPECT_EQ(result().outcome, Outcome::kOk);
}

// ---------------------------------------------------------------------------------------- settle

TEST_F(FileCallTest, settle_scans_first_and_then_asks) {
  EXPECT_EQ(start(Kind::kSettle), (Lines{kToBucket0, kToBucket1}));
  EXPECT_EQ(kind_, ScanKind::kSettle);
  EXPECT_EQ(answer(0), Lines{});
  EXPECT_EQ(answer(1), Lines{kToSettle});
  EXPECT_FALSE(call_->done());
  coordinator_says("no node has room: 1 split owed");
  EXPECT_EQ(result().outcome, Outcome::kOk);
  EXPECT_EQ(result().file.error, "no node has room: 1 split owed");
}

TEST_F(FileCallTest, settle_looks_again_when_inserts_were_not_reported_yet) {
  start(Kind::kSettle);
  answer(0, 3);
  answer(1);
  EXPECT_EQ(coordinator_says().size(), 2u) << "a second scan";
  EXPECT_FALSE(call_->done());
  const uint64_t second = scan_;
  EXPECT_NE(second, 5u);
  scan_ = 5;
  answer(0);
  EXPECT_FALSE(news_) << "of the first round";
  scan_ = second;
  answer_both();
  EXPECT_EQ(query_, second);
  query_ = 5;
  coordinator_says();
  EXPECT_FALSE(call_->done());
  query_ = second;
  coordinator_says();
  EXPECT_EQ(result().outcome, Outcome::kOk);
  EXPECT_EQ(result().records, 20u) << "counted once";
}

TEST_F(FileCallTest, settle_does_not_look_again_when_it_would_do_no_good) {
  start(Kind::kSettle);
  answer(0, 3);
  answer(1);
  coordinator_says("no node has room: 1 split owed");
  EXPECT_TRUE(call_->done());
}

// The buckets wait for the coordinator to take in their reports, and so would this.
TEST_F(FileCallTest, settle_finds_out_when_nobody_is_there_to_take_in_reports) {
  start(Kind::kSettle);
  const Lines said = tick(500);
  EXPECT_EQ(count_of<FileQuery>(effects_), 1u);
  const uint64_t probe = query_;
  coordinator_says();
  EXPECT_FALSE(call_->done()) << "it is there, and that is all";
  answer_both();
  EXPECT_NE(query_, probe);
  const uint64_t real = query_;
  query_ = probe;
  coordinator_says();
  EXPECT_FALSE(call_->done());
  query_ = real;
  coordinator_says();
  EXPECT_TRUE(call_->done());
}

// --------------------------------------------------------------------------------------- failure

TEST_F(FileCallTest, a_bucket_that_is_down_is_named) {
  start(Kind::kCount);
  ScanReply down;
  down.scan = 5;
  down.code = Code::kDown;
  down.bucket = {1, 1};
  run([&](const CallContext& context) { call_->on_scan_reply(context, &down); });
  EXPECT_EQ(result().outcome, Outcome::kBucketDown);
  EXPECT_EQ(result().down, 1u);
}

TEST_F(FileCallTest, nodes_are_listed_all_the_more_when_one_is_down) {
  start(Kind::kNodes);
  coordinator_says();
  ScanReply down;
  down.scan = 5;
  down.code = Code::kDown;
  down.bucket = {1, 1};
  run([&](const CallContext& context) { call_->on_scan_reply(context, &down); });
  EXPECT_EQ(result().outcome, Outcome::kOk);
}

TEST_F(FileCallTest, a_node_that_stays_away_ends_the_call) {
  start(Kind::kCount);
  answer(0);
  for (int ms = 0; ms < 1000 && !call_->done(); ms += 50) {
    tick(50);
    run([this](const CallContext& context) { call_->node_unreachable(context, node(2)); });
  }
  EXPECT_EQ(result().outcome, Outcome::kBucketDown);
  EXPECT_EQ(result().down, 1u);
}

TEST_F(FileCallTest, what_comes_after_the_end_changes_nothing) {
  start(Kind::kCount);
  answer_both();
  answer(0);
  EXPECT_FALSE(news_);
  coordinator_says();
  run([this](const CallContext& context) { call_->node_unreachable(context, node(2)); });
  EXPECT_EQ(tick(10'000), Lines{});
  EXPECT_EQ(result().records, 20u);
}

TEST_F(FileCallTest, answers_that_were_not_asked_for_are_passed_over) {
  start(Kind::kFile);
  scan_ = 5;
  answer(0);
  EXPECT_FALSE(news_);
  query_ = 6;
  EXPECT_EQ(coordinator_says(), Lines{});
  EXPECT_FALSE(call_->done());
}

}  // namespace
}  // namespace lh::core
