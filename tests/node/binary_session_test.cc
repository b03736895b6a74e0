#include "node/binary_session.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/node/binary_session_fixture.h"

namespace lh::node {
namespace {

using core::Code;
using core::Op;
using testing::BinarySessionTest;
using testing::client_hello;
using testing::Cluster;
using testing::frame_of;
using testing::integer_file;
using testing::kCapacity;
using testing::node_hello;
using testing::Peer;
using testing::Received;
using testing::refusal;
using testing::request;
using testing::send_message;
using testing::take_message;
using testing::take_message_of;
using testing::TestNode;
using wire::Routing;

// ---------------------------------------------------------------------------------------- Hello

TEST_F(BinarySessionTest, AClientIsToldWhatItNeeds) {
  Peer& peer = connect(node_, 0);
  send_message(peer, client_hello(7));
  settle();
  const auto received = take_message(peer);
  ASSERT_TRUE(received);
  const auto& welcome = std::get<core::Welcome>(received->message);
  EXPECT_EQ(node_.id(), welcome.node);
  EXPECT_EQ(node_.file(), welcome.options);
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

TEST_F(BinarySessionTest, WhoeverIsOfAnotherFileIsRefused) {
  const uint64_t own = node_.file().id;
  ASSERT_NE(0u, own);
  for (core::Hello hello : {client_hello(7), node_hello(NodeId{9}, "")}) {
    Peer& stranger = connect(node_, 0);
    hello.file = own + 1;
    send_message(stranger, hello);
    Peer& peer = connect(node_, 0);
    hello.file = own;
    send_message(peer, hello);
    settle();
    EXPECT_EQ("this node is of another file", refusal(stranger));
    EXPECT_TRUE(stranger.ended());
    EXPECT_FALSE(peer.ended());
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

TEST_F(BinarySessionTest, ForABucketThatNobodyHasItsAncestorAnswers) {
  Peer& peer = connect_client(7);
  EXPECT_EQ(Code::kNotFound, reply_to(peer, request(1, Op::kRead, 77, "77")).code);
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
