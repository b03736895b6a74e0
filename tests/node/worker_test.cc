#include "node/worker.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/node/fixture.h"

namespace lh::node {
namespace {

using core::Code;
using core::Op;
using testing::Cluster;
using testing::integer_file;
using testing::Peer;
using testing::Received;
using testing::request;
using testing::send_message;
using testing::take_message;
using testing::take_message_of;
using testing::TestNode;
using wire::Routing;

constexpr base::Duration kSecond = base::seconds(1);

// A port of which the test is the owner: a client's listener, or a node of its own.
class Port {
 public:
  Port() {
    Result<net::Socket> socket = net::Socket::listen(net::SocketAddress::ipv4_loopback(0));
    EXPECT_TRUE(socket.ok());
    socket_ = std::move(socket).value();
    address_ = socket_.local_address().to_string();
  }
  const std::string& address() const { return address_; }
  void close() { socket_.close(); }
  // The next connection; not valid when there is none.
  net::Socket accept() {
    net::Socket socket;
    net::SocketAddress from;
    if (socket_.valid()) socket_.accept(&socket, &from);
    return socket;
  }

 private:
  net::Socket socket_;
  std::string address_;
};

std::string number(uint64_t n) { return std::to_string(n); }

class WorkerTest : public Cluster {
 protected:
  // The peer behind the next connection to this port.
  Peer* accept(Port& port) {
    net::Socket socket;
    EXPECT_TRUE(within(kSecond, [&] { return (socket = port.accept()).valid(); }));
    return socket.valid() ? &add_peer(std::move(socket)) : nullptr;
  }
  template <typename M>
  std::unique_ptr<Received> await(Peer& peer, base::Duration limit = kSecond) {
    std::unique_ptr<Received> received;
    EXPECT_TRUE(within(limit, [&] { return (received = take_message_of<M>(peer)) != nullptr; }));
    return received;
  }
  // How long the answer to this line takes.
  base::Duration time_for(Peer& peer, const std::string& line, const std::string& answer) {
    settle();
    const base::Instant start = now();
    EXPECT_EQ(answer, ask(peer, line)) << line;
    return now() - start;
  }
};

// -------------------------------------------------------------------------------------- joining

TEST_F(WorkerTest, ACoordinatorServesAtOnce) {
  TestNode& node = start_coordinator(integer_file(10), {.workers = 3});
  EXPECT_TRUE(node.joined());
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_TRUE(node.worker(k).joined());
    Peer& peer = connect(node, k);
    EXPECT_EQ("OK\n", ask(peer, "INSERT " + number(k) + " v"));
  }
  EXPECT_EQ(0u, node.worker_of(0));
  EXPECT_EQ("3\n", ask(connect(node, 1), "COUNT"));
}

TEST_F(WorkerTest, ABucketNodeServesWhenAllItsWorkersHaveJoined) {
  start_coordinator(integer_file(10));
  TestNode& node = start_bucket_node_at(Cluster::node(0).address(), {.workers = 3});
  EXPECT_FALSE(node.joined());
  node.freeze(2);
  pass(base::ms(500));
  EXPECT_FALSE(node.joined());
  EXPECT_TRUE(node.worker(0).joined());
  node.thaw();
  settle();
  EXPECT_TRUE(node.joined());
  EXPECT_EQ(NodeId{2}, node.id());
  for (size_t k = 0; k < 3; ++k) EXPECT_EQ("0\n", ask(connect(node, k), "COUNT"));
}

TEST_F(WorkerTest, ANodeWithoutItsCoordinatorSaysSoUntilItComes) {
  Port port;
  TestNode& node = start_bucket_node_at(port.address(), {});
  Peer* coordinator = accept(port);
  const int before = node.unreachable_calls();
  coordinator->hang_up();
  port.close();
  pass(kSecond);
  EXPECT_GT(node.unreachable_calls(), before + 5);
  EXPECT_FALSE(node.joined());
}

class WorkerRegistrationTest : public WorkerTest {
 protected:
  WorkerRegistrationTest() : node_(start_bucket_node_at(port_.address(), {.workers = 2})) {
    coordinator_ = accept(port_);
    EXPECT_TRUE(await<core::Hello>(*coordinator_));
  }
  core::Registered registered() {
    core::Registered m;
    m.id = NodeId{2};
    m.options = integer_file(10);
    m.book = {0, {NodeId{1}}, {{NodeId{1}, true, port_.address()}}};
    return m;
  }

