#include "link/peer_link.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/socket_address.h"
#include "tests/link/fixture.h"
#include "tests/net/fixture.h"

namespace lh::link {
namespace {

using net::testing::make_loop;
using testing::Peer;
using testing::QuietLog;
using testing::request;
using testing::RestProbe;
using testing::send_message;
using testing::take_message;

using Story = std::vector<std::string>;

core::Request put(uint64_t seq) { return request(seq, core::Op::kPut, 0, "k", "v"); }

// The key, or the kind, of a message: what the tests tell messages by.
std::string name_of(const core::Message& message) {
  if (const auto* m = std::get_if<core::Request>(&message)) return std::to_string(m->seq);
  if (std::holds_alternative<core::Hello>(message)) return "Hello";
  if (std::holds_alternative<core::Ping>(message)) return "Ping";
  if (std::holds_alternative<core::Error>(message)) return "Error";
  if (std::holds_alternative<core::Welcome>(message)) return "Welcome";
  return core::to_string(message);
}

// A port and the connections that were made to it.
class FarEnd {
 public:
  FarEnd() { listen(net::SocketAddress::ipv4_loopback(0)); }

  std::string address() const { return address_.to_string(); }
  void listen(const net::SocketAddress& address) {
    Result<net::Socket> socket = net::Socket::listen(address);
    ASSERT_TRUE(socket.ok()) << socket.status().message();
    listening_ = std::move(socket).value();
    address_ = listening_.local_address();
  }
  void stop_listening() { listening_.close(); }
  void listen_again() { listen(address_); }
  // The kernel goes on accepting connections, nobody else does anything.
  void hang() { hangs_ = true; }
  void wake_up() { hangs_ = false; }

  bool pump() {
    if (hangs_) return false;
    bool moved = false;
    net::Socket socket;
    net::SocketAddress from;
    while (listening_.valid() && listening_.accept(&socket, &from) == 0) {
      peers_.emplace_back(std::move(socket));
      moved = true;
    }
    for (Peer& peer : peers_) moved |= peer.pump();
    return moved;
  }
  size_t connections() const { return peers_.size(); }
  Peer& peer(size_t k) { return peers_[k]; }
  // What connection k has said so far.
  Story said(size_t k = 0) {
    Story names;
    while (const auto received = take_message(peers_.at(k))) {
      names.push_back(name_of(received->message));
    }
    return names;
  }

 private:
  net::Socket listening_;
  net::SocketAddress address_;
  std::deque<Peer> peers_;
  bool hangs_ = false;
};

class Recorder final : public LinkHandler {
 public:
  bool on_link_message(PeerLink&, core::Message& message) override {
    story.push_back("got " + name_of(message));
    return true;
  }
  void on_link_up(PeerLink& link) override {
    story.emplace_back("up");
    if (up_body) up_body(link);
  }
  void on_link_down(PeerLink& link) override {
    story.emplace_back("down");
    if (down_body) down_body(link);
  }
  void on_undeliverable(PeerLink& link, const core::Message& message) override {
    story.push_back("back " + name_of(message));
    if (undeliverable_body) undeliverable_body(link);
  }
  Story take() { return std::exchange(story, {}); }

  Story story;
  std::function<void(PeerLink&)> up_body;
  std::function<void(PeerLink&)> down_body;
  std::function<void(PeerLink&)> undeliverable_body;
};

class PeerLinkTest : public ::testing::Test {
 protected:
  PeerLinkTest() {
    self_.kind = core::PeerKind::kNode;
    self_.node = NodeId{3};
    self_.address = "127.0.0.1:333";
    make_link();
    link_->set_address(far_.address());
  }
  void make_link() {
    LinkHandler& handler = handler_;
    link_ = std::make_unique<PeerLink>(*loop_, group_, handler, self_, 42, 1);
  }

