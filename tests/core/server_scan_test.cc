#include <gtest/gtest.h>

#include "core/server.h"
#include "tests/core/server_fixture.h"

namespace lh::core {
namespace {

using namespace testing;

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

}  // namespace
}  // namespace lh::core
