#include "node/resp_transaction.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/node/two_workers_fixture.h"

namespace lh::node {
namespace {

using testing::array;

class RespTransactionTest : public testing::TwoWorkers {
 protected:
  RespTransactionTest() : TwoWorkers(100) { EXPECT_EQ("+PONG\r\n", call({"PING"})); }

  std::string call(const std::vector<std::string>& words) { return send(array(words)); }
  // Another key of the same bucket.
  static std::string beside(const std::string& key) {
    return std::to_string(std::stoull(key) + (uint64_t{1} << 30));
  }
  std::string exec(const std::vector<std::vector<std::string>>& requests) {
    EXPECT_EQ("+OK\r\n", call({"MULTI"}));
    for (const auto& words : requests) EXPECT_EQ("+QUEUED\r\n", call(words)) << words[0];
    return call({"EXEC"});
  }
};

constexpr const char* kAbort = "-EXECABORT Transaction discarded because of previous errors.\r\n";

TEST_F(RespTransactionTest, WhatIsQueuedIsAnsweredTogether) {
  for (const auto& [k, l] :
       {std::pair(near(0), beside(near(0))), std::pair(far(0), beside(far(0)))}) {
    EXPECT_EQ("*0\r\n", exec({}));
    EXPECT_EQ("*2\r\n+PONG\r\n+OK\r\n", exec({{"PING"}, {"UNWATCH"}}));
    EXPECT_EQ(
        "*10\r\n+OK\r\n:6\r\n$1\r\n6\r\n+OK\r\n*3\r\n$1\r\n6\r\n$1\r\nb\r\n$1\r\n6\r\n:2\r\n$"
        "2\r\nhi"
        "\r\n:-1\r\n-ERR syntax error\r\n:1\r\n",
        exec({{"SET", k, "5"},
              {"INCR", k},
              {"GET", k},
              {"MSET", l, "b"},
              {"MGET", k, l, k},
              {"EXISTS", k, l},
              {"ECHO", "hi"},
              {"TTL", k},
              {"SET", k, "5", "NONSENSE"},
              {"DEL", l}}));
    EXPECT_EQ("$1\r\n6\r\n", call({"GET", k}));
    EXPECT_EQ("*1\r\n:1\r\n", exec({{"EXPIRE", k, "100"}}));
    EXPECT_EQ(":100\r\n", call({"TTL", k}));
  }
}

TEST_F(RespTransactionTest, WhoeverWatchesSeesWhatOthersWrite) {
  testing::Peer& other = connect(node_, 0);
  const auto write = [&](const std::string& k, const std::string& value) {
    other.send(array({"SET", k, value}));
    settle();
    EXPECT_EQ("+OK\r\n", other.take());
  };
  for (const auto& [k, l] :
       {std::pair(near(0), beside(near(0))), std::pair(far(0), beside(far(0)))}) {
    write(k, "1");
    EXPECT_EQ("+OK\r\n", call({"WATCH", k, l}));
    EXPECT_EQ("*1\r\n:2\r\n", exec({{"INCR", k}}));
    EXPECT_EQ("+OK\r\n", call({"WATCH", k, l}));
    write(k, "10");
    EXPECT_EQ("*-1\r\n", exec({{"INCR", k}}));
    EXPECT_EQ("$2\r\n10\r\n", call({"GET", k}));
    EXPECT_EQ("*1\r\n:11\r\n", exec({{"INCR", k}})) << "EXEC watches no more";
    EXPECT_EQ("+OK\r\n", call({"WATCH", l}));
    write(l, "there now");
    EXPECT_EQ("*-1\r\n", exec({{"PING"}})) << "about nothing else";
    EXPECT_EQ("+OK\r\n", call({"WATCH", l}));
    write(l, "again");
    EXPECT_EQ("+OK\r\n", call({"UNWATCH"}));
    EXPECT_EQ("*1\r\n$5\r\nagain\r\n", exec({{"GETDEL", l}}));
    EXPECT_EQ("+OK\r\n", call({"WATCH", l}));
    EXPECT_EQ("+OK\r\n", call({"SET", l, "mine"}));
    EXPECT_EQ("*-1\r\n", exec({{"GET", l}})) << "one's own write is one, too";
  }
  EXPECT_EQ("%7\r\n", call({"HELLO", "3"}).substr(0, 4));
  EXPECT_EQ("+OK\r\n", call({"WATCH", far(0)}));
  write(far(0), "x");
  EXPECT_EQ("_\r\n", exec({{"GET", far(0)}}));
}

TEST_F(RespTransactionTest, AllInOnePieceIsAsGood) {
  for (const std::string& k : {near(0), far(0)}) {
    EXPECT_EQ(
        "+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:8\r\n$1\r\n8\r\n",
        send(array({"SET", k, "1"}) + array({"WATCH", k}) + array({"MULTI"}) +
             array({"SET", k, "7"}) + array({"INCR", k}) + array({"EXEC"}) + array({"GET", k})));
  }
}

TEST_F(RespTransactionTest, WhatCannotBeQueuedAbortsTheRest) {
  const std::string k = near(0);
  const auto aborts = [&](const std::vector<std::string>& words, const std::string& error) {
    EXPECT_EQ("+OK\r\n", call({"MULTI"}));
    EXPECT_EQ("+QUEUED\r\n", call({"SET", k, "x"}));
    EXPECT_EQ("-" + error + "\r\n", call(words));
    EXPECT_EQ(kAbort, call({"EXEC"}));
    EXPECT_EQ("$-1\r\n", call({"GET", k}));
  };
  aborts({"NOSUCH"}, "ERR unknown command 'NOSUCH', with args beginning with: ");
  aborts({"GET"}, "ERR wrong number of arguments for 'get' command");
  aborts({"MSET", k, "v", k}, "ERR wrong number of arguments for 'mset' command");
  aborts({"GET", std::string(core::kKeyBytesMax + 1, 'k')}, "ERR key too long");
  aborts({"GET", "no integer"}, "ERR key is not an integer");
  aborts({"DBSIZE"}, "ERR Command not allowed inside a transaction");
  aborts({"FLUSHALL"}, "ERR Command not allowed inside a transaction");
  aborts({"SET", k, std::string(RespTransaction::kQueuedBytesMax, 'v')},
         "ERR the transaction is too large");
  EXPECT_EQ("-ERR unknown command 'NOSUCH', with args beginning with: \r\n", call({"NOSUCH"}));
  EXPECT_EQ("*1\r\n+PONG\r\n", exec({{"PING"}})) << "errors before MULTI are none of it";
}

TEST_F(RespTransactionTest, TheWordsAreRedisOnes) {
  EXPECT_EQ("-ERR EXEC without MULTI\r\n", call({"EXEC"}));
  EXPECT_EQ("-ERR DISCARD without MULTI\r\n", call({"DISCARD"}));
  EXPECT_EQ("+OK\r\n", call({"UNWATCH"}));
  EXPECT_EQ("+OK\r\n", call({"MULTI"}));
  EXPECT_EQ("-ERR MULTI calls can not be nested\r\n", call({"MULTI"}));
  EXPECT_EQ("-ERR WATCH inside MULTI is not allowed\r\n", call({"WATCH", near(0)}));
  EXPECT_EQ("+QUEUED\r\n", call({"SET", near(0), "x"}));
  EXPECT_EQ("+OK\r\n", call({"DISCARD"}));
  EXPECT_EQ("$-1\r\n", call({"GET", near(0)}));
  EXPECT_EQ("+OK\r\n", call({"MULTI"}));
  EXPECT_EQ("+QUEUED\r\n", call({"SET", near(0), "x"}));
  EXPECT_EQ("+QUEUED\r\n", call({"SET", far(0), "x"}));
  EXPECT_EQ("-CROSSSLOT Keys in request don't hash to the same slot\r\n", call({"EXEC"}));
  EXPECT_EQ(":0\r\n", call({"EXISTS", near(0), far(0)}));
  EXPECT_EQ("-ERR EXEC without MULTI\r\n", call({"EXEC"})) << "that was it";
}

TEST_F(RespTransactionTest, TooManyWatchedKeysAreRefused) {
  std::vector<std::string> words = {"WATCH"};
  for (size_t k = 0; k < RespTransaction::kWatchedBytesMax / 50; ++k)
    words.push_back(beside(near(k % 100)));
  peer_->send(array(words));
  pass(base::ms(500));
  EXPECT_EQ("-ERR too many watched keys\r\n", peer_->take());
}

}  // namespace
}  // namespace lh::node
