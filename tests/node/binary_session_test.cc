#include "node/binary_session.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/node/fixture.h"

namespace lh::node {
namespace {

using core::Code;
using core::Op;
using testing::client_hello;
using testing::Cluster;
using testing::integer_file;
using testing::node_hello;
using testing::Peer;
using testing::Received;
using testing::request;
using testing::send_message;
using testing::take_message;
using testing::take_message_of;
using testing::TestNode;
using wire::Routing;

std::string frame_of(const core::Message& message, Routing routing = Routing::kDirect) {
  std::string frame;
  wire::encode(message, routing, &frame);
  return frame;
}

// The text of the Error that the peer got; empty when there was none.
std::string refusal(Peer& peer) {
  const auto received = take_message_of<core::Error>(peer);
  return received ? std::string(std::get<core::Error>(received->message).text) : std::string();
}

constexpr uint64_t kCapacity = 10;

// A coordinator's node with two workers and four buckets: 0 and 2 near, in the connections' worker
// 0, 1 and 3 far, in worker 1.
class BinarySessionTest : public Cluster {
 protected:
  BinarySessionTest() : BinarySessionTest(TestNode::kMailMax) {}
  explicit BinarySessionTest(size_t mail_max)
      : node_(start_coordinator(integer_file(kCapacity), {.workers = 2, .mail_max = mail_max})) {
    grow_to_four_buckets(connect(node_, 0));
    EXPECT_EQ(0u, node_.worker_of(2));
    EXPECT_EQ(1u, node_.worker_of(3));
  }

  // Each record of bucket 0 that is one too many is one split.
  void grow_to_four_buckets(Peer& peer) {
    for (uint64_t k = 0; k < 3; ++k) insert(peer, k + 1);
    for (uint64_t k = 0; node_.live_buckets() < 4; ++k) {
      ASSERT_LT(k, 2 * kCapacity);
      insert(peer, 4 * k);
      ASSERT_EQ("OK\n", ask(peer, "SETTLE"));
    }
    records_ = std::stoull(ask(peer, "COUNT"));
  }
  void insert(Peer& peer, uint64_t key) {
    const std::string k = std::to_string(key);
    ASSERT_EQ("OK\n", ask(peer, "INSERT " + k + " v" + k));
  }

  Peer& connect_client(core::ClientId client, std::string_view listener = {}) {
    return Cluster::connect_client(node_, client, 0, listener);
  }
  core::Reply reply_to(Peer& peer, const core::Request& m) {
    send_message(peer, m);
    std::unique_ptr<Received> received;
    EXPECT_TRUE(within(base::seconds(1),
                       [&] { return (received = take_message_of<core::Reply>(peer)) != nullptr; }));
    if (!received) return {};
    last_ = std::move(received);
    return std::get<core::Reply>(last_->message);
  }
  // The sequence numbers of all replies that the peer has.
  static std::vector<uint64_t> replies(Peer& peer) {
    std::vector<uint64_t> seqs;
    while (const auto received = take_message_of<core::Reply>(peer)) {
      seqs.push_back(std::get<core::Reply>(received->message).seq);
    }
    return seqs;
  }

