#include "link/peer_link.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/link/peer_link_fixture.h"

namespace lh::link {
namespace {

using testing::PeerLinkTest;
using testing::request;
using testing::send_message;
using testing::Story;
using testing::take_message;

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
