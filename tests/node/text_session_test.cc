#include "node/text_session.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/node/fixture.h"

namespace lh::node {
namespace {

using testing::Cluster;
using testing::integer_file;
using testing::Peer;
using testing::TestNode;

std::string number(uint64_t n) { return std::to_string(n); }

// A coordinator's node with two workers, whose file has buckets in both. The connections are with
// worker 0. What worker 1 has is far: it is asked by mail, and waits while worker 1 is frozen.
class TextSessionTest : public Cluster {
 protected:
  static constexpr uint64_t kRecords = 40;

  TextSessionTest() : node_(start_coordinator(integer_file(8), {.workers = 2})) {
    fill(connect(node_, 0), kRecords);
    for (uint64_t key = 0; key < 10'000; ++key) {
      (worker_of(key) == 0 ? near_ : far_).push_back(key);
    }
    peer_ = &connect(node_, 0);
  }

  size_t worker_of(uint64_t key) {
    for (size_t k = 0; k < 2; ++k) {
      for (const auto& [a, bucket] : node_.worker(k).server().buckets()) {
        if (!forward_address(bucket->mark(), key)) return k;
      }
    }
    ADD_FAILURE() << "nobody has key " << key;
    return 0;
  }
  // The k-th key of each kind.
  std::string near(size_t k) const { return number(near_.at(k)); }
  std::string far(size_t k) const { return number(far_.at(k)); }
  static std::string value(const std::string& key) { return "v" + key + "\n"; }

  void freeze_far() { node_.freeze(1); }
  // What the peer gets, sending this, while what is far waits, and afterwards.
  std::string answers_before_thaw(std::string_view lines) {
    freeze_far();
    peer_->send(lines);
    settle();
    return peer_->take();
  }
  std::string answers_after_thaw() {
    node_.thaw();
    pass(base::seconds(1));
    return peer_->take();
  }

