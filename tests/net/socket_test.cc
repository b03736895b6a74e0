#include "net/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::make_socket_pair;
using testing::make_tcp_pair;
using testing::peer_reads;
using testing::peer_sees_end;
using testing::peer_writes;
using testing::SocketPair;

int option(const Socket& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(0, getsockopt(socket.fd(), level, name, &value, &size));
  return value;
}

TEST(SocketTest, closes_its_descriptor_when_it_dies) {
  SocketPair pair = make_socket_pair();
  const int fd = pair.here.fd();
  { const Socket dying = std::move(pair.here); }
  EXPECT_EQ(-1, fcntl(fd, F_GETFD));
  EXPECT_TRUE(peer_sees_end(pair.there));
}

TEST(SocketTest, moves_its_descriptor) {
  SocketPair pair = make_socket_pair();
  const int fd = pair.here.fd();
  Socket moved = std::move(pair.here);
  EXPECT_FALSE(pair.here.valid());
  EXPECT_EQ(fd, moved.fd());
  Socket target = std::move(pair.there);
  target = std::move(moved);
  EXPECT_EQ(fd, target.fd());
  const int released = target.release();
  EXPECT_EQ(fd, released);
  EXPECT_FALSE(target.valid());
  EXPECT_EQ(0, ::close(released));
}

TEST(SocketTest, listens_on_a_free_port_and_knows_it) {
  const Result<Socket> socket = Socket::listen(SocketAddress::ipv4_loopback(0));
  ASSERT_TRUE(socket.ok());
  const SocketAddress address = socket.value().local_address();
  EXPECT_TRUE(address.is_loopback());
  EXPECT_GT(address.port(), 0);
}

TEST(SocketTest, listens_on_ipv6) {
  const Result<Socket> socket = Socket::listen(SocketAddress::parse("[::1]:0").value());
  if (!socket.ok()) GTEST_SKIP() << "no IPv6 here: " << socket.status().message();
  EXPECT_TRUE(socket.value().local_address().is_ipv6());
}

TEST(SocketTest, a_port_in_use_is_said_in_the_systems_words) {
  const Result<Socket> first = Socket::listen(SocketAddress::ipv4_loopback(0));
  ASSERT_TRUE(first.ok());
  const SocketAddress address = first.value().local_address();
  const Result<Socket> second = Socket::listen(address);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(StatusCode::kIo, second.status().code());
  EXPECT_EQ("cannot listen on " + address.to_string() + ": Address already in use",
            second.status().message());
}

TEST(SocketTest, an_address_of_another_machine_cannot_be_listened_on) {
  // 192.0.2.0/24 is reserved for documentation (RFC 5737).
  const Result<Socket> socket = Socket::listen(SocketAddress::parse("192.0.2.1:0").value());
  ASSERT_FALSE(socket.ok());
  EXPECT_EQ("cannot listen on 192.0.2.1:0: Cannot assign requested address",
            socket.status().message());
}

TEST(SocketTest, accepted_and_connected_sockets_carry_bytes_both_ways) {
  const SocketPair pair = make_tcp_pair();
  peer_writes(pair.here, "ping");
  EXPECT_EQ("ping", peer_reads(pair.there));
  peer_writes(pair.there, "pong");
  EXPECT_EQ("pong", peer_reads(pair.here));
  EXPECT_EQ(pair.here.local_address(), pair.there.peer_address());
  EXPECT_EQ(pair.there.local_address(), pair.here.peer_address());
}

TEST(SocketTest, both_ends_have_the_options_that_a_request_needs) {
  const SocketPair pair = make_tcp_pair();
  for (const Socket* socket : {&pair.here, &pair.there}) {
    EXPECT_EQ(1, option(*socket, IPPROTO_TCP, TCP_NODELAY));
    EXPECT_EQ(1, option(*socket, SOL_SOCKET, SO_KEEPALIVE));
    EXPECT_EQ(60, option(*socket, IPPROTO_TCP, TCP_KEEPIDLE));
    EXPECT_NE(0, fcntl(socket->fd(), F_GETFL) & O_NONBLOCK);
    EXPECT_NE(0, fcntl(socket->fd(), F_GETFD) & FD_CLOEXEC);
  }
}

TEST(SocketTest, accept_without_a_connection_says_again) {
  const Result<Socket> listening = Socket::listen(SocketAddress::ipv4_loopback(0));
  ASSERT_TRUE(listening.ok());
  Socket socket;
  SocketAddress peer;
  EXPECT_EQ(EAGAIN, listening.value().accept(&socket, &peer));
  EXPECT_FALSE(socket.valid());
}

TEST(SocketTest, a_refused_connection_leaves_its_error) {
  SocketAddress address;
  {
    const Result<Socket> listening = Socket::listen(SocketAddress::ipv4_loopback(0));
    address = listening.value().local_address();
  }
  const Result<Socket> socket = Socket::connect(address);
  ASSERT_TRUE(socket.ok()) << socket.status().message();
  pollfd waiting{socket.value().fd(), POLLOUT, 0};
  ASSERT_EQ(1, ::poll(&waiting, 1, 10'000));
  EXPECT_EQ(ECONNREFUSED, socket.value().take_error());
}

TEST(SocketTest, a_socket_without_addresses_has_none) {
  const SocketPair pair = make_socket_pair();
  EXPECT_FALSE(pair.here.local_address().valid());
  EXPECT_FALSE(Socket().peer_address().valid());
}

}  // namespace
}  // namespace lh::net
