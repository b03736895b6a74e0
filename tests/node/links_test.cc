#include "node/links.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/link/fixture.h"
#include "tests/net/fixture.h"

namespace lh::node {
namespace {

using link::testing::Peer;
using link::testing::request;
using link::testing::RestProbe;
using link::testing::take_message;

class Nobody final : public link::LinkHandler {
 public:
  bool on_link_message(link::PeerLink&, core::Message&) override { return true; }
  void on_link_down(link::PeerLink&) override {}
  void on_undeliverable(link::PeerLink&, const core::Message&) override { ++undeliverable; }
  int undeliverable = 0;
};

class LinksTest : public ::testing::Test {
 protected:
  LinksTest() { links_.set_self(NodeId{4}, 44, "127.0.0.1:44"); }

  net::Socket listen() {
    Result<net::Socket> socket = net::Socket::listen(net::SocketAddress::ipv4_loopback(0));
    EXPECT_TRUE(socket.ok());
    return std::move(socket).value();
  }
  void settle() {
    while (!probe_.turn(false) || !probe_.turn(true)) {
    }
  }

  link::testing::QuietLog quiet_;
  base::ManualClock clock_{base::Instant::from_ns(1'000'000'000)};
  std::unique_ptr<net::EventLoop> loop_ = net::testing::make_loop(clock_);
  RestProbe probe_{*loop_};
  Nobody nobody_;
  Links links_{*loop_, nobody_, 1};
};

TEST_F(LinksTest, ThereIsOneLinkToEachPeer) {
  links_.set_coordinator("127.0.0.1:9");
  link::PeerLink& node = links_.node(NodeId{7}, "127.0.0.1:7");
  link::PeerLink& client = links_.client("127.0.0.1:8");
  link::PeerLink& coordinator = links_.coordinator();
  EXPECT_EQ(&node, &links_.node(NodeId{7}, "127.0.0.1:7"));
  EXPECT_EQ(&client, &links_.client("127.0.0.1:8"));
  EXPECT_EQ(&coordinator, &links_.coordinator());
  EXPECT_NE(&node, &links_.node(NodeId{8}, "127.0.0.1:7")) << "two nodes, whatever the address";
  EXPECT_NE(&client, &links_.client("127.0.0.1:7"));
}

TEST_F(LinksTest, ALinkTellsWhereItLeads) {
  links_.set_coordinator("127.0.0.1:9");
  link::PeerLink& node = links_.node(NodeId{0xffffffff}, "127.0.0.1:7");
  EXPECT_EQ(LinkKind::kNode, Links::kind(node));
  EXPECT_EQ(NodeId{0xffffffff}, Links::node_id(node));
  EXPECT_EQ("127.0.0.1:7", node.address());
  EXPECT_EQ(LinkKind::kCoordinator, Links::kind(links_.coordinator()));
  EXPECT_EQ("127.0.0.1:9", links_.coordinator().address());
  EXPECT_EQ(LinkKind::kClient, Links::kind(links_.client("127.0.0.1:8")));
  EXPECT_EQ("127.0.0.1:8", links_.client("127.0.0.1:8").address());
}

TEST_F(LinksTest, ANodeThatMovedIsFoundAtItsNewAddress) {
  link::PeerLink& node = links_.node(NodeId{7}, "127.0.0.1:7");
  EXPECT_EQ(&node, &links_.node(NodeId{7}, "127.0.0.1:8"));
  EXPECT_EQ("127.0.0.1:8", node.address());
}

TEST_F(LinksTest, SaysWhoTheNodeIs) {
  const net::Socket listening = listen();
  links_.node(NodeId{7}, listening.local_address().to_string()).connect();
  settle();
  net::Socket socket;
  net::SocketAddress from;
  ASSERT_EQ(0, listening.accept(&socket, &from));
  Peer peer(std::move(socket));
  peer.pump();
  const auto received = take_message(peer);
  ASSERT_TRUE(received);
  const auto& hello = std::get<core::Hello>(received->message);
  EXPECT_EQ(core::PeerKind::kNode, hello.kind);
  EXPECT_EQ(NodeId{4}, hello.node);
  EXPECT_EQ(44u, hello.file);
  EXPECT_EQ("127.0.0.1:44", hello.listener);
}

TEST_F(LinksTest, AClientThatGetsNoAnswersIsForgottenAfterAMinute) {
  const net::Socket listening = listen();
  const std::string address = listening.local_address().to_string();
  links_.client(address).send(request(1, core::Op::kRead, 0, "k"), wire::Routing::kDirect);
  settle();
  clock_.advance(base::seconds(60));
  settle();
  links_.tick(clock_.now());
  EXPECT_TRUE(links_.client(address).is_up());
  clock_.advance(base::ms(1));
  settle();
  links_.tick(clock_.now());
  EXPECT_FALSE(links_.client(address).is_up()) << "a fresh one";
}

TEST_F(LinksTest, LinksToNodesStay) {
  const net::Socket listening = listen();
  const std::string address = listening.local_address().to_string();
  links_.set_coordinator(address);
  links_.node(NodeId{7}, address).connect();
  links_.coordinator().connect();
  settle();
  clock_.advance(base::seconds(3'600));
  settle();
  links_.tick(clock_.now());
  settle();
  EXPECT_TRUE(links_.node(NodeId{7}, address).is_up());
  EXPECT_TRUE(links_.coordinator().is_up());
}

TEST_F(LinksTest, TheNumberOfClientsThatAreRememberedIsBounded) {
  constexpr size_t kMax = 16'384;
  const auto listener = [](size_t k) { return "127.0.0.1:" + std::to_string(10'000 + k); };
  const uint64_t first = links_.client(listener(0)).name();
  for (size_t k = 1; k < kMax; ++k) links_.client(listener(k));
  EXPECT_EQ(first, links_.client(listener(0)).name()) << "so many are remembered";
  links_.client(listener(kMax));
  EXPECT_NE(first, links_.client(listener(0)).name()) << "it made room";
}

TEST_F(LinksTest, ClosingAllLeavesNothingBehind) {
  const net::Socket listening = listen();
  const std::string address = listening.local_address().to_string();
  links_.set_coordinator(address);
  links_.node(NodeId{7}, address).send(request(1, core::Op::kRead, 0, "k"), wire::Routing::kDirect);
  links_.client(address).connect();
  links_.coordinator().connect();
  links_.close_all();
  settle();
  EXPECT_EQ(0, nobody_.undeliverable);
  EXPECT_FALSE(links_.coordinator().is_up());
}

}  // namespace
}  // namespace lh::node