  Port port_;
  TestNode& node_;
  Peer* coordinator_ = nullptr;
};

TEST_F(WorkerRegistrationTest, ANodeRegistersAndThenBeats) {
  const auto received = await<core::Register>(*coordinator_);
  ASSERT_TRUE(received);
  const auto& m = std::get<core::Register>(received->message);
  EXPECT_EQ(NodeId::kNone, m.id);
  EXPECT_EQ(node_.shared().incarnation, m.incarnation);
  EXPECT_EQ(node_.address(), m.address);
  send_message(*coordinator_, registered());
  const auto beat = await<core::Heartbeat>(*coordinator_);
  ASSERT_TRUE(beat);
  EXPECT_EQ(NodeId{2}, std::get<core::Heartbeat>(beat->message).id);
  EXPECT_TRUE(node_.joined());
}

TEST_F(WorkerRegistrationTest, ItRegistersAgainUnderItsNumber) {
  send_message(*coordinator_, registered());
  ASSERT_TRUE(await<core::Heartbeat>(*coordinator_));
  coordinator_->hang_up();
  Peer* again = accept(port_);
  const auto received = await<core::Register>(*again);
  ASSERT_TRUE(received);
  EXPECT_EQ(NodeId{2}, std::get<core::Register>(received->message).id);
  send_message(*again, registered());
  ASSERT_TRUE(await<core::Heartbeat>(*again));
}

TEST_F(WorkerRegistrationTest, ACoordinatorThatDoesNotSayWhereTheFileIsIsNotJoined) {
  core::Registered m = registered();
  m.book = {};
  send_message(*coordinator_, m);
  m.book = {0, {NodeId::kNone}, {}};
  send_message(*coordinator_, m);
  m.book = {1, {NodeId{1}}, {}};
  send_message(*coordinator_, m);
  m = registered();
  m.id = NodeId::kNone;
  send_message(*coordinator_, m);
  pass(base::ms(200));
  EXPECT_FALSE(node_.joined());
  send_message(*coordinator_, registered());
  settle();
  EXPECT_TRUE(node_.joined());
}

TEST_F(WorkerRegistrationTest, TheNumberOfANodeDoesNotChange) {
  send_message(*coordinator_, registered());
  settle();
  core::Registered m = registered();
  m.id = NodeId{5};
  send_message(*coordinator_, m);
  settle();
  EXPECT_EQ(NodeId{2}, node_.id());
}

TEST_F(WorkerRegistrationTest, ACoordinatorThatHangsIsTriedAgain) {
  ASSERT_TRUE(await<core::Register>(*coordinator_));
  // It takes connections and says nothing.
  Peer* second = accept(port_);
  if (second == nullptr) {
    pass(kSecond);
    second = accept(port_);
  }
  ASSERT_NE(nullptr, second);
  EXPECT_TRUE(coordinator_->ended());
  ASSERT_TRUE(await<core::Ping>(*second));
  send_message(*second, core::Pong{});
  ASSERT_TRUE(await<core::Register>(*second)) << "now that it was heard";
  send_message(*second, registered());
  settle();
  EXPECT_TRUE(node_.joined());
}

class WorkerLinkFloodTest : public WorkerRegistrationTest {};

TEST_F(WorkerLinkFloodTest, WhatComesAlongALinkIsTakenWhateverTheMailboxesHold) {
  Port port;
  TestNode& node = start_bucket_node_at(port.address(), {.workers = 2, .mail_max = 4'096});
  Peer* coordinator = accept(port);
  core::Registered m = registered();
  m.book.nodes[0].address = port.address();
  send_message(*coordinator, m);
  settle();
  ASSERT_TRUE(node.joined());
  ASSERT_EQ(0u, node.shared().owners.claim(10));
  ASSERT_EQ(1u, node.shared().owners.claim(11));
  coordinator->take();
  node.freeze(1);
  constexpr uint64_t kRequests = 300;
  for (uint64_t seq = 1; seq <= kRequests; ++seq) {
    core::Request r = request(seq, Op::kRead, 11, "11");
    r.hops = core::kForwardsMax;
    r.from = {7, NodeId{1}, 5, {}};
    send_message(*coordinator, r, Routing::kRouted);
  }
  settle();
  node.thaw();
  // Worker 1 has no such bucket. It answers along a link of its own, to the entry node.
  Peer* answers = accept(port);
  ASSERT_NE(nullptr, answers);
  settle();
  uint64_t replies = 0;
  while (take_message_of<core::Reply>(*answers)) ++replies;
  EXPECT_EQ(kRequests, replies);
}

// ------------------------------------------------------------------------------- several nodes

// The coordinator's node A with bucket 0, and nodes B and C, which have more and more of the rest.
class WorkerClusterTest : public WorkerTest {
 protected:
  static constexpr uint64_t kRecords = 60;

  WorkerClusterTest()
      : a_(start_coordinator(integer_file(10), {.workers = 2})),
        b_(start_bucket_node({.workers = 2})),
        c_(start_bucket_node()) {
    fill(connect(a_, 0), kRecords);
    EXPECT_GT(b_.live_buckets(), 0u);
    EXPECT_GT(c_.live_buckets(), 0u);
    pass(base::ms(500));  // everyone has heard where everything is
  }

  TestNode& node_of(uint64_t key) {
    for (TestNode* node : {&a_, &b_, &c_}) {
      for (size_t k = 0; k < node->size(); ++k) {
        for (const auto& [a, bucket] : node->worker(k).server().buckets()) {
          if (!forward_address(bucket->mark(), key)) return *node;
        }
      }
    }
    ADD_FAILURE() << "nobody has key " << key;
    return a_;
  }
  // The smallest key that is at this node.
  uint64_t key_at(TestNode& node) {
    uint64_t key = 0;
    while (&node_of(key) != &node) ++key;
    return key;
  }
  BucketNo bucket_of(uint64_t key) {
    const std::string located = ask(connect(a_, 0), "LOCATE " + number(key));
    const size_t at = located.find("bucket=") + 7;
    return std::stoull(located.substr(at, located.find(' ', at) - at));
  }
  std::string down(uint64_t key) { return "ERR bucket " + number(bucket_of(key)) + " is down\n"; }

  TestNode& a_;
  TestNode& b_;
  TestNode& c_;
};

TEST_F(WorkerClusterTest, EveryNodeAnswersEveryKey) {
  for (TestNode* node : {&a_, &b_, &c_}) {
    for (size_t k = 0; k < node->size(); ++k) {
      Peer& peer = connect(*node, k);
      for (uint64_t key = 0; key < kRecords; ++key) {
        ASSERT_EQ("v" + number(key) + "\n", ask(peer, "GET " + number(key)));
      }
      EXPECT_EQ(number(kRecords) + "\n", ask(peer, "COUNT"));
      EXPECT_NE(std::string::npos, ask_listing(peer, "NODES").find("END 3 nodes\n"));
    }
  }
}

TEST_F(WorkerClusterTest, WhatOneConnectionWasToldAnotherOneSees) {
  Peer& here = connect(b_, 1);
  Peer& there = connect(c_, 0);
  for (uint64_t key = 1'000; key < 1'040; ++key) {
    ASSERT_EQ("OK\n", ask(here, "PUT " + number(key) + " x"));
    ASSERT_EQ("x\n", ask(there, "GET " + number(key)));
    ASSERT_EQ("OK\n", ask(there, "DELETE " + number(key)));
    ASSERT_EQ("NOT FOUND\n", ask(here, "GET " + number(key)));
  }
}

TEST_F(WorkerClusterTest, AFileGrowsAndIsListedWithoutTheHelpOfTheClock) {
  // Whatever is repeated by time is there for what is lost; nothing is lost here.
  Peer& peer = connect(b_, 0);
  std::string lines;
  for (uint64_t key = kRecords; key < 400; ++key) {
    lines += "INSERT " + number(key) + " v" + number(key) + "\n";
  }
  peer.send(lines + "SETTLE\nSCAN v\n");
  settle();
  ASSERT_TRUE(until([&] { return peer.received().find("END ") != std::string::npos; }));
  for (uint64_t key = kRecords; key <= 400; ++key) ASSERT_EQ("OK\n", peer.take_line());
  for (uint64_t key = 0; key < 400; ++key) {
    ASSERT_EQ(number(key) + " v" + number(key) + "\n", peer.take_line());
  }
  EXPECT_EQ(0u, peer.take_line().find("END 400 records from "));
  EXPECT_EQ("", peer.take());
}

TEST_F(WorkerClusterTest, AForwardedAnswerGoesStraightToTheClientsPort) {
  Port port;
  Peer& peer = connect_client(a_, 7, 0, port.address());
  const uint64_t key = key_at(b_);
  send_message(peer, request(1, Op::kRead, 0, number(key)));
  Peer* node = accept(port);
  ASSERT_NE(nullptr, node);
  const auto hello = await<core::Hello>(*node);
  ASSERT_TRUE(hello);
  EXPECT_EQ(core::PeerKind::kNode, std::get<core::Hello>(hello->message).kind);
  const auto received = await<core::Reply>(*node);
  ASSERT_TRUE(received);
  const auto& reply = std::get<core::Reply>(received->message);
  EXPECT_EQ(7u, reply.to.client) << "the client checks that it is for itself";
  EXPECT_EQ("v" + number(key), reply.value);
  EXPECT_GE(reply.hops, 1);
  EXPECT_FALSE(take_message_of<core::Reply>(peer)) << "and not the other way as well";
}

TEST_F(WorkerClusterTest, OrThroughTheEntryNodeWhenThatPortCannotBeReached) {
  Port port;
  port.close();
  Peer& peer = connect_client(a_, 7, 0, port.address());
  const uint64_t key = key_at(b_);
  for (uint64_t seq = 1; seq <= 5; ++seq) {
    send_message(peer, request(seq, Op::kRead, 0, number(key)));
    const auto received = await<core::Reply>(peer);
    ASSERT_TRUE(received) << "request " << seq;
    EXPECT_EQ("v" + number(key), std::get<core::Reply>(received->message).value);
    pass(base::ms(30));
  }
}

TEST_F(WorkerClusterTest, AClientWithoutAPortGetsItsAnswersThroughTheEntryNode) {
  Peer& peer = connect_client(a_, 7);
  for (TestNode* node : {&b_, &c_}) {
    const uint64_t key = key_at(*node);
    send_message(peer, request(key + 1, Op::kRead, 0, number(key)));
    const auto received = await<core::Reply>(peer);
    ASSERT_TRUE(received);
    EXPECT_EQ("v" + number(key), std::get<core::Reply>(received->message).value);
  }
}

TEST_F(WorkerClusterTest, AClientsPortHasNothingToSay) {
  Port port;
  Peer& peer = connect_client(a_, 7, 0, port.address());
  send_message(peer, request(1, Op::kRead, 0, number(key_at(b_))));
  Peer* node = accept(port);
  ASSERT_NE(nullptr, node);
  core::BookUpdate update;
  update.book.nodes.push_back({NodeId{1}, true, "127.0.0.1:1"});
  send_message(*node, update);
  settle();
  for (size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(a_.address(), b_.worker(k).server().book().node(NodeId{1})->address);
  }
}

// ---------------------------------------------------------------------------------- lost nodes

TEST_F(WorkerClusterTest, ADeadNodesBucketsAreDownWithinASecond) {
  const uint64_t lost = key_at(b_);
  const std::string answer = down(lost);
  const uint64_t kept[] = {key_at(a_), key_at(c_)};
  Peer& near = connect(a_, 0);
  Peer& far = connect(c_, 0);
  ASSERT_EQ("v" + number(lost) + "\n", ask(near, "GET " + number(lost)));
  kill(b_);
  EXPECT_LE(time_for(near, "GET " + number(lost), answer), kSecond);
  EXPECT_LE(time_for(far, "GET " + number(lost), answer), kSecond);
  EXPECT_LE(time_for(near, "PUT " + number(lost) + " x", answer), kSecond);
  for (const uint64_t key : kept) {
    EXPECT_EQ(base::Duration(), time_for(near, "GET " + number(key), "v" + number(key) + "\n"));
  }
  const std::string count = ask(near, "COUNT");
  EXPECT_EQ(0u, count.find("ERR bucket ")) << count;
  EXPECT_NE(std::string::npos, ask_listing(near, "NODES").find("state=down"));
}

TEST_F(WorkerClusterTest, ANodeThatHangsIsDownWithinASecondAgainAndAgain) {
  const uint64_t lost = key_at(b_);
  const std::string answer = down(lost);
  const std::string line = "GET " + number(lost);
  Peer& near = connect(a_, 0);
  Peer& far = connect(c_, 0);
  ASSERT_EQ("v" + number(lost) + "\n", ask(near, line));
  ASSERT_EQ("v" + number(lost) + "\n", ask(far, line));
  b_.freeze();
  for (int k = 0; k < 6; ++k) {
    EXPECT_LE(time_for(near, line, answer), kSecond);
    pass(base::ms(130));
    EXPECT_LE(time_for(far, line, answer), kSecond);
    EXPECT_LE(time_for(near, "SCAN v", answer), kSecond);
  }
  b_.thaw();
  pass(kSecond);
  EXPECT_EQ("v" + number(lost) + "\n", ask(near, line)) << "and back";
  EXPECT_EQ("v" + number(lost) + "\n", ask(far, line));
}

TEST_F(WorkerClusterTest, RequestsThatWereUnderWayToAHangingNodeFailTogether) {
  b_.freeze();
  const uint64_t lost = key_at(b_);
  std::vector<Peer*> peers;
  for (int k = 0; k < 20; ++k) {
    peers.push_back(&connect(a_, static_cast<size_t>(k % 2)));
    peers.back()->send("GET " + number(lost) + "\n");
    pass(base::ms(50));
    // Until the silence is long enough to mean something.
    if (k < 10) {
      EXPECT_EQ(0u, peers.back()->lines());
    }
  }
  pass(base::ms(950));
  for (Peer* peer : peers) EXPECT_EQ(0u, peer->take_line().find("ERR bucket "));
}

TEST_F(WorkerClusterTest, AForwardToADeadNodeIsAnsweredForTheClient) {
  const uint64_t lost = key_at(b_);
  Peer& peer = connect_client(a_, 7);
  kill(b_);
  settle();
  for (uint64_t seq = 1; seq <= 3; ++seq) {
    send_message(peer, request(seq, Op::kRead, 0, number(lost)));
    const auto received = await<core::Reply>(peer);
    ASSERT_TRUE(received);
    EXPECT_EQ(Code::kDown, std::get<core::Reply>(received->message).code);
    pass(base::ms(70));
  }
  // The same when the client's own port is not there either.
  Port port;
  port.close();
  Peer& other = connect_client(a_, 8, 1, port.address());
  send_message(other, request(1, Op::kRead, 0, number(lost)));
  const auto received = await<core::Reply>(other);
  ASSERT_TRUE(received);
  EXPECT_EQ(Code::kDown, std::get<core::Reply>(received->message).code);
}

TEST_F(WorkerClusterTest, WithoutTheCoordinatorEverythingGoesOnButWhatOnlyItKnows) {
  const uint64_t here = key_at(b_);
  const uint64_t there = key_at(c_);
  Peer& peer = connect(b_, 1);
  ASSERT_EQ(0u, ask(peer, "FILE").find("file=0"));
  kill(a_);
  settle();
  const std::string unreachable = "ERR the coordinator cannot be reached\n";
  for (int k = 0; k < 3; ++k) {
    EXPECT_LE(time_for(peer, "FILE", unreachable), kSecond);
    EXPECT_LE(time_for(peer, "NODES", unreachable), kSecond);
    pass(base::ms(170));
  }
  EXPECT_EQ("v" + number(here) + "\n", ask(peer, "GET " + number(here)));
  EXPECT_EQ("v" + number(there) + "\n", ask(peer, "GET " + number(there)));
  EXPECT_LE(time_for(peer, "GET 0", "ERR bucket 0 is down\n"), kSecond);
}

TEST_F(WorkerClusterTest, ACoordinatorThatHangsCannotBeReachedEither) {
  Peer& peer = connect(b_, 1);
  ASSERT_EQ(0u, ask(peer, "FILE").find("file=0"));
  a_.freeze();
  const std::string unreachable = "ERR the coordinator cannot be reached\n";
  for (int k = 0; k < 5; ++k) {
    EXPECT_LE(time_for(peer, "FILE", unreachable), kSecond);
    pass(base::ms(230));
  }
  a_.thaw();
  pass(kSecond);
  const std::string file = ask(peer, "FILE");
  EXPECT_EQ(0u, file.find("file=0")) << file;
}

// ------------------------------------------------------------------------------------- draining

TEST_F(WorkerClusterTest, ANodeThatStopsWaitsForAnswersOfOthers) {
  const uint64_t key = key_at(b_);
  Peer& text = connect(a_, 0);
  Peer& native = connect_client(a_, 7, 1);
  b_.freeze();
  text.send("GET " + number(key) + "\n");
  send_message(native, request(1, Op::kRead, 0, number(key)));
  settle();
  a_.stop_listening();
  for (size_t k = 0; k < 2; ++k) a_.worker(k).drain();
  settle();
  EXPECT_FALSE(text.ended());
  EXPECT_GT(a_.shared().clients.load(), a_.shared().peers.load());
  b_.thaw();
  EXPECT_TRUE(within(base::ms(200), [&] { return text.ended() && native.ended(); }));
  EXPECT_EQ("v" + number(key) + "\n", text.take());
  EXPECT_TRUE(take_message_of<core::Reply>(native));
  EXPECT_EQ(a_.shared().clients.load(), a_.shared().peers.load()) << "only other nodes are left";
  EXPECT_GT(a_.shared().peers.load(), 0u);
}

TEST_F(WorkerClusterTest, NodesThatLeaveAreNotCounted) {
  const uint64_t peers = a_.shared().peers.load();
  kill(b_);
  settle();
  EXPECT_LT(a_.shared().peers.load(), peers);
  kill(c_);
  settle();
  EXPECT_EQ(0u, a_.shared().peers.load());
}

// ------------------------------------------------------------------------------ fair turns, rest

class WorkerTurnTest : public WorkerTest {};

TEST_F(WorkerTurnTest, AClientWithMuchToAskDoesNotHoldUpOthers) {
  TestNode& node = start_coordinator(integer_file(1'000'000));
  Peer& busy = connect(node, 0);
  Peer& other = connect(node, 0);
  EXPECT_EQ("PONG\n", ask(other, "PING"));
  std::string lines;
  while (lines.size() < size_t{8} << 20) lines += "PING\n";
  busy.send(lines);
  other.send("PING\n");
  int turns = 0;
  while (other.lines() == 0 && turns < 1'000) {
    turn();
    ++turns;
  }
  EXPECT_LE(turns, 4);
  EXPECT_FALSE(busy.all_sent());
}

TEST_F(WorkerTurnTest, AFileThatDoesNothingRests) {
  // settle() fails when a loop never comes to rest.
  start_coordinator(integer_file(2), {.workers = 2});
  start_bucket_node({.workers = 2});
  fill(connect(node(0), 0), 50);
  for (int k = 0; k < 50; ++k) pass(base::ms(20));
}

TEST_F(WorkerTurnTest, ALostNodeIsNoReasonForHaste) {
  start_coordinator(integer_file(2));
  TestNode& other = start_bucket_node();
  fill(connect(node(0), 0), 20);
  kill(other);
  Peer& peer = connect(node(0), 0);
  for (uint64_t key = 0; key < 20; ++key) peer.send("GET " + number(key) + "\n");
  for (int k = 0; k < 50; ++k) pass(base::ms(20));
  EXPECT_EQ(20u, peer.lines());
}

}  // namespace
}  // namespace lh::node
