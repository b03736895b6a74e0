#include "net/listener.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/os_error.h"

namespace lh::net {

Listener::Listener(EventLoop& loop, AcceptHandler& handler)
    : loop_(loop), handler_(handler), watcher_(loop, *this) {}

Status Listener::open(const SocketAddress& address) {
  LH_CHECK(!is_open());
  Result<Socket> socket = Socket::listen(address);
  if (!socket.ok()) return socket.status();
  open_reserve();
  Status status = watcher_.open(socket.value().fd(), Interest::kRead);
  if (!status.ok()) return status;
  socket_ = std::move(socket).value();
  return {};
}

void Listener::close() {
  if (!is_open()) return;
  loop_.cancel(std::exchange(pause_timer_, TimerId::kNone));
  watcher_.close();
  socket_.close();
  reserve_.close();
}

void Listener::on_ready(Ready) {
  const LifelineGuard guard(lifeline_);
  for (int i = 0; i < kBatchMax; ++i) {
    Socket socket;
    SocketAddress peer;
    const int error = socket_.accept(&socket, &peer);
    if (error == 0) {
      ++accepted_;
      handler_.on_accept(std::move(socket), peer);
      if (guard.cut() || !is_open()) return;
    } else if (!handle_error(error)) {
      return;
    }
  }
}

// Whether to go on with the next connection.
bool Listener::handle_error(int error) {
  switch (error) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
      return refuse_one();
    case ENOBUFS:
    case ENOMEM:
      LH_LOG_LIMITED(kWarn, "net", "accept has no memory", loop_.now());
      pause();
      return false;
    default:  // of this one connection: it was reset before its turn came, or the network failed
      return true;
  }
}

bool Listener::refuse_one() {
  LH_LOG_LIMITED(kWarn, "net", "out of descriptors, connection refused", loop_.now());
  if (reserve_.valid()) {
    reserve_.close();
    Socket socket;
    SocketAddress peer;
    const int error = socket_.accept(&socket, &peer);
    socket.close();
    open_reserve();
    if (error == 0) {
      ++refused_;
      return true;
    }
    if (error == EAGAIN) return false;
  }
  // Another thread took the descriptor meanwhile, or the whole system has none.
  pause();
  return false;
}

void Listener::open_reserve() { reserve_ = Socket(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

void Listener::pause() {
  watcher_.set_interest(Interest::kNone);
  pause_timer_ = loop_.call_after(kPause, [this] { resume(); });
}

void Listener::resume() {
  pause_timer_ = TimerId::kNone;
  if (!reserve_.valid()) open_reserve();
  watcher_.set_interest(Interest::kRead);
}

}  // namespace lh::net
