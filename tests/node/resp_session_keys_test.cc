// KEYS, SCAN and RANDOMKEY over connections, in a file with buckets in two workers.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/node/two_workers_fixture.h"

namespace lh::node {
namespace {

using testing::array;

class RespSessionKeysTest : public testing::TwoWorkers {
 protected:
  RespSessionKeysTest() : TwoWorkers(100) { EXPECT_EQ("+PONG\r\n", call({"PING"})); }

  std::string call(const std::vector<std::string>& words) { return send(array(words)); }
  // The bulk strings in an answer, in their order.
  static std::vector<std::string> bulks(const std::string& answer) {
    std::vector<std::string> found;
    for (size_t at = 0; at < answer.size();) {
      const size_t end = answer.find("\r\n", at);
      if (answer[at] == '$') {
        const size_t size = std::stoul(answer.substr(at + 1));
        found.push_back(answer.substr(end + 2, size));
        at = end + 2 + size + 2;
      } else {
        at = end + 2;
      }
    }
    return found;
  }
  static std::set<std::string> set_of(const std::vector<std::string>& words) {
    return {words.begin(), words.end()};
  }
};

TEST_F(RespSessionKeysTest, KeysAreThoseOfTheWholeFile) {
  const std::string all = call({"KEYS", "*"});
  EXPECT_TRUE(all.starts_with("*40\r\n")) << all;
  EXPECT_EQ(set_of(bulks(all)).size(), kRecords);
  EXPECT_EQ(set_of(bulks(call({"KEYS", "1?"}))).size(), 10u);
  EXPECT_EQ("*0\r\n", call({"KEYS", "none*"}));
  EXPECT_EQ("-ERR pattern too long\r\n", call({"KEYS", std::string(5'000, 'x')}));
}

TEST_F(RespSessionKeysTest, AScanFindsEachKeyOnce) {
  for (const char* count : {"1", "10", "1000"}) {
    std::vector<std::string> found;
    std::string cursor = "0";
    int calls = 0;
    do {
      std::vector<std::string> answer = bulks(call({"SCAN", cursor, "COUNT", count}));
      ASSERT_FALSE(answer.empty());
      cursor = answer[0];
      found.insert(found.end(), answer.begin() + 1, answer.end());
      ASSERT_LT(++calls, 1'000);
    } while (cursor != "0");
    EXPECT_EQ(found.size(), kRecords);
    EXPECT_EQ(set_of(found).size(), kRecords);
  }
  EXPECT_EQ("*2\r\n$1\r\n0\r\n*0\r\n", call({"SCAN", "18446744073709551615", "TYPE", "list"}));
  EXPECT_EQ("-ERR invalid cursor\r\n", call({"SCAN", "x"}));
}

TEST_F(RespSessionKeysTest, ARandomKeyIsOneThatThereIs) {
  const std::set<std::string> all = set_of(bulks(call({"KEYS", "*"})));
  std::set<std::string> found;
  for (int k = 0; k < 60; ++k) {
    const std::vector<std::string> one = bulks(call({"RANDOMKEY"}));
    ASSERT_EQ(one.size(), 1u);
    EXPECT_TRUE(all.contains(one[0]));
    found.insert(one[0]);
  }
  EXPECT_GT(found.size(), 5u);
  EXPECT_EQ("+OK\r\n", call({"FLUSHALL"}));
  EXPECT_EQ("$-1\r\n", call({"RANDOMKEY"}));
  EXPECT_EQ("*0\r\n", call({"KEYS", "*"}));
}

TEST_F(RespSessionKeysTest, WhatFollowsWaitsForThem) {
  EXPECT_EQ("",
            answers_before_thaw(array({"KEYS", "*"}) + array({"DEL", near(0)}) + array({"PING"})));
  EXPECT_TRUE(answers_after_thaw().ends_with(":0\r\n+PONG\r\n"));
}

}  // namespace
}  // namespace lh::node
