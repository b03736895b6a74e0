#include "net/connector.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/os_error.h"

namespace lh::net {

Connector::Connector(EventLoop& loop, ConnectHandler& handler, const ConnectOptions& options,
                     uint64_t seed)
    : loop_(loop), handler_(handler), options_(options), random_(seed), watcher_(loop, *this) {
  LH_CHECK(options.attempt_max > base::Duration());
  LH_CHECK(options.backoff_min > base::Duration());
  LH_CHECK(options.backoff_min <= options.backoff_max);
}

void Connector::start(const SocketAddress& address) {
  LH_CHECK(idle());
  LH_CHECK(address.valid());
  address_ = address;
  attempts_ = 0;
  schedule();
}

void Connector::cancel() {
  leave_attempt();
  report_call_.unlink();
  state_ = State::kIdle;
}

base::Duration Connector::backoff(const ConnectOptions& options, uint32_t failures,
                                  base::Prng* random) {
  if (failures == 0) return {};
  constexpr uint32_t kDoublingsMax = 30;
  const int64_t factor = int64_t{1} << std::min(failures - 1, kDoublingsMax);
  const base::Duration delay = std::min(options.backoff_max, options.backoff_min * factor);
  const base::Duration least = delay / 2;
  return least + base::ns(static_cast<int64_t>(
                     random->below(static_cast<uint64_t>((delay - least).ns()) + 1)));
}

void Connector::schedule() {
  const base::Duration delay = backoff(options_, failures_, &random_);
  if (delay == base::Duration()) return attempt();
  state_ = State::kWaiting;
  timer_ = loop_.call_after(delay, [this] { attempt(); });
}

void Connector::attempt() {
  timer_ = TimerId::kNone;
  ++attempts_;
  // Counted as a failure until reset_backoff() says otherwise; see the top of the header.
  if (failures_ < UINT32_MAX) ++failures_;
  Result<Socket> socket = Socket::connect(address_);
  Status status = socket.status();
  if (status.ok()) status = watcher_.open(socket.value().fd(), Interest::kWrite);
  if (!status.ok()) {
    failure_ = std::move(status);
    state_ = State::kFailing;
    loop_.call_next_turn(report_call_);
    return;
  }
  socket_ = std::move(socket).value();
  state_ = State::kConnecting;
  timer_ = loop_.call_after(options_.attempt_max, [this] {
    timer_ = TimerId::kNone;
    finish(ETIMEDOUT);
  });
}

void Connector::on_ready(Ready) {
  int error = socket_.take_error();
  // A free local port may be the very port that is asked for: the kernel then connects the socket
  // to itself. Nobody listens there.
  if (error == 0 && socket_.local_address() == socket_.peer_address()) error = ECONNREFUSED;
  finish(error);
}

void Connector::finish(int error) {
  LH_CHECK(state_ == State::kConnecting);
  if (error == 0) {
    watcher_.close();
    Socket socket = std::move(socket_);
    cancel();
    handler_.on_connected(std::move(socket));
    return;
  }
  failure_ =
      base::os_error("cannot connect to " + address_.to_string(), error, StatusCode::kUnavailable);
  report();
}

void Connector::report() {
  leave_attempt();
  state_ = State::kIdle;
  const Status status = std::move(failure_);
  const bool again = options_.attempts_max == 0 || attempts_ < options_.attempts_max;
  if (again) schedule();
  handler_.on_connect_failed(status, again);
}

void Connector::leave_attempt() {
  loop_.cancel(std::exchange(timer_, TimerId::kNone));
  watcher_.close();
  socket_.close();
}

}  // namespace lh::net
