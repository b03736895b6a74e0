#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "node/binary_session.h"
#include "tests/node/binary_session_fixture.h"

namespace lh::node {
namespace {

using core::Code;
using core::Op;
using testing::BinarySessionTest;
using testing::client_hello;
using testing::Peer;
using testing::refusal;
using testing::request;
using testing::send_message;
using testing::take_message_of;
using testing::TestNode;
using wire::Routing;

// ---------------------------------------------------------------------------- who may send what

TEST_F(BinarySessionTest, WhatIsForNodesToSendIsRefusedFromAClient) {
  core::Overflow overflow;
  core::SplitOrder order;
  order.source = {0, 2};
  order.target = 4;
  core::SplitRecords records;
  records.target = {4, 3};
  core::Welcome welcome;
  const std::vector<core::Message> messages = {core::Reply{},
                                               overflow,
                                               core::OverflowAck{},
                                               order,
                                               core::SplitDone{},
                                               records,
                                               core::SplitRecordsAck{},
                                               core::ScanReply{},
                                               core::Register{},
                                               core::Registered{},
                                               core::Heartbeat{},
                                               core::BookUpdate{},
                                               welcome,
                                               core::FileReply{}};
  for (const core::Message& message : messages) {
    Peer& peer = connect_client(7);
    send_message(peer, message);
    send_message(peer, request(1, Op::kRead, 0, "0"));
    settle();
    EXPECT_EQ("only a node may send that", refusal(peer)) << core::to_string(message);
    EXPECT_TRUE(peer.ended());
  }
  EXPECT_EQ(records_, std::stoull(ask(connect(node_, 0), "COUNT")));
}

TEST_F(BinarySessionTest, AClientDoesNotSayWhereItsAnswersGo) {
  Peer& peer = connect_client(7);
  core::Request m = request(1, Op::kRead, 0, "0");
  m.from = {7, node_.id(), 0, "127.0.0.1:1"};
  send_message(peer, m, Routing::kRouted);
  settle();
  EXPECT_EQ("only a node may send that", refusal(peer));
  EXPECT_TRUE(peer.ended());
}

TEST_F(BinarySessionTest, AClientMaySayWhyItLeaves) {
  Peer& peer = connect_client(7);
  send_message(peer, core::Error{"I do not understand you"});
  settle();
  EXPECT_EQ("", refusal(peer));
  EXPECT_EQ(Code::kOk, reply_to(peer, request(1, Op::kRead, 0, "0")).code);
}

TEST_F(BinarySessionTest, OnlyTheCoordinatorRegisters) {
  TestNode& bucket_node = start_bucket_node();
  Peer& peer = connect_node(bucket_node, NodeId{9});
  core::Register m;
  m.incarnation = 5;
  m.address = "127.0.0.1:9";
  send_message(peer, m);
  settle();
  EXPECT_EQ("this node is not the coordinator", refusal(peer));
}

TEST_F(BinarySessionTest, ANodeThatRegistersIsAnsweredOnItsConnection) {
  Peer& peer = connect_node(node_, NodeId::kNone, 1);
  core::Register m;
  m.incarnation = 5;
  m.address = "127.0.0.1:9";
  send_message(peer, m);
  settle();
  const auto received = take_message_of<core::Registered>(peer);
  ASSERT_TRUE(received);
  EXPECT_EQ(NodeId{2}, std::get<core::Registered>(received->message).id);
}

TEST_F(BinarySessionTest, PingsAreAnsweredEvenBeforeHello) {
  Peer& peer = connect(node_, 0);
  send_message(peer, core::Ping{1});
  settle();
  EXPECT_TRUE(take_message_of<core::Pong>(peer));
  send_message(peer, client_hello(7));
  send_message(peer, core::Ping{2});
  settle();
  EXPECT_TRUE(take_message_of<core::Welcome>(peer));
  EXPECT_TRUE(take_message_of<core::Pong>(peer));
}

// ----------------------------------------------------------------------------- strange messages

class BinarySessionNodeTest : public BinarySessionTest {
 protected:
  BinarySessionNodeTest() : peer_(connect_node(node_, NodeId{9})) {}
  // The node takes it, and goes on serving.
  void expect_harmless(const core::Message& message) {
    send_message(peer_, message, Routing::kRouted);
    settle();
    EXPECT_EQ("PONG\n", ask(connect(node_, 0), "PING")) << core::to_string(message);
  }
  Peer& peer_;
};

TEST_F(BinarySessionNodeTest, AQuestionWithoutAWayBackIsNotAnswered) {
  expect_harmless(core::BookQuery{});
  core::Request nobody = request(1, Op::kRead, 0, "0");
  expect_harmless(nobody);
  expect_harmless(core::Scan{});
  expect_harmless(core::FileQuery{});
  expect_harmless(core::FileQuery{{}, 1, core::FileQueryKind::kSettle});
  EXPECT_FALSE(peer_.ended());
}

TEST_F(BinarySessionNodeTest, AnswersToConnectionsThatDoNotExistAreDropped) {
  const LinkToken tokens[] = {{0, 0, 0},  {0, 0, 5}, {0, 1, 0xffffff}, {0, 99'999, 0},
                              {1, 77, 0}, {2, 1, 0}, {255, 1, 0},      {255, 0, 0}};
  for (const LinkToken token : tokens) {
    core::ReplyPath path{7, node_.id(), token.packed(), {}};
    core::Reply reply;
    reply.to = path;
    reply.node = node_.id();
    expect_harmless(reply);
    core::ScanReply piece;
    piece.to = path;
    expect_harmless(piece);
    core::FileReply file;
    file.to = path;
    file.options.capacity = 1;
    expect_harmless(file);
    core::BookUpdate update;
    update.to = path;
    expect_harmless(update);
  }
}

TEST_F(BinarySessionNodeTest, AnAnswerForTextIsNotForAConnectionOfText) {
  Peer& text = connect(node_, 0);
  EXPECT_EQ("PONG\n", ask(text, "PING"));
  for (uint32_t slot = 1; slot < 5; ++slot) {
    core::Reply reply;
    reply.to = {7, node_.id(), LinkToken{0, slot, 0}.packed(), {}};
    expect_harmless(reply);
  }
  EXPECT_EQ("", text.take());
}

TEST_F(BinarySessionNodeTest, NobodyElseGivesANodeItsNumber) {
  core::Registered registered;
  registered.options.capacity = 1;
  expect_harmless(registered);
  registered.id = NodeId{77};
  registered.to.link = LinkToken{1, 0, 0}.packed();
  expect_harmless(registered);
  EXPECT_EQ(NodeId{1}, node_.id());
}

TEST_F(BinarySessionNodeTest, MessagesForBucketsThatDoNotExistAreDropped) {
  core::SplitOrder order;
  order.split = 1;
  order.source = {77, 7};
  order.target = 77 + 128;
  order.target_node = NodeId{1};
  expect_harmless(order);
  core::SplitRecords records;
  records.split = 1;
  records.stream = 1;
  records.batch = 3;
  records.source = 1;
  records.source_node = NodeId{9};
  records.target = {1 + 4, 3};
  expect_harmless(records);
  expect_harmless(core::SplitRecordsAck{1, 1, 1, 99});
  expect_harmless(core::OverflowAck{99, 1});
  expect_harmless(core::ScanMore{7, 1, 99, 0});
  expect_harmless(core::SplitDone{99, 99, true});
  expect_harmless(core::Heartbeat{NodeId{99}, 1, 1, {}});
  expect_harmless(core::Overflow{99, 1, 1, 1});
}

}  // namespace
}  // namespace lh::node
