#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "link/peer_link.h"
#include "tests/link/peer_link_fixture.h"

namespace lh::link {
namespace {

using testing::PeerLinkTest;
using testing::send_message;
using testing::Story;

TEST_F(PeerLinkTest, ASilentPeerIsPingedAndThenGivenUp) {
  bring_up();
  send(1);
  pass(base::ms(150));
  EXPECT_EQ(Story{"1"}, far_.said());
  pass(base::ms(50));
  EXPECT_EQ(Story{"Ping"}, far_.said());
  pass(base::ms(450));
  EXPECT_EQ(Story{}, handler_.take());
  pass(base::ms(50));
  EXPECT_EQ(Story{"down"}, handler_.take());
  EXPECT_TRUE(far_.peer(0).ended());
}

TEST_F(PeerLinkTest, APeerThatAnswersPingsStays) {
  bring_up();
  for (uint64_t seq = 1; seq <= 10; ++seq) {
    send(seq);
    pass(base::ms(200));
    ASSERT_EQ((Story{std::to_string(seq), "Ping"}), far_.said());
    send_message(far_.peer(0), core::Pong{});
    pass(base::ms(300));
    ASSERT_EQ(Story{}, far_.said()) << "nothing is outstanding";
  }
  EXPECT_EQ(Story{}, handler_.take());
}

TEST_F(PeerLinkTest, NobodyIsPingedForNothing) {
  bring_up();
  pass(base::seconds(10));
  EXPECT_EQ(Story{}, far_.said());
  EXPECT_TRUE(link_->is_up());
}

TEST_F(PeerLinkTest, WhatWasHeardBeforeASendDoesNotAnswerIt) {
  bring_up();
  send(1);
  clock_.advance(base::ms(10));
  send_message(far_.peer(0), core::Error{"heard"});
  settle();
  clock_.advance(base::ms(10));
  settle();
  send(2);  // and from here on the peer is dead
  pass(base::ms(750));
  EXPECT_EQ((Story{"1", "2", "Ping"}), far_.said());
  EXPECT_EQ((Story{"got Error", "down"}), handler_.take());
}

TEST_F(PeerLinkTest, APongDoesNotAnswerWhatWasSentAfterIt) {
  bring_up();
  send(1);
  pass(base::ms(200));
  clock_.advance(base::ms(10));
  send_message(far_.peer(0), core::Pong{});
  settle();
  clock_.advance(base::ms(10));
  settle();
  send(2);
  pass(base::ms(750));
  EXPECT_EQ((Story{"1", "Ping", "2", "Ping"}), far_.said());
  EXPECT_EQ(Story{"down"}, handler_.take());
}

TEST_F(PeerLinkTest, APeerThatHangsCostsItsTimeOnce) {
  bring_up();
  far_.hang();
  send(1);
  pass(base::ms(700));
  EXPECT_EQ(Story{"down"}, handler_.take());
  // The kernel at the far end takes the connection, nobody says anything.
  pass(base::ms(50));
  for (uint64_t seq = 2; seq < 20; ++seq) {
    send(seq);
    EXPECT_EQ(Story{"back " + std::to_string(seq)}, handler_.take());
    pass(base::ms(20));
    handler_.take();
  }
  EXPECT_FALSE(link_->is_up());
  far_.wake_up();
  settle();
  ASSERT_EQ(2u, far_.connections());
  EXPECT_EQ((Story{"Hello", "Ping"}), far_.said(1));
  send_message(far_.peer(1), core::Pong{});
  settle();
  EXPECT_EQ(Story{"up"}, handler_.take());
  send(20);
  settle();
  EXPECT_EQ(Story{"20"}, far_.said(1));
}

TEST_F(PeerLinkTest, APeerThatHangsForLongIsTriedAgainAndAgain) {
  bring_up();
  far_.hang();
  for (uint64_t seq = 1; seq < 100; ++seq) {
    send(seq);
    pass(base::ms(50));
  }
  far_.wake_up();
  settle();
  EXPECT_GE(far_.connections(), 5u);
  EXPECT_LE(far_.connections(), 12u);
}

TEST_F(PeerLinkTest, APeerThatHungIsFoundAgainWithoutASender) {
  bring_up();
  far_.hang();
  send(1);
  pass(base::ms(1'500));
  handler_.take();
  far_.wake_up();
  pass(base::ms(50));
  const size_t newest = far_.connections() - 1;
  EXPECT_EQ((Story{"Hello", "Ping"}), far_.said(newest));
  send_message(far_.peer(newest), core::Pong{});
  settle();
  EXPECT_EQ(Story{"up"}, handler_.take());
}

TEST_F(PeerLinkTest, AMessageProvesAPeerToo) {
  bring_up();
  far_.hang();
  send(1);
  pass(base::ms(750));
  send(2);
  settle();
  handler_.take();
  far_.wake_up();
  settle();
  send_message(far_.peer(1), core::Error{"heard"});
  settle();
  EXPECT_EQ((Story{"up", "got Error"}), handler_.take());
}

// A listening socket whose queue is full, so that the kernel drops further attempts: to whoever
// connects it is a machine that is not there.
class BlackHole {
 public:
  BlackHole() {
    const net::SocketAddress any = net::SocketAddress::ipv4_loopback(0);
    sockaddr_storage storage{};
    const socklen_t size = any.to_sockaddr(&storage);
    socket_ = net::Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(0, ::bind(socket_.fd(), reinterpret_cast<const sockaddr*>(&storage), size));
    EXPECT_EQ(0, ::listen(socket_.fd(), 0));
    const socklen_t full = socket_.local_address().to_sockaddr(&storage);
    filler_ = net::Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(0, ::connect(filler_.fd(), reinterpret_cast<const sockaddr*>(&storage), full));
  }
  std::string address() const { return socket_.local_address().to_string(); }

 private:
  net::Socket socket_;
  net::Socket filler_;
};

TEST_F(PeerLinkTest, AMachineThatIsNotThereCostsItsTimeOnce) {
  const BlackHole hole;
  link_->set_address(hole.address());
  send(1);
  pass(base::ms(450));
  EXPECT_EQ(Story{}, handler_.take());
  pass(base::ms(50));
  EXPECT_EQ((Story{"back 1", "down"}), handler_.take());
  pass(base::ms(50));
  send(2);
  EXPECT_EQ(Story{"back 2"}, handler_.take()) << "though a connection is being tried";
  link_->set_address(far_.address());
  send(3);
  settle();
  EXPECT_EQ((Story{"Hello", "3"}), far_.said()) << "the other address is under no suspicion";
}

}  // namespace
}  // namespace lh::link
