#include "node/pipelined_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/node/two_workers_fixture.h"

namespace lh::node {
namespace {

using testing::Peer;
using testing::TestNode;

std::string number(uint64_t n) { return std::to_string(n); }

// By lines of text, which are the easiest to read.
class PipelinedSessionTest : public testing::TwoWorkers {
 protected:
  PipelinedSessionTest() : TwoWorkers(0) {}

  static std::string value(const std::string& key) { return "v" + key + "\n"; }
};

// ----------------------------------------------------------------------------------- pipelining

TEST_F(PipelinedSessionTest, AnswersComeInTheOrderOfTheCommands) {
  const std::string lines = "GET " + near(0) + "\nGET " + far(0) + "\nGET " + near(1) +
                            "\nPING\nnonsense\nGET x\nGET " + far(1) + "\nGET " + near(2) + "\n";
  EXPECT_EQ(value(near(0)), answers_before_thaw(lines)) << "the rest waits for what is far";
  EXPECT_EQ(value(far(0)) + value(near(1)) +
                "PONG\nERR unknown command 'nonsense': try HELP\nERR key is not an integer\n" +
                value(far(1)) + value(near(2)),
            answers_after_thaw());
}

TEST_F(PipelinedSessionTest, ManyCommandsAreUnderWayTogether) {
  std::string lines;
  std::string expected;
  for (size_t k = 0; k < 300; ++k) {
    lines += "PUT " + far(k) + " w" + number(k) + "\nGET " + near(k % 10) + "\n";
    expected += "OK\n" + value(near(k % 10));
  }
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_EQ(300u, node_.worker(0).front().client().in_flight());
  EXPECT_EQ(expected, answers_after_thaw());
}

TEST_F(PipelinedSessionTest, TwoCommandsOfOneKeyNeverOvertake) {
  std::string lines;
  std::string expected;
  for (int k = 0; k < 20; ++k) {
    lines += "PUT " + far(0) + " w" + number(k) + "\nGET " + far(0) + "\n";
    expected += "OK\nw" + number(k) + "\n";
  }
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_EQ(1u, node_.worker(0).front().client().in_flight());
  EXPECT_EQ(expected, answers_after_thaw());
}

TEST_F(PipelinedSessionTest, ACommandThatWaitsForItsKeyHoldsBackWhatFollows) {
  // Otherwise the second GET of the near key could see the PUT that comes behind it.
  const std::string lines =
      "PUT " + far(0) + " a\nGET " + far(0) + "\nPUT " + near(0) + " b\nGET " + near(0) + "\n";
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_EQ("OK\na\nOK\nb\n", answers_after_thaw());
}

TEST_F(PipelinedSessionTest, AQuestionAboutTheFileWaitsForAllBeforeItAndHoldsAllBehindIt) {
  const std::string lines = "INSERT " + far(100) + " a\nCOUNT\nINSERT " + near(100) +
                            " b\nCOUNT\nDELETE " + far(100) + "\nCOUNT\n";
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_EQ("OK\n" + number(kRecords + 1) + "\nOK\n" + number(kRecords + 2) + "\nOK\n" +
                number(kRecords + 1) + "\n",
            answers_after_thaw());
}

TEST_F(PipelinedSessionTest, WhatNeedsNobodyIsAnsweredBehindAQuestionInOrder) {
  EXPECT_EQ("", answers_before_thaw("COUNT\nPING\nnonsense\n"));
  EXPECT_EQ(number(kRecords) + "\nPONG\nERR unknown command 'nonsense': try HELP\n",
            answers_after_thaw());
}

TEST_F(PipelinedSessionTest, WhileACommandWaitsTheWorkerRests) {
  // settle() fails when a loop never comes to rest.
  answers_before_thaw("COUNT\nGET " + near(0) + "\n");
  pass(base::ms(200));
  EXPECT_EQ("", peer_->take());
  EXPECT_EQ(number(kRecords) + "\n" + value(near(0)), answers_after_thaw());
}

TEST_F(PipelinedSessionTest, MoreCommandsThanOneConnectionMayHaveUnderWay) {
  constexpr size_t kCommands = 5'000;
  std::string lines;
  std::string expected;
  for (size_t k = 0; k < kCommands; ++k) {
    lines += k % 3 == 0 ? "PING\n" : "GET " + far(k) + "\n";
    expected += k % 3 == 0 ? "PONG\n" : has_record(far(k)) ? value(far(k)) : "NOT FOUND\n";
  }
  lines = "GET " + far(0) + "\n" + lines;
  expected = value(far(0)) + expected;
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_LE(node_.worker(0).front().client().in_flight(), 1'024u);
  EXPECT_EQ(expected, answers_after_thaw());
}

TEST_F(PipelinedSessionTest, WaitsWhenTheWindowOfTheFrontIsFull) {
  freeze_far();
  constexpr size_t kPerPeer = 1'000;
  constexpr size_t kPeers = core::kClientWindowMax / kPerPeer + 2;
  std::vector<Peer*> peers;
  for (size_t k = 0; k < kPeers; ++k) {
    peers.push_back(&connect(node_, 0));
    std::string lines;
    for (size_t i = 0; i < kPerPeer; ++i) lines += "GET " + far(i) + "\n";
    peers.back()->send(lines);
  }
  settle();
  EXPECT_EQ(core::kClientWindowMax, node_.worker(0).front().client().in_flight());
  EXPECT_EQ(value(near(0)), ask(*peer_, "GET " + near(0))) << "what is near needs no room";
  node_.thaw();
  EXPECT_TRUE(within(base::seconds(2), [&] {
    for (Peer* peer : peers) {
      if (peer->lines() < kPerPeer) return false;
    }
    return true;
  }));
  for (Peer* peer : peers) {
    ASSERT_EQ(value(far(0)), peer->take_line());
    EXPECT_EQ(kPerPeer - 1, peer->lines());
  }
}

TEST_F(PipelinedSessionTest, AWholeLineThatWaitsIsNotALineThatWasNotFinished) {
  freeze_far();
  std::string lines;
  for (size_t i = 0; i < 1'000; ++i)
    lines += "PUT " + far(i) + " " + std::string(40'000, 'v') + "\n";
  Peer& greedy = connect(node_, 0);
  greedy.send(lines);
  settle();
  ASSERT_FALSE(node_.worker(0).front().has_room());
  peer_->send("GET " + far(0) + "\n");
  pass(base::seconds(12));
  EXPECT_EQ("", peer_->take());
  EXPECT_FALSE(peer_->ended());
}

// -------------------------------------------------------------------------------------- the end

TEST_F(PipelinedSessionTest, QuitIsObeyedWhenEverythingIsAnswered) {
  EXPECT_EQ("", answers_before_thaw("GET " + far(0) + "\nGET " + near(0) + "\nQUIT\nPING\n"));
  EXPECT_FALSE(peer_->ended());
  EXPECT_EQ(value(far(0)) + value(near(0)), answers_after_thaw());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(PipelinedSessionTest, WhatIsOwedIsAnsweredAfterTheEndOfInput) {
  freeze_far();
  peer_->send("GET " + far(0) + "\nGET " + far(0) + "\nCOUNT\nGET " + near(0) + "\nGET 1");
  peer_->half_close();
  settle();
  EXPECT_EQ("", peer_->take());
  EXPECT_FALSE(peer_->ended());
  EXPECT_EQ(value(far(0)) + value(far(0)) + number(kRecords) + "\n" + value(near(0)),
            answers_after_thaw())
      << "half a line is not a command";
  EXPECT_TRUE(peer_->ended());
}

TEST_F(PipelinedSessionTest, HalfALineAndThenSilenceIsRefused) {
  peer_->send("PING\nGET ");
  pass(base::seconds(10));
  EXPECT_EQ("PONG\n", peer_->take());
  EXPECT_FALSE(peer_->ended());
  pass(base::ms(100));
  EXPECT_EQ("ERR a line was begun and not finished\n", peer_->take());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(PipelinedSessionTest, HalfALineWaitsWhileAnswersAreOwed) {
  freeze_far();
  peer_->send("GET " + far(0) + "\nGET ");
  pass(base::seconds(12));
  EXPECT_FALSE(peer_->ended());
}

TEST_F(PipelinedSessionTest, APeerThatIsGoneLeavesItsAnswersBehind) {
  freeze_far();
  peer_->send("GET " + far(0) + "\nGET " + far(1) + "\nCOUNT\n");
  settle();
  peer_->hang_up();
  settle();
  // The next connection has the same place, and none of its answers.
  Peer& next = connect(node_, 0);
  next.send("PING\nGET " + far(2) + "\n");
  settle();
  node_.thaw();
  pass(base::seconds(1));
  EXPECT_EQ("PONG\n" + value(far(2)), next.take());
  EXPECT_EQ(0u, node_.worker(0).front().client().in_flight());
}

TEST_F(PipelinedSessionTest, APeerThatIsGoneInTheMiddleOfAScan) {
  freeze_far();
  peer_->send("SCAN v\n");
  settle();
  node_.loop(1).run_once({});
  peer_->hang_up();
  settle();
  node_.thaw();
  pass(base::seconds(1));
  EXPECT_EQ("PONG\n", ask(connect(node_, 0), "PING"));
}

TEST_F(PipelinedSessionTest, WhatAnIdlePeerOwesNobodyIsPatience) {
  TestNode& node = start_bucket_node({.idle_timeout = base::seconds(3)});
  Peer& peer = connect(node, 0);
  EXPECT_EQ("PONG\n", ask(peer, "PING"));
  pass(base::seconds(2));
  EXPECT_EQ("PONG\n", ask(peer, "PING"));
  pass(base::seconds(3));
  EXPECT_FALSE(peer.ended());
  pass(base::ms(300));
  EXPECT_TRUE(peer.ended());
}

// ------------------------------------------------------------------------------------- draining

TEST_F(PipelinedSessionTest, DrainingAnswersWhatWasTakenThenCloses) {
  EXPECT_EQ("", answers_before_thaw("GET " + far(0) + "\nGET " + far(0) + "\nCOUNT\n"));
  Peer& quiet = connect(node_, 0);
  EXPECT_EQ("PONG\n", ask(quiet, "PING"));
  node_.worker(0).drain();
  settle();
  EXPECT_TRUE(quiet.ended());
  EXPECT_FALSE(peer_->ended());
  EXPECT_EQ(value(far(0)) + value(far(0)) + number(kRecords) + "\n", answers_after_thaw());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(PipelinedSessionTest, DrainingDropsHalfALine) {
  peer_->send("PING\nGET ");
  settle();
  node_.worker(0).drain();
  settle();
  EXPECT_EQ("PONG\n", peer_->take());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(PipelinedSessionTest, DrainingAnswersWhatCameWithTheFirstBytes) {
  // The session has taken the connection over, with a line that it has not looked at yet.
  Peer& peer = connect(node_, 0);
  peer.send("PING\n");
  node_.loop(0).post([&] { node_.worker(0).drain(); });
  settle();
  EXPECT_EQ("PONG\n", peer.take());
  EXPECT_TRUE(peer.ended());
}

}  // namespace
}  // namespace lh::node
