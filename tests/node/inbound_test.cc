#include "node/inbound.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/node/fixture.h"

namespace lh::node {
namespace {

using testing::client_hello;
using testing::Cluster;
using testing::integer_file;
using testing::Peer;
using testing::take_message;
using testing::TestNode;

// What a peer says first, and what comes of it.
class InboundTest : public Cluster {
 protected:
  InboundTest() : node_(start_coordinator(integer_file(100))) {}

  // Everything that comes back, until the other side has nothing more to say.
  std::string answer_to(std::string_view bytes) {
    peer_ = &connect(node_);
    peer_->send(bytes);
    settle();
    return peer_->take();
  }
  static std::string hello_frame() {
    std::string frame;
    wire::encode(client_hello(7), wire::Routing::kDirect, &frame);
    return frame;
  }

  TestNode& node_;
  Peer* peer_ = nullptr;
};

TEST_F(InboundTest, AZeroByteIsTheBinaryProtocol) {
  Peer& peer = connect(node_);
  peer.send(hello_frame());
  settle();
  const auto welcome = take_message(peer);
  ASSERT_TRUE(welcome);
  EXPECT_TRUE(std::holds_alternative<core::Welcome>(welcome->message));
}

TEST_F(InboundTest, AnythingElseIsText) {
  EXPECT_EQ("PONG\n", answer_to("PING\n"));
  EXPECT_EQ("PONG\n", answer_to("ping\r\n"));
  EXPECT_EQ(0u, answer_to("\xff\xfe\n").find("ERR unknown command"));
  EXPECT_FALSE(peer_->ended());
}

TEST_F(InboundTest, WhatCameTogetherIsAnsweredTogether) {
  EXPECT_EQ("PONG\nOK\n1\n", answer_to("PING\nINSERT 1 one\nCOUNT\n"));
  Peer& peer = connect(node_);
  std::string ping;
  wire::encode(core::Ping{5}, wire::Routing::kDirect, &ping);
  peer.send(hello_frame() + ping);
  settle();
  ASSERT_TRUE(testing::take_message_of<core::Welcome>(peer));
  EXPECT_TRUE(testing::take_message_of<core::Pong>(peer));
}

TEST_F(InboundTest, BytesMayComeOneByOne) {
  Peer& text = connect(node_);
  for (const char c : std::string("\r\n \n  INSERT 1 one\nREAD 1\n")) {
    text.send({&c, 1});
    settle();
  }
  EXPECT_EQ("OK\none\n", text.take());
  Peer& binary = connect(node_);
  for (const char c : hello_frame()) {
    EXPECT_EQ("", binary.received());
    binary.send({&c, 1});
    settle();
  }
  EXPECT_TRUE(testing::take_message_of<core::Welcome>(binary));
}

TEST_F(InboundTest, BlankLinesDecideNothing) {
  EXPECT_EQ("PONG\n", answer_to("\n \r\n\t\nPING\n"));
  Peer& binary = connect(node_);
  binary.send("\n\r\n" + hello_frame());
  settle();
  EXPECT_TRUE(testing::take_message_of<core::Welcome>(binary));
}

TEST_F(InboundTest, AnArrayIsResp) {
  EXPECT_EQ("+PONG\r\n", answer_to("*1\r\n$4\r\nPING\r\n"));
  EXPECT_EQ("+PONG\r\n", answer_to("\r\n*1\r\n$4\r\nPING\r\n"));
  EXPECT_FALSE(peer_->ended());
}

TEST_F(InboundTest, AProtocolThatIsNotServedIsToldInItsOwnWords) {
  EXPECT_EQ(0u, answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\n").find("HTTP/1.1 501 "));
  EXPECT_TRUE(peer_->ended());
  EXPECT_EQ("", answer_to("\x16\x03\x01\x02\x03"));
  EXPECT_TRUE(peer_->ended());
  EXPECT_EQ(0u, node_.shared().clients.load());
}

TEST_F(InboundTest, APeerThatLeavesBeforeItDecidedIsForgotten) {
  Peer& silent = connect(node_);
  Peer& undecided = connect(node_);
  undecided.send("PI");
  settle();
  EXPECT_EQ(2u, node_.shared().clients.load());
  silent.hang_up();
  undecided.half_close();
  settle();
  EXPECT_TRUE(undecided.ended());
  EXPECT_EQ("ERR a line was begun and not finished\n", undecided.take());
  EXPECT_EQ(1u, node_.shared().unfinished.load());
  EXPECT_EQ(0u, node_.shared().clients.load());
}

TEST_F(InboundTest, ALineAndTheEndIsAnswered) {
  Peer& peer = connect(node_);
  peer.send("PING\n");
  peer.half_close();
  settle();
  EXPECT_EQ("PONG\n", peer.take());
  EXPECT_TRUE(peer.ended());
}

TEST_F(InboundTest, HalfABeginningAndThenSilenceIsClosed) {
  Peer& peer = connect(node_);
  peer.send("PI");
  pass(base::seconds(10));
  EXPECT_FALSE(peer.ended());
  pass(base::ms(100));
  EXPECT_EQ("ERR a line was begun and not finished\n", peer.take());
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(1u, node_.shared().unfinished.load());
  EXPECT_EQ(0u, node_.shared().clients.load());
}

TEST_F(InboundTest, WhoeverSaysNothingMayStay) {
  Peer& peer = connect(node_);
  pass(base::seconds(30));
  EXPECT_EQ("PONG\n", ask(peer, "PING"));
}

TEST_F(InboundTest, ALongFirstLineIsText) {
  const std::string first(70'000, 'x');
  EXPECT_EQ("ERR line too long\n", answer_to(first));
  EXPECT_TRUE(peer_->ended());
}

TEST_F(InboundTest, DrainingClosesWhoeverHasNotAskedYet) {
  Peer& silent = connect(node_);
  Peer& undecided = connect(node_);
  undecided.send("PI");
  settle();
  node_.worker(0).drain();
  settle();
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(undecided.ended());
  EXPECT_EQ(0u, node_.shared().clients.load());
}

TEST_F(InboundTest, DrainingTakesNobodyNew) {
  node_.worker(0).drain();
  Peer& peer = connect(node_);
  settle();
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(0u, node_.shared().clients.load());
}

// A node for two clients, which are there.
class InboundCrowdTest : public Cluster {
 protected:
  InboundCrowdTest() : node_(start_coordinator(integer_file(100), {.clients_max = 2})) {
    for (Peer*& peer : clients_) {
      peer = &connect(node_);
      EXPECT_EQ("PONG\n", ask(*peer, "PING"));
    }
  }
  std::string answer_to(std::string_view bytes) {
    Peer& peer = connect(node_);
    peer.send(bytes);
    settle();
    EXPECT_TRUE(peer.ended());
    return peer.take();
  }

  TestNode& node_;
  Peer* clients_[2] = {};
};

TEST_F(InboundCrowdTest, AClientTooManyIsToldInItsOwnWords) {
  EXPECT_EQ("ERR max number of clients reached\n", answer_to("PING\n"));
  EXPECT_EQ("-ERR max number of clients reached\r\n", answer_to("*1\r\n$4\r\nPING\r\n"));
  std::string hello;
  wire::encode(client_hello(7), wire::Routing::kDirect, &hello);
  EXPECT_NE(std::string::npos, answer_to(hello).find("max number of clients reached"));
  EXPECT_EQ(3u, node_.shared().rejected.load());
  EXPECT_EQ("PONG\n", ask(*clients_[0], "PING")) << "those that were here stay";
  clients_[0]->hang_up();
  settle();
  EXPECT_EQ("PONG\n", ask(connect(node_), "PING")) << "one has gone, one may come";
}

TEST_F(InboundCrowdTest, OneThatEndsWithoutAWordIsToldToo) {
  Peer& peer = connect(node_);
  peer.half_close();
  settle();
  EXPECT_EQ("ERR max number of clients reached\n", peer.take());
  EXPECT_TRUE(peer.ended());
}

TEST_F(InboundCrowdTest, NodesAlwaysGetIn) {
  TestNode& other = start_bucket_node();
  EXPECT_TRUE(other.joined());
  EXPECT_EQ("OK\n", ask(*clients_[0], "PUT 1 one"));
  EXPECT_EQ("one\n", ask(connect(other), "GET 1"));
}

TEST_F(InboundCrowdTest, SilentOnesDoNotKeepNodesOut) {
  std::vector<Peer*> silent;
  for (size_t k = 0; k < 3 * SessionTable::kLateMax; ++k) silent.push_back(&connect(node_));
  settle();
  EXPECT_LE(node_.shared().clients.load(), 2 + SessionTable::kLateMax);
  EXPECT_EQ("ERR max number of clients reached\n", silent[0]->take());
  EXPECT_FALSE(silent.back()->ended());
  Peer& node = connect_node(node_, NodeId{7});
  EXPECT_FALSE(node.ended());
  // Neither do those that say half of what a node would.
  silent.back()->send(std::string(1, '\0'));
  pass(SessionTable::kLateTimeMax + base::ms(100));
  for (Peer* peer : silent) EXPECT_TRUE(peer->ended());
  EXPECT_FALSE(node.ended());
  EXPECT_EQ(3u, node_.shared().clients.load());
}

TEST_F(InboundCrowdTest, ALateOneMayStayWhenOthersHaveGone) {
  Peer& late = connect(node_);
  settle();
  clients_[0]->hang_up();
  pass(SessionTable::kLateTimeMax * 2);
  EXPECT_EQ("PONG\n", ask(late, "PING"));
}

class InboundIdleTest : public Cluster {};

TEST_F(InboundIdleTest, WhoeverSaysNothingIsClosedWhenThereIsATimeout) {
  Start start;
  start.idle_timeout = base::seconds(3);
  TestNode& node = start_coordinator(integer_file(100), start);
  Peer& peer = connect(node);
  pass(base::seconds(3));
  EXPECT_FALSE(peer.ended());
  pass(base::ms(100));
  EXPECT_TRUE(peer.ended());
}

}  // namespace
}  // namespace lh::node
