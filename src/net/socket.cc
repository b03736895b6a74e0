#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "base/os_error.h"

namespace lh::net {
namespace {

// A peer whose machine vanished is found out after 60 + 3 * 20 seconds.
constexpr int kKeepaliveIdleSeconds = 60;
constexpr int kKeepaliveIntervalSeconds = 20;
constexpr int kKeepaliveProbes = 3;

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool set_tcp_options(int fd) {
  return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
         set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
}

Socket make_tcp_socket(const SocketAddress& address) {
  const int family = address.is_ipv6() ? AF_INET6 : AF_INET;
  return Socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

SocketAddress ask_address(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (ask(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return SocketAddress::from_sockaddr(storage);
}

}  // namespace

void Socket::close() {
  if (!valid()) return;
  // EINTR included: Linux has released the descriptor whatever close() says.
  ::close(release());
}

Result<Socket> Socket::listen(const SocketAddress& address) {
  LH_CHECK(address.valid());
  sockaddr_storage storage;
  const socklen_t size = address.to_sockaddr(&storage);
  Socket socket = make_tcp_socket(address);
  // SO_REUSEADDR: a restarted node takes its port although old connections are in TIME_WAIT.
  if (!socket.valid() || !set_option(socket.fd_, SOL_SOCKET, SO_REUSEADDR, 1) ||
      !set_tcp_options(socket.fd_) ||
      ::bind(socket.fd_, reinterpret_cast<sockaddr*>(&storage), size) != 0 ||
      ::listen(socket.fd_, SOMAXCONN) != 0) {
    const int error = errno;
    return base::os_error("cannot listen on " + address.to_string(), error);
  }
  return socket;
}

Result<Socket> Socket::connect(const SocketAddress& address) {
  LH_CHECK(address.valid());
  sockaddr_storage storage;
  const socklen_t size = address.to_sockaddr(&storage);
  Socket socket = make_tcp_socket(address);
  const bool under_way = socket.valid() && set_tcp_options(socket.fd_) &&
                         (::connect(socket.fd_, reinterpret_cast<sockaddr*>(&storage), size) == 0 ||
                          errno == EINPROGRESS);
  if (!under_way) {
    const int error = errno;
    return base::os_error("cannot connect to " + address.to_string(), error,
                          StatusCode::kUnavailable);
  }
  return socket;
}

int Socket::accept(Socket* accepted, SocketAddress* peer) const {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int fd =
      ::accept4(fd_, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return errno;
  *accepted = Socket(fd);
  *peer = SocketAddress::from_sockaddr(storage);
  return 0;
}

int Socket::take_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

SocketAddress Socket::local_address() const { return ask_address(fd_, ::getsockname); }

SocketAddress Socket::peer_address() const { return ask_address(fd_, ::getpeername); }

}  // namespace lh::net