  TestNode& node_;
  Peer* peer_ = nullptr;
  std::vector<uint64_t> near_;
  std::vector<uint64_t> far_;
};

// ------------------------------------------------------------------------------------- commands

TEST_F(TextSessionTest, EveryCommandHasItsAnswer) {
  Peer& p = *peer_;
  EXPECT_EQ("OK\n", ask(p, "INSERT 1000 a"));
  EXPECT_EQ("ERR key exists\n", ask(p, "INSERT 1000 b"));
  EXPECT_EQ("OK\n", ask(p, "UPDATE 1000 c"));
  EXPECT_EQ("ERR no such key\n", ask(p, "UPDATE 1001 c"));
  EXPECT_EQ("OK\n", ask(p, "PUT 1001 d"));
  EXPECT_EQ("c\n", ask(p, "READ 1000"));
  EXPECT_EQ("d\n", ask(p, "GET 1001"));
  EXPECT_EQ("NOT FOUND\n", ask(p, "QUERY 1002"));
  EXPECT_EQ("OK\n", ask(p, "DELETE 1000"));
  EXPECT_EQ("NOT FOUND\n", ask(p, "DELETE 1000"));
  EXPECT_EQ(number(kRecords + 1) + "\n", ask(p, "COUNT"));
  EXPECT_EQ("OK\n", ask(p, "SETTLE"));
  EXPECT_EQ(0u, ask(p, "FILE").find("file=0 i="));
  EXPECT_EQ("1001 d\nEND 1 records from " + number(node_.live_buckets()) + " buckets\n",
            ask_listing(p, "SCAN d"));
  EXPECT_EQ("PONG\n", ask(p, "PING"));
  EXPECT_EQ("ERR unknown command 'x': try HELP\n", ask(p, "x"));
  EXPECT_NE(std::string::npos, ask_listing(p, "HELP").find("INSERT key value"));
  EXPECT_EQ("ERR no such bucket\n", ask_listing(p, "BUCKET 99999"));
}

TEST_F(TextSessionTest, ListingsNameNodesAndBuckets) {
  const std::string buckets = ask_listing(*peer_, "BUCKETS");
  EXPECT_EQ(0u, buckets.find("bucket=0 level="));
  EXPECT_NE(std::string::npos, buckets.find(" node=" + node_.address() + "\n"));
  EXPECT_NE(std::string::npos, buckets.find("END " + number(node_.live_buckets()) + " buckets\n"));
  const std::string nodes = ask_listing(*peer_, "NODES");
  EXPECT_EQ(0u, nodes.find("node=" + node_.address() + " state=up buckets="));
  EXPECT_NE(std::string::npos, nodes.find("END 1 nodes\n"));
  const std::string bucket = ask_listing(*peer_, "BUCKET 1");
  EXPECT_NE(std::string::npos, bucket.find("1 v1\n"));
}

TEST_F(TextSessionTest, LocateTellsTheSameOfWhatIsNearAndFar) {
  for (const std::string& key : {near(0), far(0)}) {
    const std::string located = ask(*peer_, "LOCATE " + key);
    EXPECT_EQ(0u, located.find("c=" + key + " bucket=")) << located;
    EXPECT_NE(std::string::npos, located.find(" node=" + node_.address() + "\n")) << located;
  }
}

TEST_F(TextSessionTest, BlankLinesHaveNoAnswer) {
  peer_->send("\n\r\n   \t\nPING\n\n");
  settle();
  EXPECT_EQ("PONG\n", peer_->take());
}

TEST_F(TextSessionTest, AnAnswerThatIsAnErrorLeavesTheConnectionOpen) {
  EXPECT_EQ("ERR key is not an integer\n", ask(*peer_, "GET abc"));
  EXPECT_EQ("ERR key is not an integer\n", ask(*peer_, "LOCATE -1"));
  EXPECT_EQ("ERR wrong number of arguments: READ key\n", ask(*peer_, "READ"));
  EXPECT_EQ(0u, ask(*peer_, "GET \"abc").find("ERR unbalanced quote"));
  EXPECT_EQ("PONG\n", ask(*peer_, "PING"));
}

// ----------------------------------------------------------------------------------- pipelining

TEST_F(TextSessionTest, AnswersComeInTheOrderOfTheCommands) {
  const std::string lines = "GET " + near(0) + "\nGET " + far(0) + "\nGET " + near(1) +
                            "\nPING\nnonsense\nGET x\nGET " + far(1) + "\nGET " + near(2) + "\n";
  EXPECT_EQ(value(near(0)), answers_before_thaw(lines)) << "the rest waits for what is far";
  EXPECT_EQ(value(far(0)) + value(near(1)) +
                "PONG\nERR unknown command 'nonsense': try HELP\nERR key is not an integer\n" +
                value(far(1)) + value(near(2)),
            answers_after_thaw());
}

TEST_F(TextSessionTest, ManyCommandsAreUnderWayTogether) {
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

TEST_F(TextSessionTest, TwoCommandsOfOneKeyNeverOvertake) {
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

TEST_F(TextSessionTest, ACommandThatWaitsForItsKeyHoldsBackWhatFollows) {
  // Otherwise the second GET of the near key could see the PUT that comes behind it.
  const std::string lines =
      "PUT " + far(0) + " a\nGET " + far(0) + "\nPUT " + near(0) + " b\nGET " + near(0) + "\n";
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_EQ("OK\na\nOK\nb\n", answers_after_thaw());
}

TEST_F(TextSessionTest, AQuestionAboutTheFileWaitsForAllBeforeItAndHoldsAllBehindIt) {
  const std::string lines = "INSERT " + far(100) + " a\nCOUNT\nINSERT " + near(100) +
                            " b\nCOUNT\nDELETE " + far(100) + "\nCOUNT\n";
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_EQ("OK\n" + number(kRecords + 1) + "\nOK\n" + number(kRecords + 2) + "\nOK\n" +
                number(kRecords + 1) + "\n",
            answers_after_thaw());
}

TEST_F(TextSessionTest, WhatNeedsNobodyIsAnsweredBehindAQuestionInOrder) {
  EXPECT_EQ("", answers_before_thaw("COUNT\nPING\nnonsense\n"));
  EXPECT_EQ(number(kRecords) + "\nPONG\nERR unknown command 'nonsense': try HELP\n",
            answers_after_thaw());
}

TEST_F(TextSessionTest, WhileACommandWaitsTheWorkerRests) {
  // settle() fails when a loop never comes to rest.
  answers_before_thaw("COUNT\nGET " + near(0) + "\n");
  pass(base::ms(200));
  EXPECT_EQ("", peer_->take());
  EXPECT_EQ(number(kRecords) + "\n" + value(near(0)), answers_after_thaw());
}

TEST_F(TextSessionTest, MoreCommandsThanOneConnectionMayHaveUnderWay) {
  constexpr size_t kCommands = 5'000;
  std::string lines;
  std::string expected;
  for (size_t k = 0; k < kCommands; ++k) {
    lines += k % 3 == 0 ? "PING\n" : "GET " + far(k) + "\n";
    expected += k % 3 == 0 ? "PONG\n" : far_[k] < kRecords ? value(far(k)) : "NOT FOUND\n";
  }
  lines = "GET " + far(0) + "\n" + lines;
  expected = value(far(0)) + expected;
  EXPECT_EQ("", answers_before_thaw(lines));
  EXPECT_LE(node_.worker(0).front().client().in_flight(), 1'024u);
  EXPECT_EQ(expected, answers_after_thaw());
}

TEST_F(TextSessionTest, WaitsWhenTheWindowOfTheFrontIsFull) {
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

TEST_F(TextSessionTest, AWholeLineThatWaitsIsNotALineThatWasNotFinished) {
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

// -------------------------------------------------------------------------------- large answers

class TextSessionLargeTest : public Cluster {
 protected:
  // Two workers with a bucket each, and a bit more than `megabytes` of values.
  void load(size_t records, size_t value_bytes) {
    node_ = &start_coordinator(integer_file(records / 2), {.workers = 2});
    Peer& peer = connect(*node_, 0);
    const std::string value(value_bytes, 'v');
    for (size_t k = 0; k < records; ++k) {
      peer.send("INSERT " + number(k) + " " + value + "\n");
      if (k % 100 == 0) settle();
    }
    ASSERT_TRUE(within(base::seconds(5), [&] { return peer.lines() == records; }));
    ASSERT_EQ(std::string::npos, peer.take().find("ERR"));
    ASSERT_EQ("OK\n", ask(peer, "SETTLE"));
    ASSERT_GT(node_->worker(1).server().stats().records, 0u);
  }
  // Whether the listing names each key once, in order, and ends as it should.
  static void expect_listing(std::string_view text, size_t records) {
    size_t at = 0;
    for (size_t k = 0; k < records; ++k) {
      const size_t end = text.find('\n', at);
      ASSERT_NE(std::string_view::npos, end);
      ASSERT_EQ(number(k) + " v", text.substr(at, number(k).size() + 2));
      at = end + 1;
    }
    EXPECT_EQ("END " + number(records) + " records from",
              text.substr(at, text.rfind(" from") + 5 - at));
    EXPECT_EQ(text.size() - 1, text.find('\n', at));
  }

  TestNode* node_ = nullptr;
};

TEST_F(TextSessionLargeTest, ALongListingIsPrintedInPortionsAsTheReaderReads) {
  constexpr size_t kRecords = 4'000;
  load(kRecords, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.read_slowly(10'000);
  slow.send("SCAN v\nPING\n");
  Peer& other = connect(*node_, 0);
  for (int k = 0; k < 10; ++k) EXPECT_EQ("PONG\n", ask(other, "PING"));
  EXPECT_LT(slow.received().size(), size_t{2} << 20) << "others do not wait for it";
  ASSERT_TRUE(until([&] { return slow.received().ends_with("PONG\n"); }));
  std::string text = slow.take();
  text.resize(text.size() - 5);
  expect_listing(text, kRecords);
}

TEST_F(TextSessionLargeTest, AReaderThatStopsGetsTheRestWhenItGoesOn) {
  constexpr size_t kRecords = 4'000;
  load(kRecords, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.stop_reading();
  slow.send("SCAN v\n");
  pass(base::seconds(30));
  EXPECT_FALSE(slow.ended());
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.received().find("END ") != std::string::npos; }));
  expect_listing(slow.take(), kRecords);
}

TEST_F(TextSessionLargeTest, AReaderThatStopsForGoodIsClosed) {
  load(4'000, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.stop_reading();
  slow.send("SCAN v\n");
  pass(base::seconds(32));
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.ended(); }));
  EXPECT_EQ(std::string::npos, slow.received().find("END "));
}

TEST_F(TextSessionLargeTest, TheEndOfInputDoesNotCutALongListing) {
  constexpr size_t kRecords = 4'000;
  load(kRecords, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.stop_reading();
  slow.send("SCAN v\nPING\n");
  slow.half_close();
  settle();
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.ended(); }));
  std::string text = slow.take();
  ASSERT_TRUE(text.ends_with("PONG\n"));
  text.resize(text.size() - 5);
  expect_listing(text, kRecords);
}

TEST_F(TextSessionLargeTest, TheAnswersOfAPipelineMayBeMoreThanTheOutputHolds) {
  constexpr size_t kRecords = 200;
  load(kRecords, 65'000);
  node_->worker(0).text_group().limits.output_max = size_t{2} << 20;
  std::string lines;
  for (size_t k = 1; k < kRecords; k += 2) lines += "GET " + number(k) + "\n";
  Peer& peer = connect(*node_, 0);
  node_->freeze(1);
  peer.send(lines + "PING\n");
  settle();
  peer.stop_reading();
  node_->thaw();
  settle();
  peer.go_on_reading();
  ASSERT_TRUE(until([&] { return peer.received().ends_with("PONG\n") || peer.ended(); }));
  EXPECT_EQ(kRecords / 2 + 1, peer.lines());
}

// -------------------------------------------------------------------------------------- the end

TEST_F(TextSessionTest, QuitIsObeyedWhenEverythingIsAnswered) {
  EXPECT_EQ("", answers_before_thaw("GET " + far(0) + "\nGET " + near(0) + "\nQUIT\nPING\n"));
  EXPECT_FALSE(peer_->ended());
  EXPECT_EQ(value(far(0)) + value(near(0)), answers_after_thaw());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(TextSessionTest, WhatIsOwedIsAnsweredAfterTheEndOfInput) {
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

TEST_F(TextSessionTest, ALineThatIsTooLongEndsTheConnectionBehindWhatIsOwed) {
  EXPECT_EQ(
      "", answers_before_thaw("GET " + far(0) + "\nGET " + std::string(70'000, '1') + "\nPING\n"));
  EXPECT_EQ(value(far(0)) + "ERR line too long\n", answers_after_thaw());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(TextSessionTest, TheLongestLineIsACommand) {
  const std::string start = "PUT " + near(0) + " ";
  const std::string longest(wire::kLineBytesMax - start.size(), 'v');
  EXPECT_EQ("OK\n", ask(*peer_, start + longest));
  EXPECT_EQ(longest + "\n", ask(*peer_, "GET " + near(0)));
}

TEST_F(TextSessionTest, HalfALineAndThenSilenceIsRefused) {
  peer_->send("PING\nGET ");
  pass(base::seconds(10));
  EXPECT_EQ("PONG\n", peer_->take());
  EXPECT_FALSE(peer_->ended());
  pass(base::ms(100));
  EXPECT_EQ("ERR a line was begun and not finished\n", peer_->take());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(TextSessionTest, HalfALineWaitsWhileAnswersAreOwed) {
  freeze_far();
  peer_->send("GET " + far(0) + "\nGET ");
  pass(base::seconds(12));
  EXPECT_FALSE(peer_->ended());
}

TEST_F(TextSessionTest, APeerThatIsGoneLeavesItsAnswersBehind) {
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

TEST_F(TextSessionTest, APeerThatIsGoneInTheMiddleOfAScan) {
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

TEST_F(TextSessionTest, WhatAnIdlePeerOwesNobodyIsPatience) {
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

TEST_F(TextSessionTest, DrainingAnswersWhatWasTakenThenCloses) {
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

TEST_F(TextSessionTest, DrainingDropsHalfALine) {
  peer_->send("PING\nGET ");
  settle();
  node_.worker(0).drain();
  settle();
  EXPECT_EQ("PONG\n", peer_->take());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(TextSessionTest, DrainingAnswersWhatCameWithTheFirstBytes) {
  // The session has taken the connection over, with a line that it has not looked at yet.
  Peer& peer = connect(node_, 0);
  peer.send("PING\n");
  node_.loop(0).post([&] { node_.worker(0).drain(); });
  settle();
  EXPECT_EQ("PONG\n", peer.take());
  EXPECT_TRUE(peer.ended());
}

TEST_F(TextSessionTest, DrainingPrintsALongListingToItsEnd) {
  for (uint64_t k = 0; k < 400; ++k) {
    ASSERT_EQ("OK\n", ask(*peer_, "PUT " + number(1'000 + k) + " " + std::string(8'000, 'w')));
  }
  ASSERT_EQ("OK\n", ask(*peer_, "SETTLE"));
  Peer& slow = connect_narrow(node_, 0);
  slow.stop_reading();
  slow.send("SCAN w\n");
  settle();
  node_.worker(0).drain();
  settle();
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.ended(); }));
  EXPECT_EQ(401u, slow.lines());
}

// ----------------------------------------------------------------------------------- not joined

TEST_F(TextSessionTest, ANodeThatHasNotJoinedSaysSo) {
  TestNode& alone = start_bucket_node_at("127.0.0.1:1", {});
  Peer& peer = connect(alone, 0);
  EXPECT_EQ("ERR this node has not joined a file yet\n", ask(peer, "GET 1"));
  EXPECT_EQ("ERR this node has not joined a file yet\n", ask(peer, "COUNT"));
  EXPECT_EQ("PONG\n", ask(peer, "PING"));
  EXPECT_EQ("ERR unknown command 'x': try HELP\n", ask(peer, "x"));
}

}  // namespace
}  // namespace lh::node
