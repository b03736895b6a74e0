// Socket: the owner of one file descriptor, and the few calls on TCP sockets that this layer needs.
//
// Movable, not copyable; closes on destruction. Whoever holds it may use it, in any thread. All
// sockets made here are non-blocking and close on exec. Failures of the world are a Status with the
// system's words; those of accept() are an errno, as the listener tells them apart.
#pragma once

#include <utility>

#include "lh/status.h"
#include "net/socket_address.h"

namespace lh::net {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = other.release();
    }
    return *this;
  }

  int fd() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void close();

  // A listening socket. Port 0 takes any free port: ask local_address(). What it accepts has
  // TCP_NODELAY (a batch of answers is one send; waiting to fill a segment only delays it) and
  // keepalive, which the kernel passes on from the listening socket: no system call for each.
  static Result<Socket> listen(const SocketAddress& address);

  // A connection under way, or already there: wait until it is writable, then ask take_error().
  // It has TCP_NODELAY and keepalive.
  static Result<Socket> connect(const SocketAddress& address);

  // The next connection of a listening socket: 0, or errno (EAGAIN when none waits).
  int accept(Socket* accepted, SocketAddress* peer) const;

  // The error that the kernel keeps for this socket (0 is none), which asking clears.
  int take_error() const;

  // Where this end and the other one are; not valid() when the system does not know.
  SocketAddress local_address() const;
  SocketAddress peer_address() const;

 private:
  int fd_ = -1;
};

}  // namespace lh::net