  TestNode& node_;
  uint64_t records_ = 0;
  std::unique_ptr<Received> last_;
};

// ---------------------------------------------------------------------------------------- Hello

TEST_F(BinarySessionTest, AClientIsToldWhatItNeeds) {
  Peer& peer = connect(node_, 0);
  send_message(peer, client_hello(7));
  settle();
  const auto received = take_message(peer);
  ASSERT_TRUE(received);
  const auto& welcome = std::get<core::Welcome>(received->message);
  EXPECT_EQ(node_.id(), welcome.node);
  EXPECT_EQ(integer_file(kCapacity), welcome.options);
  ASSERT_EQ(1u, welcome.book.at.size());
  EXPECT_EQ(0u, welcome.book.first);
  EXPECT_EQ(node_.id(), welcome.book.at[0]);
  ASSERT_EQ(1u, welcome.book.nodes.size());
  EXPECT_EQ(node_.address(), welcome.book.nodes[0].address);
}

TEST_F(BinarySessionTest, ANodeIsGreetedInSilence) {
  Peer& peer = connect_node(node_, NodeId{9});
  EXPECT_EQ("", peer.received());
  EXPECT_FALSE(peer.ended());
}

TEST_F(BinarySessionTest, TheFirstMessageHasToBeHello) {
  Peer& peer = connect(node_, 0);
  send_message(peer, request(1, Op::kRead, 0, "1"));
  settle();
  EXPECT_EQ("the first message has to be Hello", refusal(peer));
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(0u, node_.worker(0).server().counters().rejected);
}

TEST_F(BinarySessionTest, ThereIsOneHello) {
  Peer& peer = connect_client(7);
  send_message(peer, client_hello(7));
  settle();
  EXPECT_EQ("a second Hello", refusal(peer));
  EXPECT_TRUE(peer.ended());
}

TEST_F(BinarySessionTest, TheVersionHasToBeOurs) {
  for (const uint32_t version : {0u, 2u, ~0u}) {
    Peer& peer = connect(node_, 0);
    core::Hello hello = client_hello(7);
    hello.version = version;
    send_message(peer, hello);
    settle();
    EXPECT_EQ("this node speaks version 1 of the protocol", refusal(peer)) << version;
    EXPECT_TRUE(peer.ended());
  }
}

TEST_F(BinarySessionTest, AClientNeedsANumber) {
  Peer& peer = connect(node_, 0);
  send_message(peer, client_hello(0));
  settle();
  EXPECT_EQ("a client needs a number", refusal(peer));
  EXPECT_TRUE(peer.ended());
}

TEST_F(BinarySessionTest, ANodeThatHasNotJoinedTakesNoClients) {
  TestNode& alone = start_bucket_node_at("127.0.0.1:1", {});
  Peer& peer = connect(alone, 0);
  send_message(peer, client_hello(7));
  settle();
  EXPECT_EQ("this node has not joined a file yet", refusal(peer));
  EXPECT_TRUE(peer.ended());
}

TEST_F(BinarySessionTest, WhatAnotherNodeSaysBeforeThisOneHasJoinedWaits) {
  TestNode& newcomer = start_bucket_node_at(node_.address(), {.workers = 2});
  Peer& early = connect(newcomer, 1);
  send_message(early, node_hello(node_.id()));
  core::BookUpdate update;
  update.book.nodes.push_back({NodeId{9}, true, "127.0.0.1:9"});
  send_message(early, update, Routing::kRouted);
  ASSERT_TRUE(within(base::seconds(1), [&] { return newcomer.joined(); }));
  pass(base::ms(100));
  for (size_t k = 0; k < 2; ++k) {
    EXPECT_NE(nullptr, newcomer.worker(k).server().book().node(NodeId{9})) << "worker " << k;
  }
}

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

// ------------------------------------------------------------------------------------- requests

TEST_F(BinarySessionTest, RequestsAreExecutedWhereverTheirBucketIs) {
  Peer& peer = connect_client(7);
  for (BucketNo a = 0; a < 4; ++a) {
    const std::string key = std::to_string(a);
    const core::Reply reply = reply_to(peer, request(a + 1, Op::kRead, a, key));
    EXPECT_EQ(Code::kOk, reply.code);
    EXPECT_EQ("v" + key, reply.value);
    EXPECT_EQ(a, reply.bucket.a);
    EXPECT_EQ(0, reply.hops);
    EXPECT_EQ(node_.id(), reply.node);
  }
}

TEST_F(BinarySessionTest, ARequestForAnotherBucketIsForwarded) {
  Peer& peer = connect_client(7);
  const core::Reply reply = reply_to(peer, request(1, Op::kRead, 0, "3"));
  EXPECT_EQ(Code::kOk, reply.code);
  EXPECT_EQ("v3", reply.value);
  EXPECT_EQ(3u, reply.bucket.a);
  EXPECT_GE(reply.hops, 1);
  EXPECT_FALSE(reply.book.at.empty()) << "the client learns where it is";
}

TEST_F(BinarySessionTest, ABucketThatNobodyHasIsAnsweredToo) {
  Peer& peer = connect_client(7);
  EXPECT_EQ(Code::kNoBucket, reply_to(peer, request(1, Op::kRead, 77, "77")).code);
}

TEST_F(BinarySessionTest, ARepeatedRequestIsExecutedOnce) {
  Peer& peer = connect_client(7);
  const core::Request insert = request(1, Op::kInsert, 1, "100001", "x");
  EXPECT_EQ(Code::kOk, reply_to(peer, insert).code);
  EXPECT_EQ(Code::kOk, reply_to(peer, insert).code);
  EXPECT_EQ(Code::kExists, reply_to(peer, request(2, Op::kInsert, 1, "100001", "x")).code);
}

TEST_F(BinarySessionTest, QuestionsAboutTheFileAreAnswered) {
  Peer& peer = connect_client(7);
  core::FileQuery query;
  query.query = 3;
  send_message(peer, query);
  core::BookQuery book;
  send_message(peer, book);
  settle();
  const auto file = take_message_of<core::FileReply>(peer);
  ASSERT_TRUE(file);
  EXPECT_EQ(3u, std::get<core::FileReply>(file->message).query);
  EXPECT_EQ((FileState{2, 0}), std::get<core::FileReply>(file->message).state);
  const auto update = take_message_of<core::BookUpdate>(peer);
  ASSERT_TRUE(update);
  EXPECT_EQ(4u, std::get<core::BookUpdate>(update->message).book.at.size());
}

TEST_F(BinarySessionTest, AScanIsAnsweredByEveryBucket) {
  Peer& peer = connect_client(7);
  core::Scan scan;
  scan.scan = 5;
  send_message(peer, scan);
  settle();
  std::set<BucketNo> buckets;
  uint64_t records = 0;
  while (const auto received = take_message_of<core::ScanReply>(peer)) {
    const auto& piece = std::get<core::ScanReply>(received->message);
    EXPECT_EQ(5u, piece.scan);
    EXPECT_FALSE(piece.more);
    buckets.insert(piece.bucket.a);
    records += piece.records;
  }
  EXPECT_EQ(4u, buckets.size());
  EXPECT_EQ(records_, records);
}

TEST_F(BinarySessionTest, ALongScanGoesOnWhenItIsAskedTo) {
  Peer& peer = connect_client(7);
  for (uint64_t k = 0; k < 9; ++k) {
    const std::string key = std::to_string(4'000 + 4 * k + 1);
    ASSERT_EQ(Code::kOk,
              reply_to(peer, request(k + 1, Op::kPut, 1, key, std::string(40'000, 'w'))).code);
  }
  core::Scan scan;
  scan.scan = 5;
  scan.to = 1;
  scan.level = 2;
  scan.solo = true;
  scan.from = interval_of({1, 2}).first;
  scan.last = interval_of({1, 2}).last;
  scan.match = core::ScanMatch::kValueContains;
  scan.pattern = "w";
  send_message(peer, scan);
  uint64_t records = 0;
  for (bool more = true; more;) {
    settle();
    std::unique_ptr<Received> received;
    while (auto next = take_message_of<core::ScanReply>(peer)) {
      EXPECT_TRUE(!received || std::get<core::ScanReply>(received->message).partial)
          << "it waits to be asked";
      received = std::move(next);
    }
    ASSERT_TRUE(received);
    const auto& piece = std::get<core::ScanReply>(received->message);
    ASSERT_FALSE(piece.partial);
    records += piece.records;
    more = piece.more;
    if (more) send_message(peer, core::ScanMore{123, 5, 1, piece.last});
  }
  EXPECT_EQ(9u, records) << "whatever number the client claimed to have";
}

TEST_F(BinarySessionTest, WhoeverIsGoneGetsNothingAndNobodyElseGetsIt) {
  Peer& peer = connect_client(7);
  node_.freeze(1);
  send_message(peer, request(1, Op::kRead, 1, "1"));
  settle();
  peer.hang_up();
  settle();
  Peer& next = connect_client(8);  // in the same place
  node_.thaw();
  settle();
  EXPECT_EQ("", next.received());
}

// --------------------------------------------------------------------------------------- bounds

TEST_F(BinarySessionTest, AFrameThatIsCutAnywhereAndThenSilenceIsRefused) {
  const std::string frame = frame_of(request(1, Op::kPut, 0, "4", "four"));
  std::vector<Peer*> peers;
  for (size_t cut = 1; cut < frame.size(); ++cut) {
    peers.push_back(&connect_client(cut));
    peers.back()->send(frame.substr(0, cut));
  }
  pass(base::seconds(10));
  for (Peer* peer : peers) EXPECT_FALSE(peer->ended());
  pass(base::ms(100));
  for (size_t k = 0; k < peers.size(); ++k) {
    EXPECT_EQ("a frame was begun and not finished", refusal(*peers[k])) << "cut at " << k + 1;
    EXPECT_TRUE(peers[k]->ended());
  }
  EXPECT_EQ(0u, node_.shared().clients.load() - 1) << "but for the one that filled the file";
}

TEST_F(BinarySessionTest, AClientThatDoesNotReadIsNotServedUntilItDoes) {
  Peer& peer = connect_client(7);
  ASSERT_EQ(Code::kOk, reply_to(peer, request(1, Op::kPut, 0, "4", std::string(60'000, 'v'))).code);
  const uint64_t before = node_.worker(0).server().counters().requests;
  peer.stop_reading();
  constexpr uint64_t kRequests = 100;
  for (uint64_t seq = 2; seq < 2 + kRequests; ++seq) {
    send_message(peer, request(seq, Op::kRead, 0, "4"));
  }
  settle();
  EXPECT_LT(node_.worker(0).server().counters().requests - before, kRequests / 2);
  peer.go_on_reading();
  settle();
  EXPECT_EQ(kRequests, replies(peer).size());
}

class BinarySessionMailTest : public BinarySessionTest {
 protected:
  static constexpr size_t kMailMax = 16 << 10;
  static constexpr uint64_t kRequests = 500;
  BinarySessionMailTest() : BinarySessionTest(kMailMax) {}

  // Half a megabyte and more of requests, more than the mailbox of the far worker takes.
  void send_many(Peer& peer, BucketNo to) {
    const std::string value(1'000, 'v');
    for (uint64_t seq = 1; seq <= kRequests; ++seq) {
      const std::string key = std::to_string(4 * (1'000 + seq) + 3);
      send_message(peer, request(seq, Op::kPut, to, key, value));
    }
  }
  uint64_t mailed() { return node_.pool().mailbox(0).stats().bytes_out; }
};

TEST_F(BinarySessionMailTest, AFullMailboxStopsTheConnectionThatFillsIt) {
  Peer& peer = connect_client(7);
  node_.freeze(1);
  const uint64_t before = mailed();
  send_many(peer, 3);
  settle();
  EXPECT_LT(mailed() - before, 2 * kMailMax);
  EXPECT_EQ("PONG\n", ask(connect(node_, 0), "PING")) << "others go on";
  pass(base::seconds(12));
  EXPECT_FALSE(peer.ended()) << "it is not the client that is slow";
  node_.thaw();
  ASSERT_TRUE(within(base::seconds(2), [&] { return peer.received().size() > 0; }));
  settle();
  const std::vector<uint64_t> seqs = replies(peer);
  EXPECT_EQ(kRequests, seqs.size());
  EXPECT_EQ(kRequests, std::set<uint64_t>(seqs.begin(), seqs.end()).size());
}

TEST_F(BinarySessionMailTest, SoDoesOneThatFillsItByForwards) {
  Peer& peer = connect_client(7);
  node_.freeze(1);
  const uint64_t before = mailed();
  send_many(peer, 0);
  settle();
  EXPECT_LT(mailed() - before, 2 * kMailMax);
  node_.thaw();
  ASSERT_TRUE(within(base::seconds(2), [&] { return peer.received().size() > 0; }));
  settle();
  EXPECT_EQ(kRequests, replies(peer).size());
}

TEST_F(BinarySessionMailTest, SeveralConnectionsThatWaitAllGoOn) {
  std::vector<Peer*> peers;
  for (core::ClientId client = 1; client <= 5; ++client) peers.push_back(&connect_client(client));
  node_.freeze(1);
  for (Peer* peer : peers) send_many(*peer, 3);
  settle();
  peers[2]->hang_up();
  settle();
  node_.thaw();
  settle();
  pass(base::ms(100));
  for (Peer* peer : peers) {
    EXPECT_EQ(peer == peers[2] ? 0 : kRequests, replies(*peer).size());
  }
}

class BinarySessionIdleTest : public Cluster {};

TEST_F(BinarySessionIdleTest, AnIdleClientIsClosedANodeIsNot) {
  TestNode& node = start_coordinator(integer_file(kCapacity), {.idle_timeout = base::seconds(3)});
  Peer& client = connect_client(node, 7);
  Peer& other = connect_node(node, NodeId{9});
  pass(base::seconds(2));
  send_message(client, core::Ping{1});
  pass(base::ms(2'900));
  EXPECT_FALSE(client.ended());
  pass(base::ms(300));
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(other.ended());
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

// ------------------------------------------------------------------------------------- draining

TEST_F(BinarySessionTest, DrainingAnswersWhatWasTakenThenCloses) {
  Peer& peer = connect_client(7);
  Peer& quiet = connect_client(8);
  node_.freeze(1);
  send_message(peer, request(1, Op::kRead, 1, "1"));
  send_message(peer, request(2, Op::kRead, 0, "0"));
  settle();
  node_.worker(0).drain();
  send_message(peer, request(3, Op::kRead, 0, "0"));
  settle();
  EXPECT_TRUE(quiet.ended());
  EXPECT_FALSE(peer.ended());
  node_.thaw();
  settle();
  EXPECT_EQ((std::vector<uint64_t>{2, 1}), replies(peer)) << "and nothing that came later";
  EXPECT_TRUE(peer.ended());
}

TEST_F(BinarySessionTest, DrainingDoesNotWaitForAnswersThatGoAnotherWay) {
  Peer& peer = connect_client(7);
  send_message(peer, request(1, Op::kPut, 0, "4", "x"));
  core::Request late = request(1, Op::kPut, 0, "4", "x");
  late.acked = 2;
  settle();
  send_message(peer, request(2, Op::kPut, 0, "4", "y"));
  send_message(peer, late);  // a duplicate that has had its answer gets none
  settle();
  EXPECT_EQ(2u, replies(peer).size());
  node_.worker(0).drain();
  settle();
  pass(base::ms(500));
  EXPECT_TRUE(peer.ended());
}

}  // namespace
}  // namespace lh::node