  void send(uint64_t seq) { link_->send(put(seq), wire::Routing::kRouted); }
  // Until nobody has anything to do. A connection attempt is given a moment by the kernel.
  void settle() {
    const auto rests = [&](bool patient) {
      const bool moved = far_.pump() | other_.pump();
      return probe_.turn(patient) && !moved;
    };
    for (int turns = 0; turns < 100'000; ++turns) {
      if (rests(false) && rests(true) && rests(false)) return;
    }
    FAIL() << "the loop never comes to rest";
  }
  void tick() {
    loop_->post([this] {
      if (link_) link_->tick();
    });
    settle();
  }
  // Time passes, with its ticks.
  void pass(base::Duration time) {
    for (const base::Instant end = clock_.now() + time; clock_.now() < end;) {
      clock_.advance(std::min(base::ms(50), end - clock_.now()));
      tick();
    }
  }
  void bring_up() {
    link_->connect();
    settle();
    ASSERT_EQ(Story{"up"}, handler_.take());
    ASSERT_EQ(Story{"Hello"}, far_.said());
  }

  QuietLog quiet_;
  base::ManualClock clock_{base::Instant::from_ns(1'000'000'000)};
  std::unique_ptr<net::EventLoop> loop_ = make_loop(clock_);
  RestProbe probe_{*loop_};
  net::ConnectionGroup group_;
  PeerLink::Self self_;
  Recorder handler_;
  FarEnd far_;
  FarEnd other_;
  std::unique_ptr<PeerLink> link_;
};

// ----------------------------------------------------------------------------------- connecting

TEST_F(PeerLinkTest, ConnectsWhenThereIsSomethingToSend) {
  pass(base::seconds(1));
  EXPECT_EQ(0u, far_.connections());
  send(1);
  send(2);
  EXPECT_FALSE(link_->is_up());
  EXPECT_GT(link_->unsent_bytes(), 0u);
  settle();
  EXPECT_TRUE(link_->is_up());
  EXPECT_EQ(0u, link_->unsent_bytes());
  EXPECT_EQ((Story{"Hello", "1", "2"}), far_.said());
  EXPECT_EQ(Story{"up"}, handler_.take());
  send(3);
  settle();
  EXPECT_EQ(Story{"3"}, far_.said());
  EXPECT_EQ(1u, far_.connections());
  EXPECT_EQ(42u, link_->name());
}

TEST_F(PeerLinkTest, SaysWhoItIs) {
  link_->connect();
  settle();
  const auto received = take_message(far_.peer(0));
  ASSERT_TRUE(received);
  const auto& hello = std::get<core::Hello>(received->message);
  EXPECT_EQ(1u, hello.version);
  EXPECT_EQ(core::PeerKind::kNode, hello.kind);
  EXPECT_EQ(NodeId{3}, hello.node);
  EXPECT_EQ("127.0.0.1:333", hello.listener);
}

TEST_F(PeerLinkTest, WhatIsSentWhenItComesUpGoesBeforeWhatWaited) {
  handler_.up_body = [&](PeerLink&) { send(9); };
  send(1);
  settle();
  EXPECT_EQ((Story{"Hello", "9", "1"}), far_.said());
}

TEST_F(PeerLinkTest, HandsOnWhatComesBackAlongIt) {
  bring_up();
  core::Welcome welcome;
  welcome.node = NodeId{1};
  welcome.options.capacity = 3;
  send_message(far_.peer(0), welcome);
  send_message(far_.peer(0), core::Error{"go away"});
  send_message(far_.peer(0), core::Ping{5});
  settle();
  EXPECT_EQ((Story{"got Welcome", "got Error"}), handler_.take());
  const auto pong = testing::take_message_of<core::Pong>(far_.peer(0));
  ASSERT_TRUE(pong);
}

// ------------------------------------------------------------------------------- not to be had

TEST_F(PeerLinkTest, WhatWaitedComesBackWhenTheConnectionIsRefused) {
  far_.stop_listening();
  send(1);
  send(2);
  send(3);
  settle();
  EXPECT_EQ((Story{"back 1", "back 2", "back 3", "down"}), handler_.take());
  EXPECT_EQ(0u, link_->unsent_bytes());
  send(4);
  EXPECT_EQ(Story{"back 4"}, handler_.take()) << "at once, while it is down";
}

TEST_F(PeerLinkTest, TriesAgainAfterAPause) {
  far_.stop_listening();
  send(1);
  settle();
  far_.listen_again();
  handler_.take();
  clock_.advance(base::ms(49));
  settle();
  send(2);
  EXPECT_EQ(Story{"back 2"}, handler_.take());
  clock_.advance(base::ms(1));
  settle();
  send(3);
  pass(base::ms(50));
  EXPECT_EQ(Story{"up"}, handler_.take());
  EXPECT_EQ((Story{"Hello", "3"}), far_.said());
}

TEST_F(PeerLinkTest, AnAddressThatIsNoneIsLikeAPeerThatIsNotThere) {
  link_->set_address("nonsense");
  send(1);
  EXPECT_EQ((Story{"down", "back 1"}), handler_.take());
  send(2);
  EXPECT_EQ(Story{"back 2"}, handler_.take());
  link_->set_address(far_.address());
  send(3);
  settle();
  EXPECT_EQ((Story{"Hello", "3"}), far_.said());
}

TEST_F(PeerLinkTest, WhatWaitsForAConnectionIsBounded) {
  const std::string value(size_t{4} << 20, 'v');
  for (uint64_t seq = 1; seq <= 6; ++seq) {
    link_->send(request(seq, core::Op::kPut, 0, "k", value), wire::Routing::kRouted);
  }
  EXPECT_EQ((Story{"back 5", "back 6"}), handler_.take()) << "what goes beyond is the last let in";
  EXPECT_LE(link_->unsent_bytes(), PeerLink::kBacklogBytesMax + value.size() + 1024);
  settle();
  EXPECT_EQ((Story{"Hello", "1", "2", "3", "4"}), far_.said());
}

TEST_F(PeerLinkTest, APeerThatGoesAwayIsReported) {
  bring_up();
  far_.peer(0).hang_up();
  settle();
  EXPECT_EQ(Story{"down"}, handler_.take());
  EXPECT_FALSE(link_->is_up());
  clock_.advance(base::ms(50));
  settle();
  send(1);
  settle();
  EXPECT_EQ((Story{"Hello", "1"}), far_.said(1));
}

TEST_F(PeerLinkTest, WhatWasSentToAStreamThatIsClosingComesBack) {
  group_.limits.output_max = 1 << 20;
  group_.limits.output_soft_max = 1 << 20;
  make_link();
  link_->set_address(far_.address());
  bring_up();
  const std::string value(600 << 10, 'v');
  for (uint64_t seq = 1; seq <= 3; ++seq) {
    link_->send(request(seq, core::Op::kPut, 0, "k", value), wire::Routing::kRouted);
  }
  settle();
  EXPECT_EQ((Story{"back 3", "down"}), handler_.take()) << "the second broke it";
}

// ------------------------------------------------------------------------------------- silence

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

// ------------------------------------------------------------------------------ another address

TEST_F(PeerLinkTest, ANewAddressWhileIdle) {
  link_->set_address(other_.address());
  EXPECT_EQ(other_.address(), link_->address());
  send(1);
  settle();
  EXPECT_EQ(0u, far_.connections());
  EXPECT_EQ((Story{"Hello", "1"}), other_.said());
}

TEST_F(PeerLinkTest, ANewAddressWhileConnectingGetsWhatWaits) {
  send(1);
  link_->set_address(other_.address());
  send(2);
  settle();
  EXPECT_EQ((Story{"Hello", "1", "2"}), other_.said());
  EXPECT_EQ(Story{"up"}, handler_.take());
}

TEST_F(PeerLinkTest, ANewAddressWhileUpGetsWhatIsSentFromThenOn) {
  bring_up();
  send(1);
  link_->set_address(other_.address());
  send(2);
  EXPECT_FALSE(link_->is_up());
  settle();
  EXPECT_TRUE(far_.peer(0).ended());
  EXPECT_EQ((Story{"Hello", "2"}), other_.said());
  EXPECT_EQ((Story{"down", "up"}), handler_.take()) << "what was on the old connection is lost";
  link_->set_address(far_.address());
  settle();
  EXPECT_EQ(Story{"down"}, handler_.take());
  EXPECT_EQ(1u, far_.connections()) << "there is nothing to send";
}

TEST_F(PeerLinkTest, ANewAddressWhileDownIsTriedAtOnce) {
  far_.stop_listening();
  send(1);
  settle();
  handler_.take();
  link_->set_address(other_.address());
  send(2);
  pass(base::ms(50));
  EXPECT_EQ(Story{"up"}, handler_.take());
  EXPECT_EQ((Story{"Hello", "2"}), other_.said());
}

TEST_F(PeerLinkTest, TheSameAddressChangesNothing) {
  bring_up();
  link_->set_address(far_.address());
  settle();
  EXPECT_TRUE(link_->is_up());
}

TEST_F(PeerLinkTest, WhatWaitsComesBackWhenTheNewAddressIsNone) {
  send(1);
  link_->set_address("nonsense");
  EXPECT_EQ((Story{"back 1", "down"}), handler_.take());
  EXPECT_EQ(0u, link_->unsent_bytes());
}

// ----------------------------------------------------------------------- calls within its calls

TEST_F(PeerLinkTest, WhatIsSentAsSomethingComesBackComesBackToo) {
  far_.stop_listening();
  int depth = 0;
  handler_.undeliverable_body = [&](PeerLink&) {
    if (++depth < 3) send(10 + static_cast<uint64_t>(depth));
  };
  send(1);
  settle();
  EXPECT_EQ((Story{"back 1", "back 11", "back 12", "down"}), handler_.take());
}

TEST_F(PeerLinkTest, MaySendAsItGoesDown) {
  bring_up();
  handler_.down_body = [&](PeerLink&) { send(1); };
  far_.peer(0).hang_up();
  settle();
  EXPECT_EQ((Story{"down", "back 1"}), handler_.take());
}

TEST_F(PeerLinkTest, MayMoveAsSomethingComesBack) {
  far_.stop_listening();
  handler_.undeliverable_body = [&](PeerLink& link) {
    link.set_address(other_.address());
    send(2);
  };
  send(1);
  settle();
  EXPECT_EQ((Story{"back 1", "down", "up"}), handler_.take());
  EXPECT_EQ((Story{"Hello", "2"}), other_.said());
}

TEST_F(PeerLinkTest, SaysNothingWhenItIsDestroyed) {
  send(1);
  link_.reset();  // connecting
  settle();
  make_link();
  link_->set_address(far_.address());
  send(2);
  settle();
  handler_.take();
  send(3);
  link_.reset();  // up, with output
  settle();
  EXPECT_EQ(Story{}, handler_.take());
  make_link();
  far_.stop_listening();
  link_->set_address(far_.address());
  send(4);
  settle();
  link_.reset();  // down
  settle();
  EXPECT_EQ((Story{"back 4", "down"}), handler_.take());
}

// ---------------------------------------------------------------------------------------- unused

TEST_F(PeerLinkTest, KnowsSinceWhenItIsNotUsed) {
  bring_up();
  send(1);
  const base::Instant used = clock_.now();
  EXPECT_FALSE(link_->idle_since(used));
  EXPECT_TRUE(link_->idle_since(used + base::ms(1)));
  pass(base::ms(100));
  EXPECT_TRUE(link_->idle_since(used + base::ms(100)));
  far_.peer(0).hang_up();
  settle();
  pass(base::ms(100));
  far_.hang();
  send(2);
  EXPECT_FALSE(link_->idle_since(clock_.now() + base::ms(1))) << "it is connecting";
}

}  // namespace
}  // namespace lh::link
