// Listener: accepts the connections of one listening socket and hands each to its handler.
//
// It lives in one loop; a node with several workers has one listener, whose handler distributes the
// sockets. (With one listening socket for each worker the kernel would spread connections by a
// hash, and a worker could end up with none.) How many connections there may be is the handler's
// business: it closes a socket by dropping it.
//
// When the process has no descriptors left, waiting connections are accepted with a descriptor kept
// in reserve and closed: their peers learn it at once, and the loop does not spin on a socket that
// stays readable.
#pragma once

#include <cstdint>

#include "lh/status.h"
#include "net/event_loop.h"
#include "net/lifeline.h"
#include "net/socket.h"
#include "net/socket_address.h"
#include "net/watcher.h"

namespace lh::net {

class AcceptHandler {
 public:
  // A new connection, non-blocking, not registered anywhere. May close or destroy the listener.
  virtual void on_accept(Socket socket, const SocketAddress& peer) = 0;

 protected:
  ~AcceptHandler() = default;
};

class Listener final : private EventHandler {
 public:
  // Both must outlive the listener.
  Listener(EventLoop& loop, AcceptHandler& handler);
  ~Listener() { close(); }

  // Starts to listen. Precondition: not open.
  Status open(const SocketAddress& address);

  // Stops to listen; connections that wait to be accepted are reset by the kernel.
  void close();

  bool is_open() const { return socket_.valid(); }

  // With the port that the kernel chose. Precondition: open.
  SocketAddress local_address() const { return socket_.local_address(); }

  // Connections handed over, and connections closed for want of descriptors.
  uint64_t accepted() const { return accepted_; }
  uint64_t refused() const { return refused_; }

 private:
  // Accepted in a turn before others get theirs: each costs two system calls or so.
  static constexpr int kBatchMax = 64;
  static constexpr base::Duration kPause = base::ms(100);

  void on_ready(Ready ready) override;
  bool handle_error(int error);
  bool refuse_one();
  void open_reserve();
  void pause();
  void resume();

  EventLoop& loop_;
  AcceptHandler& handler_;
  Socket socket_;
  Socket reserve_;  // a descriptor to give up in need
  TimerId pause_timer_ = TimerId::kNone;
  uint64_t accepted_ = 0;
  uint64_t refused_ = 0;
  Lifeline lifeline_;
  Watcher watcher_;  // last: dies first
};

}  // namespace lh::net
