#include "core/standings.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

Standing answer(uint32_t server, uint32_t servers, BucketNo first = 0) {
  Standing m;
  m.query = 7;
  m.node = node(2);
  m.server = server;
  m.servers = servers;
  m.options = integer_file();
  m.book.first = first;
  return m;
}

TEST(StandingsTest, a_node_has_answered_when_all_its_servers_have) {
  Standings standings(7);
  EXPECT_EQ(to_string(Message(standings.next({}))), "StandingQuery query=7 first=0");
  Standing first = answer(0, 2);
  first.buckets.push_back({{1, 1}});
  first.book.at = {node(1), NodeId::kNone, node(3)};
  first.book.nodes = {entry(3, "h:3")};
  EXPECT_TRUE(standings.take(first));
  EXPECT_FALSE(standings.take(first)) << "it comes twice";
  EXPECT_FALSE(standings.complete());
  Standing second = answer(1, 2);
  second.buckets.push_back({{2, 2}});
  EXPECT_TRUE(standings.take(second));
  EXPECT_TRUE(standings.complete());
  EXPECT_EQ(standings.buckets().size(), 2u);
  EXPECT_EQ(standings.options(), integer_file());
  EXPECT_EQ(standings.book().locate(0), node(1));
  EXPECT_EQ(standings.book().locate(1), NodeId::kNone);
  EXPECT_EQ(standings.book().locate(2), node(3));
  EXPECT_EQ(standings.book().node(node(3))->address, "h:3");
  EXPECT_FALSE(standings.take(second)) << "that was all";
}

TEST(StandingsTest, a_server_that_has_not_joined_knows_no_file) {
  for (const uint32_t joined : {0u, 1u}) {
    Standings standings(7, node(2));
    Standing m = answer(1 - joined, 2);
    m.options = {};
    standings.take(m);
    Standing with = answer(joined, 2);
    with.options.id = 99;
    standings.take(with);
    if (joined == 0) standings.take(m);
    EXPECT_EQ(standings.options(), with.options);
  }
}

TEST(StandingsTest, pages_are_asked_for_as_long_as_a_server_has_more) {
  Standings standings(7);
  Standing m = answer(0, 2);
  m.more = true;
  EXPECT_TRUE(standings.take(m));
  EXPECT_TRUE(standings.take(answer(1, 2)));
  EXPECT_FALSE(standings.complete());
  EXPECT_EQ(standings.next({}).first, kBookEntriesMax);
  EXPECT_FALSE(standings.take(m)) << "of the page before";
  EXPECT_TRUE(standings.take(answer(0, 2, kBookEntriesMax)));
  EXPECT_TRUE(standings.take(answer(1, 2, kBookEntriesMax)));
  EXPECT_TRUE(standings.complete());
}

TEST(StandingsTest, a_node_that_has_come_back_with_other_servers_is_asked_from_the_start) {
  Standings standings(7);
  Standing before = answer(0, 2);
  before.more = true;
  before.buckets.push_back({{1, 1}});
  EXPECT_TRUE(standings.take(before));
  EXPECT_TRUE(standings.take(answer(1, 2)));
  Standing now = answer(0, 1);
  now.buckets.push_back({{1, 2}});
  EXPECT_TRUE(standings.take(now));
  EXPECT_TRUE(standings.complete());
  ASSERT_EQ(standings.buckets().size(), 1u);
  EXPECT_EQ(standings.buckets()[0].mark, (BucketMark{1, 2}));
}

TEST(StandingsTest, an_answer_to_another_question_is_none) {
  Standings standings(8);
  EXPECT_FALSE(standings.take(answer(0, 1)));
  EXPECT_FALSE(standings.complete());
}

}  // namespace
}  // namespace lh::core
