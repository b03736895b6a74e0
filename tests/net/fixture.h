// What the tests of the net layer share: loops stepped by hand, connected sockets, and reading and
// writing the far end of a connection as a peer would.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "net/event_loop.h"
#include "net/socket.h"

namespace lh::net::testing {

inline constexpr base::Duration kNoWait{};

// Longer than anything here takes; only reached by a failing test.
inline constexpr base::Duration kPatience = base::seconds(10);

inline std::unique_ptr<EventLoop> make_loop(const base::Clock& clock) {
  Result<std::unique_ptr<EventLoop>> loop = EventLoop::create(clock);
  EXPECT_TRUE(loop.ok()) << loop.status().message();
  return std::move(loop).value();
}

// Turns until the condition holds, sleeping for events in between.
inline ::testing::AssertionResult turn_until(EventLoop& loop, const std::function<bool()>& holds) {
  constexpr int kTurnsMax = 100'000;
  const base::SteadyClock clock;
  const base::Instant deadline = clock.now() + kPatience;
  for (int i = 0; i < kTurnsMax && clock.now() < deadline; ++i) {
    if (holds()) return ::testing::AssertionSuccess();
    loop.run_once(deadline - clock.now());
  }
  return holds() ? ::testing::AssertionSuccess()
                 : ::testing::AssertionFailure() << "the loop never got there";
}

// One turn of a loop that has something to do: it must not sleep for it.
inline void turn_without_sleep(EventLoop& loop) {
  const base::SteadyClock clock;
  const base::Instant start = clock.now();
  loop.run_once(kPatience);
  EXPECT_LT(clock.now() - start, kPatience) << "the loop slept";
}

struct SocketPair {
  Socket here;
  Socket there;
};

inline SocketPair make_socket_pair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
  return {Socket(fds[0]), Socket(fds[1])};
}

// A connected pair of TCP sockets on loopback.
inline SocketPair make_tcp_pair() {
  Result<Socket> listening = Socket::listen(SocketAddress::ipv4_loopback(0));
  EXPECT_TRUE(listening.ok()) << listening.status().message();
  Result<Socket> there = Socket::connect(listening.value().local_address());
  EXPECT_TRUE(there.ok()) << there.status().message();
  pollfd waiting{listening.value().fd(), POLLIN, 0};
  EXPECT_EQ(1, ::poll(&waiting, 1, 10'000));
  SocketPair pair;
  SocketAddress peer;
  EXPECT_EQ(0, listening.value().accept(&pair.here, &peer));
  pair.there = std::move(there).value();
  return pair;
}

inline void peer_writes(const Socket& peer, std::string_view bytes) {
  ASSERT_EQ(static_cast<ssize_t>(bytes.size()),
            ::send(peer.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

// All that has arrived.
inline std::string peer_reads(const Socket& peer) {
  std::string all;
  char block[65'536];
  for (ssize_t n = 0; (n = ::recv(peer.fd(), block, sizeof block, 0)) > 0;) {
    all.append(block, static_cast<size_t>(n));
  }
  return all;
}

// Whether the peer finds the end of the stream (nothing else must be left to read).
inline bool peer_sees_end(const Socket& peer) {
  char byte = 0;
  const ssize_t n = ::recv(peer.fd(), &byte, 1, 0);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

}  // namespace lh::net::testing
