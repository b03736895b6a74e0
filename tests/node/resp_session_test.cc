#include "node/resp_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/node/two_workers_fixture.h"

namespace lh::node {
namespace {

using testing::array;

std::string bulk(const std::string& bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
}

class RespSessionTest : public testing::TwoWorkers {
 protected:
  RespSessionTest() : TwoWorkers(100) { EXPECT_EQ("+PONG\r\n", call({"PING"})); }

  std::string call(const std::vector<std::string>& words) { return send(array(words)); }
  // Whatever it needs other workers for.
  std::string call_all(const std::vector<std::string>& words) {
    peer_->send(array(words));
    pass(base::ms(500));
    return peer_->take();
  }
};

TEST_F(RespSessionTest, RecordsNearAndFarAreTheSame) {
  for (const std::string& k : {near(0), far(0)}) {
    EXPECT_EQ("$-1\r\n", call({"GET", k}));
    EXPECT_EQ(":0\r\n", call({"STRLEN", k}));
    EXPECT_EQ("+OK\r\n", call({"SET", k, "12"}));
    EXPECT_EQ("$2\r\n12\r\n", call({"GET", k}));
    EXPECT_EQ("$-1\r\n", call({"SET", k, "x", "NX"}));
    EXPECT_EQ("+OK\r\n", call({"set", k, "13", "xx"}));
    EXPECT_EQ(":14\r\n", call({"INCR", k}));
    EXPECT_EQ(":13\r\n", call({"DECR", k}));
    EXPECT_EQ(":20\r\n", call({"INCRBY", k, "7"}));
    EXPECT_EQ(":25\r\n", call({"DECRBY", k, "-5"}));
    EXPECT_EQ(":4\r\n", call({"APPEND", k, "xy"}));
    EXPECT_EQ(":4\r\n", call({"STRLEN", k}));
    EXPECT_EQ("-ERR value is not an integer or out of range\r\n", call({"INCR", k}));
    EXPECT_EQ(":1\r\n", call({"EXISTS", k}));
    EXPECT_EQ(":1\r\n", call({"DEL", k}));
    EXPECT_EQ(":0\r\n", call({"DEL", k}));
    EXPECT_EQ("$-1\r\n", call({"SET", k, "x", "XX"}));
  }
}

TEST_F(RespSessionTest, PartsOfValuesAreReadAndWritten) {
  for (const std::string& k : {near(0), far(0)}) {
    EXPECT_EQ("+none\r\n", call({"TYPE", k}));
    EXPECT_EQ(bulk(""), call({"GETRANGE", k, "0", "-1"}));
    EXPECT_EQ(":0\r\n", call({"SETRANGE", k, "5", ""}));
    EXPECT_EQ("$-1\r\n", call({"GET", k})) << "nothing makes no record";
    EXPECT_EQ(":4\r\n", call({"SETRANGE", k, "2", "ab"}));
    EXPECT_EQ(bulk(std::string("\0\0ab", 4)), call({"GET", k}));
    EXPECT_EQ("+string\r\n", call({"TYPE", k}));
    EXPECT_EQ("+OK\r\n", call({"SET", k, "hello", "EX", "100"}));
    EXPECT_EQ(":5\r\n", call({"SETRANGE", k, "1", "ipp"}));
    EXPECT_EQ(bulk("hippo"), call({"SUBSTR", k, "0", "-1"}));
    EXPECT_EQ(bulk("pp"), call({"GETRANGE", k, "-3", "3"}));
    EXPECT_EQ(":100\r\n", call({"TTL", k}));
    EXPECT_EQ("-ERR offset is out of range\r\n", call({"SETRANGE", k, "-1", "x"}));
    EXPECT_EQ("-ERR value is not an integer or out of range\r\n", call({"GETRANGE", k, "a", "1"}));
    EXPECT_EQ("-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
              call({"SETRANGE", k, "8388608", "x"}));
    EXPECT_EQ(":1\r\n", call({"TOUCH", k}));
    EXPECT_EQ(":1\r\n", call({"UNLINK", k}));
  }
}

TEST_F(RespSessionTest, RecordsExpireNearAndFar) {
  for (const std::string& k : {near(0), far(0)}) {
    EXPECT_EQ(":-2\r\n", call({"TTL", k}));
    EXPECT_EQ("+OK\r\n", call({"SET", k, "a", "EX", "10"}));
    EXPECT_EQ(":10\r\n", call({"TTL", k}));
    EXPECT_EQ(":0\r\n", call({"SETNX", k, "b"}));
    EXPECT_EQ("$1\r\na\r\n", call({"GETEX", k, "PERSIST"}));
    EXPECT_EQ(":-1\r\n", call({"PTTL", k}));
    EXPECT_EQ(":0\r\n", call({"PERSIST", k}));
    EXPECT_EQ("$1\r\na\r\n", call({"SET", k, "c", "GET"}));
    EXPECT_EQ(":1\r\n", call({"PEXPIRE", k, "1000"}));
    EXPECT_EQ("$1\r\nc\r\n", call({"GET", k}));
    pass(base::ms(1'100));
    EXPECT_EQ("$-1\r\n", call({"GET", k}));
    EXPECT_EQ(":1\r\n", call({"SETNX", k, "d"}));
    EXPECT_EQ(":-1\r\n", call({"EXPIRETIME", k}));
    EXPECT_EQ("$-1\r\n", call({"SET", k, "e", "NX", "PX", "5"}));
    EXPECT_EQ("$1\r\nd\r\n", call({"GETSET", k, "f"}));
    EXPECT_EQ("$1\r\nf\r\n", call({"GETDEL", k}));
    EXPECT_EQ("$-1\r\n", call({"GETDEL", k}));
    EXPECT_EQ(":0\r\n", call({"EXPIRE", k, "10"}));
    EXPECT_EQ("+OK\r\n", call({"SETEX", k, "10", "g"}));
    EXPECT_EQ(":1\r\n", call({"EXPIRE", k, "-1"}));
    EXPECT_EQ("$-1\r\n", call({"GETSET", k, "h"}));
    EXPECT_EQ(":1\r\n", call({"DEL", k}));
  }
  EXPECT_EQ("-ERR invalid expire time in 'set' command\r\n",
            call({"SET", near(0), "a", "EX", "0"}));
}

TEST_F(RespSessionTest, SeveralKeysAreAnsweredTogetherAndInOrder) {
  EXPECT_EQ("+OK\r\n", call({"MSET", near(0), "a", far(0), "b", near(1), "c", far(1), ""}));
  EXPECT_EQ("*6\r\n" + bulk("a") + bulk("b") + "$-1\r\n" + bulk("c") + bulk("") + "$-1\r\n",
            call({"MGET", near(0), far(0), far(2), near(1), far(1), near(2)}));
  EXPECT_EQ("*2\r\n" + bulk("b") + bulk("b"), call_all({"MGET", far(0), far(0)}))
      << "one key twice, one after the other";
  EXPECT_EQ(":5\r\n", call_all({"EXISTS", near(0), far(0), far(2), near(1), far(1), near(1)}));
  EXPECT_EQ(":4\r\n", call_all({"DEL", near(0), far(0), far(2), near(1), far(1), near(1)}));
  EXPECT_EQ("-ERR wrong number of arguments for 'mset' command\r\n", call({"MSET", "1", "2", "3"}));
}

TEST_F(RespSessionTest, OneOfSeveralKeysMayBeWrittenTwice) {
  EXPECT_EQ("+OK\r\n", call_all({"MSET", far(0), "a", near(0), "b", far(0), "c", near(0), "d"}));
  EXPECT_EQ("*2\r\n" + bulk("c") + bulk("d"), call({"MGET", far(0), near(0)}));
}

TEST_F(RespSessionTest, AnswersComeInTheOrderOfTheRequests) {
  freeze_far();
  EXPECT_EQ("+OK\r\n",
            send(array({"SET", near(0), "n"}) + array({"SET", far(0), "f"}) +
                 array({"GET", near(0)}) + array({"PING"}) + array({"MGET", near(0), far(1)}) +
                 array({"FOO"}) + array({"GET", far(0)}) + array({"ECHO", "last"})));
  EXPECT_EQ("+OK\r\n" + bulk("n") + "+PONG\r\n*2\r\n" + bulk("n") +
                "$-1\r\n-ERR unknown command 'FOO', with args beginning with: \r\n" + bulk("f") +
                bulk("last"),
            answers_after_thaw());
}

TEST_F(RespSessionTest, WhatAConnectionWasToldItsNextRequestSees) {
  std::string requests;
  std::string wanted;
  for (int k = 1; k <= 300; ++k) {
    requests += array({"INCR", far(0)}) + array({"INCR", near(0)}) + array({"GET", far(0)});
    const std::string number = std::to_string(k);
    wanted += ":" + number + "\r\n:" + number + "\r\n" + bulk(number);
  }
  peer_->send(requests);
  pass(base::seconds(2));
  EXPECT_EQ(wanted, peer_->take());
}

TEST_F(RespSessionTest, MoreKeysThanMayBeUnderWayAreWorkedOff) {
  std::vector<std::string> words{"MSET"};
  for (size_t k = 0; k < 3'000; ++k) {
    words.push_back(far(k));
    words.push_back("v" + far(k));
  }
  freeze_far();
  EXPECT_EQ("", send(array(words)));
  EXPECT_EQ("+OK\r\n", answers_after_thaw());
  words = {"MGET"};
  std::string wanted = "*3000\r\n";
  for (size_t k = 0; k < 3'000; ++k) {
    words.push_back(far(k));
    wanted += bulk("v" + far(k));
  }
  EXPECT_EQ(wanted, call_all(words));
}

TEST_F(RespSessionTest, TheWholeFileIsCountedAndCleared) {
  EXPECT_EQ(":40\r\n", call_all({"DBSIZE"}));
  peer_->send(array({"SET", far(0), "x"}) + array({"DBSIZE"}) + array({"FLUSHALL"}) +
              array({"DBSIZE"}) + array({"SET", near(0), "y"}) + array({"DBSIZE"}));
  pass(base::seconds(2));
  EXPECT_EQ("+OK\r\n:41\r\n+OK\r\n:0\r\n+OK\r\n:1\r\n", peer_->take());
  EXPECT_EQ("+OK\r\n", call_all({"FLUSHDB", "ASYNC"}));
  EXPECT_EQ("-ERR syntax error\r\n", call({"FLUSHALL", "SOON"}));
  EXPECT_EQ(":0\r\n", call_all({"DBSIZE"}));
}

TEST_F(RespSessionTest, InfoCountsTheRecordsOfTheFile) {
  const std::string info = call_all({"INFO"});
  EXPECT_NE(info.find("redis_version:7.0.0\r\n"), std::string::npos);
  EXPECT_NE(info.find("db0:keys=40,expires=0,avg_ttl=0\r\n"), std::string::npos);
  EXPECT_EQ(call({"INFO", "Server", "server"}).find("db0:"), std::string::npos);
}

TEST_F(RespSessionTest, LimitsAndOptionsAreChecked) {
  const std::string long_key(core::kKeyBytesMax + 1, '1');
  EXPECT_EQ("-ERR key too long\r\n", call({"GET", long_key}));
  EXPECT_EQ("-ERR key too long\r\n", call({"MGET", near(0), long_key}));
  EXPECT_EQ("-ERR key is not an integer\r\n", call({"SET", "abc", "v"}));
  EXPECT_EQ("-ERR key is not an integer\r\n", call({"MSET", near(0), "v", "abc", "v"}));
  EXPECT_EQ(":0\r\n", call({"EXISTS", near(0)})) << "nothing of it was done";
  EXPECT_EQ("-ERR syntax error\r\n", call({"SET", near(0), "v", "EX"}));
  EXPECT_EQ("-ERR decrement would overflow\r\n", call({"DECRBY", near(0), "-9223372036854775808"}));
  EXPECT_EQ("-ERR value is not an integer or out of range\r\n", call({"DECRBY", near(0), "1.5"}));
  EXPECT_EQ("-ERR wrong number of arguments for 'get' command\r\n", call({"GET"}));
  EXPECT_EQ("+OK\r\n", call({"SET", near(0), "9223372036854775807"}));
  EXPECT_EQ("-ERR increment or decrement would overflow\r\n", call({"INCR", near(0)}));
}

TEST_F(RespSessionTest, ByteByByteIsAsGood) {
  const std::string bytes =
      array({"SET", near(0), "v"}) + "get " + near(0) + "\r\n" + array({"MGET", near(0), far(0)});
  std::string got;
  for (const char c : bytes) got += send({&c, 1});
  EXPECT_EQ("+OK\r\n" + bulk("v") + "*2\r\n" + bulk("v") + "$-1\r\n", got);
}

TEST_F(RespSessionTest, WhatMakesNoSenseEndsTheConnection) {
  EXPECT_EQ("+PONG\r\n-ERR Protocol error: invalid bulk length\r\n",
            send(array({"PING"}) + "*1\r\n$x\r\n" + array({"PING"})));
  EXPECT_TRUE(peer_->ended());
}

TEST_F(RespSessionTest, QuitAnswersWhatWasAskedBefore) {
  freeze_far();
  send(array({"GET", far(0)}) + array({"QUIT"}) + array({"PING"}));
  EXPECT_EQ("$-1\r\n+OK\r\n", answers_after_thaw());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(RespSessionTest, ABrowserIsShownTheDoor) {
  EXPECT_EQ("", send("POST / HTTP/1.1\r\nHost: x\r\n\r\nFLUSHALL\r\n"));
  EXPECT_TRUE(peer_->ended());
}

TEST_F(RespSessionTest, ARequestThatIsNotFinishedInTimeEndsIt) {
  EXPECT_EQ("", send("*2\r\n$3\r\nGET\r\n"));
  pass(kRequestTimeMax + base::seconds(1));
  EXPECT_EQ("-ERR a request was begun and not finished\r\n", peer_->take());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(RespSessionTest, ANodeThatStopsGivesTheAnswersItOwes) {
  freeze_far();
  EXPECT_EQ("", send(array({"GET", far(0)}) + array({"GET", near(0)})));
  node_.worker(0).drain();
  settle();
  EXPECT_FALSE(peer_->ended());
  EXPECT_EQ("$-1\r\n$-1\r\n", answers_after_thaw());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(RespSessionTest, AConnectionThatGoesLeavesNobodyWaiting) {
  freeze_far();
  send(array({"GET", far(0)}) + array({"MGET", far(1), far(2)}) + array({"MGET", far(1), near(0)}));
  peer_->hang_up();
  settle();
  node_.thaw();
  pass(base::seconds(1));
  peer_ = &connect(node_, 0);
  EXPECT_EQ("$-1\r\n", call({"GET", far(0)}));
}

}  // namespace
}  // namespace lh::node
