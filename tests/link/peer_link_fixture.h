// What the tests of PeerLink share: a far end that can hang, and a link that is watched.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "link/peer_link.h"
#include "net/socket_address.h"
#include "tests/link/fixture.h"
#include "tests/net/fixture.h"

namespace lh::link::testing {

using Story = std::vector<std::string>;

inline core::Request put(uint64_t seq) { return request(seq, core::Op::kPut, 0, "k", "v"); }

// The key, or the kind, of a message: what the tests tell messages by.
inline std::string name_of(const core::Message& message) {
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
  std::unique_ptr<net::EventLoop> loop_ = net::testing::make_loop(clock_);
  RestProbe probe_{*loop_};
  net::ConnectionGroup group_;
  PeerLink::Self self_;
  Recorder handler_;
  FarEnd far_;
  FarEnd other_;
  std::unique_ptr<PeerLink> link_;
};

}  // namespace lh::link::testing
